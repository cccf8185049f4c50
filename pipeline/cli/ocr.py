"""`nightshift ocr`: make the text recogniser faster on this CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import options, screen
from pipeline.errors import ExitCode, PermanentError, UsageError
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pipeline.documents.sources import Source
    from pipeline.ocr.tuning import Cutter, Page, Tuned

app = options.Commands(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make the text recogniser faster on this CPU.",
)


@app.callback()
def _group() -> None:
    pass


@app.command(no_args_is_help=True)
def tune(
    pages: Annotated[
        list[str], typer.Argument(metavar="PAGES...", help="Pictures and PDFs, or folders of them.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="MODEL_DIR", help="Folder to write the models to.")
    ],
    lines: Annotated[
        int, typer.Option("--lines", min=50, help="Maximum number of lines to calibrate on.")
    ] = 300,
    most: Annotated[int, typer.Option("--pages", min=3, help="Maximum number of pages to read.")] = 90,
    force: Annotated[bool, typer.Option("--force", help="Replace the tuned model in MODEL_DIR.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Quantise the recogniser to int8, calibrated on lines of PAGES, and keep it if it is worth it.

    Two of three pages calibrate; the lines of every third are read by both models in turn. Where each of these has its
    text in a file next to it (`NAME.txt` for `NAME.jpg`), character F1 is that against the text, otherwise that
    against what the float model reads. MODEL_DIR is written, whole or not at all, only if int8 loses less than .001
    of character F1 and is at least 1.1 times as fast **on this CPU**: where it computes in bfloat16 (AMX), it seldom
    is. Use the model with `NIGHTSHIFT_OCR_MODEL_DIR=MODEL_DIR`; results name it.

    Needs `pip install 'nightshift[onnx]'`. Takes some minutes.

    Exit codes: 0 written, 1 the float model stays in use, or a package or model is missing, 2 usage error: no pages,
    too few lines, a CPU without int8 instructions.
    """
    from pipeline.ocr import tuning

    tuning.refuse_existing(out, force=force)
    settings = Settings.from_env()
    cutter = tuning.Cutter(settings)
    tuned = tuning.tune(cutter, _read(cutter, pages, most, settings), lines, out, force=force)
    if as_json:
        screen.as_json(tuned)
    else:
        _print(tuned)
        place = f" Use it with NIGHTSHIFT_OCR_MODEL_DIR={out}." if tuned.kept else ""
        screen.say(f"The int8 model is {'kept' if tuned.kept else 'not kept'}: {tuned.reason}.{place}")
    if not tuned.kept:
        raise typer.Exit(ExitCode.ERROR)


def _read(cutter: Cutter, places: list[str], most: int, settings: Settings) -> Sequence[Page]:
    """At most `most` pages, cut into lines; says which files can't be read."""
    from pipeline.documents.sources import find

    found: list[Page] = []
    with screen.bar() as bar:
        row = bar.add_task("cutting lines", total=most)
        for source in find(places, settings):
            if source.url.endswith(".txt"):
                continue
            try:
                for image in _images(source, settings, most - len(found)):
                    page = cutter.page(image, _printed(source.url))
                    if page.lines:
                        found.append(page)
                        bar.update(row, completed=len(found))
            except PermanentError as error:
                screen.say(f"Not read: {source.url}: {error}")
            if len(found) == most:
                break
    if not found:
        raise UsageError("No pages with text that can be read: give pictures or PDFs, or folders of them.")
    return found


def _images(source: Source, settings: Settings, most: int) -> Iterator[NDArray[np.uint8]]:
    from pipeline.documents.open import open_document

    with open_document(source.read(), settings.limits) as document:
        for number in range(1, min(document.page_count, most) + 1):
            yield document.render(number)


def _printed(url: str) -> tuple[str, ...] | None:
    """The lines of the text file next to a picture."""
    text = Path(url).with_suffix(".txt")
    try:
        return tuple(text.read_text("utf-8").splitlines())
    except (OSError, ValueError):  # none, or not UTF-8
        return None


def _print(tuned: Tuned) -> None:
    rows = []
    for model, speed in ((tuned.float_model, 1.0), (tuned.int8_model, tuned.speed)):
        rows.append((model.name, screen.size(model.size), f"{model.character_f1:.4f}", f"{speed:.2f}"))
    against = "the text files" if tuned.against == "labels" else "what the float model reads"
    title = (
        f"{tuned.compared_on} lines of {tuned.held_out_pages} held-out pages, character F1 against {against}"
    )
    screen.listing(title, ("model", "#size", "#character F1", "#speed"), rows)
