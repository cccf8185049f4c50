"""Whether an int8 recogniser is worth it here: the same lines read by both, what is lost and what is gained.

A model that reads worse, or hardly faster on this CPU, is not kept.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from pipeline.errors import RunError, UsageError
from pipeline.ocr import identity, int8, weights
from pipeline.ocr.asking_engine import AskingEngine, asking_here
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import text_of
from pipeline.ocr.openvino_models import OpenVinoModels
from pipeline.ocr.rapid import recipe_of
from pipeline.ocr.trust import MIN_CONFIDENCE

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings

HELD_OUT = 3
"""Every third page is held out: its lines are compared, those of the others calibrate."""
LEAST_LINES = 50
"""Minimum number of lines for either."""
LOSS = 0.001
"""Maximum loss of character F1."""
GAIN = 1.1
"""Minimum speed, as multiple of that of the float model: for less, no other model is worth having."""
CARD = "tuned.json"

Texts = list[list[str]]
"""The lines read on each page."""


class Page(msgspec.Struct, frozen=True):
    """The lines cut from a page, scaled for the recogniser; `printed`: what the user says is printed on it."""

    lines: Sequence[Image]
    printed: tuple[str, ...] | None = None


class Figures(msgspec.Struct, frozen=True):
    """Of one model on the held-out lines; `seconds` of processor time. F1 with itself is 1."""

    name: str
    size: int
    character_f1: float
    seconds: float


class Tuned(msgspec.Struct, frozen=True):
    """What came of it. `against`: labels next to the pages, or what the float model reads."""

    float_model: Figures
    int8_model: Figures
    against: Literal["labels", "float"]
    calibrated_on: int
    compared_on: int
    held_out_pages: int
    kept: bool
    reason: str

    @property
    def speed(self) -> float:
        """Speed of the int8 model, as multiple of that of the float model."""
        return self.float_model.seconds / max(self.int8_model.seconds, 1e-9)


class Cutter:
    """Cuts lines out of pages with the engine of the settings, and reads lines with its recogniser.

    Raises `UsageError` if that is not the default engine on a CPU, or the CPU has no instructions for int8.
    """

    def __init__(self, settings: OcrSettings) -> None:
        if settings.ocr_engine != "rapidocr" or settings.ocr_device != "cpu":
            raise UsageError(
                "Only the engine rapidocr on the CPU can be tuned: "
                "unset NIGHTSHIFT_OCR_ENGINE and NIGHTSHIFT_OCR_DEVICE."
            )
        if not int8.is_supported():
            raise UsageError(
                "This CPU has no instructions for int8 (AVX512-VNNI, AVX-VNNI, AMX): int8 would gain nothing."
            )
        int8.check_installed()
        self.settings = settings
        self.files = weights.onnx_files(settings.ocr_model_dir)
        self.models = _models(settings, weights.onnx_models(settings.ocr_model_dir))
        self._found = list[Image]()
        here = asking_here(self.models)

        def ask(kind: Kind, images: Sequence[Image]) -> list[Answer]:
            if kind == "recognize":
                self._found.extend(images)
            return here(kind, images)

        self._engine = AskingEngine(settings, self.models.info, recipe_of(settings), ask)

    def page(self, image: Image, printed: tuple[str, ...] | None) -> Page:
        """The lines of an RGB page."""
        self._found.clear()
        self._engine.read(image)
        return Page(tuple(self._found), printed)


def split(pages: Sequence[Page], most: int) -> tuple[list[Image], list[Page]]:
    """At most `most` lines to calibrate on, spread over their pages, and the pages held out.

    Raises `UsageError` if there are too few lines for either.
    """
    held_out = [page for number, page in enumerate(pages) if number % HELD_OUT == HELD_OUT - 1]
    lines = [line for n, page in enumerate(pages) if n % HELD_OUT != HELD_OUT - 1 for line in page.lines]
    compared = sum(len(page.lines) for page in held_out)
    if min(len(lines), compared) < LEAST_LINES:
        raise UsageError(
            f"Too few lines: {len(lines)} to calibrate on and {compared} on held-out pages, at least {LEAST_LINES} "
            "of each are needed: give more pages."
        )
    return lines[:: max(1, len(lines) // most)][:most], held_out


def tune(cutter: Cutter, pages: Sequence[Page], most: int, target: Path, *, force: bool) -> Tuned:
    """Quantise, compare, and write the models to the folder `target` if int8 is worth it.

    Raises as `split`, `refuse_existing` and `int8.quantise` do; `RunError` if the folder can't be written.
    """
    lines, held_out = split(pages, most)
    refuse_existing(target, force=force)
    name = f"{cutter.files.name}-int8-{len(lines)}-lines"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as room:
            draft = Path(room, "new")
            for part in ("det", "rec"):
                (draft / part).mkdir(parents=True)
            recognition = draft / "rec" / "inference.onnx"
            int8.quantise(cutter.files.recognition, lines, recognition, {weights.NAME_KEY: name})
            shutil.copyfile(cutter.files.detection, draft / "det" / "inference.onnx")
            tuned = _compare(cutter, draft, name, len(lines), held_out)
            if tuned.kept:
                (draft / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(tuned)))
                _replace(draft, target, Path(room, "old"))
    except OSError as error:
        raise RunError(f"{target} can't be written ({error.strerror}): name another folder.") from error
    return tuned


def _replace(draft: Path, target: Path, aside: Path) -> None:
    """Give `draft` the name `target`; what has it goes `aside`, and comes back if that fails."""
    if not target.exists():
        draft.rename(target)
        return
    target.rename(aside)
    try:
        draft.rename(target)
    except BaseException:
        aside.rename(target)
        raise


def refuse_existing(target: Path, *, force: bool) -> None:
    """Raise `UsageError` if `target` exists, or with `force` if it was not written by `tune`."""
    if not target.exists():
        return
    if not force:
        raise UsageError(f"{target} already exists: name another folder, or use --force to replace it.")
    if not target.is_dir() or (any(target.iterdir()) and not (target / CARD).is_file()):
        raise UsageError(
            f"{target} is not a tuned model, so --force does not replace it: name another folder."
        )


def decide(loss: float, speed: float) -> tuple[bool, str]:
    """Whether the int8 model is kept, and why; `loss` of character F1, `speed` as multiple of the float model's."""
    if loss >= LOSS:
        return False, f"it loses {loss:.4f} of character F1, {LOSS} or more; the float model stays in use"
    if speed < GAIN:
        return False, f"it is {speed:.2f} times as fast, less than {GAIN}; the float model stays in use"
    return True, f"it is {speed:.2f} times as fast and loses {max(loss, 0):.4f} of character F1"


def character_f1(read: Texts, expected: Texts) -> float:
    """F1 of the characters of each page as a bag, spaces between words included (NFKC, capitals as small letters)."""
    hits = total = 0
    for found, printed in zip(map(_bag, read), map(_bag, expected), strict=True):
        hits += (found & printed).total()
        total += found.total() + printed.total()
    return 2 * hits / total if total else 1.0


def _bag(lines: Iterable[str]) -> Counter[str]:
    texts = (" ".join(unicodedata.normalize("NFKC", line).casefold().split()) for line in lines)
    return Counter(character for text in texts for character in text)


def _compare(cutter: Cutter, folder: Path, name: str, calibrated: int, pages: Sequence[Page]) -> Tuned:
    small = folder / "rec" / "inference.onnx"
    models = _models(cutter.settings, {"recognize": small})
    characters = recipe_of(cutter.settings).characters
    read, seconds = interleaved(pages, (_reader(cutter.models, characters), _reader(models, characters)))
    labelled = all(page.printed is not None for page in pages)
    expected = [list(page.printed or ()) for page in pages] if labelled else read[0]
    before, after = (character_f1(texts, expected) for texts in read)
    files = (cutter.files.recognition, small)
    kept, reason = decide(before - after, seconds[0] / max(seconds[1], 1e-9))
    first, second = (
        Figures(named, path.stat().st_size, f1, spent)
        for named, path, f1, spent in zip(
            (cutter.files.name, name), files, (before, after), seconds, strict=True
        )
    )
    compared = sum(len(page.lines) for page in pages)
    return Tuned(
        first, second, "labels" if labelled else "float", calibrated, compared, len(pages), kept, reason
    )


Read = Callable[[Image], tuple[str, float]]
"""Read a line: text and confidence (0..1)."""


def interleaved(pages: Sequence[Page], readers: tuple[Read, Read]) -> tuple[tuple[Texts, Texts], list[float]]:
    """What two models read on each page, and their processor seconds; line by line in turn, each one first as often.

    Each line is read twice and the second time counts: a new width is compiled at the first.
    """
    texts: tuple[Texts, Texts] = ([], [])
    seconds = [0.0, 0.0]
    for page in pages:
        for each in texts:
            each.append([])
        for number, line in enumerate(page.lines):
            for which in (0, 1) if number % 2 else (1, 0):
                readers[which](line)
                started = time.thread_time()
                text, confidence = readers[which](line)
                seconds[which] += time.thread_time() - started
                if confidence >= MIN_CONFIDENCE:
                    texts[which][-1].append(text)
    return texts, seconds


def _reader(models: OpenVinoModels, characters: Sequence[str]) -> Read:
    return lambda line: text_of(models.run("recognize", [line])[0], characters)


def _models(settings: OcrSettings, files: Mapping[Kind, Path]) -> OpenVinoModels:
    return OpenVinoModels(identity.of_rapid(settings), files, threads=1)
