"""Who is compared, each in a fair setting: how it is started, and where its text is afterwards."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import programs, servers
from .run import Run, module, read_lines
from .stored import lines_of


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Contender:
    """One row of the table.

    `setting`: what is compared, in a sentence. `command` starts it on a run, whose `lines` it has read afterwards.
    `missing`: why it cannot run here and what to do, or `None`. `hint`: what may help if it fails. `parts`: packages or
    programs with a version.
    """

    name: str
    label: str
    setting: str
    command: Callable[[Run], list[str]]
    lines: Callable[[Run], list[list[str]]] = read_lines
    missing: Callable[[], str | None] = _nothing
    parts: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = (0,)
    uses_servers: bool = False
    hint: str = ""

    def versions(self) -> dict[str, str]:
        """Version of each part."""
        return {part: version_of(part) for part in self.parts}


def version_of(part: str) -> str:
    """Version of an installed package, or else the one that a program prints."""
    try:
        return version(part)
    except PackageNotFoundError:
        done = subprocess.run([part, "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+(\.\d+)+\S*", done.stdout + done.stderr)
        return found[0] if found else "unknown"


def _nightshift(run: Run) -> list[str]:
    command = str(Path(sys.executable).parent / "nightshift")
    options = ("--out", str(run.folder / "store"), "--workers", "1", "--show", "0")
    return [command, "--no-progress", "run", *run.paths, *options]


def _nightshift_lines(run: Run) -> list[list[str]]:
    from pipeline.settings import Settings
    from pipeline.storage import open_store

    url = str(run.folder / "store")
    found = lines_of(open_store(url, Settings.from_env({}, store_url=url)))
    return [found[page.path.name] for page in run.pages]


def _loop(engine: str, run: Run) -> list[str]:
    return module("loop", engine, run.folder, *run.paths)


def consumer(engine: str, run: Run) -> list[str]:
    """A plain consumer of an engine of `engines.py`."""
    return module("consumer", engine, run.folder, run.servers, *run.paths)


def night(run: Run, ocr: str = "", ner: str = "") -> list[str]:
    """The night, with the default engines unless others are named."""
    from pipeline.settings import Settings

    default = Settings.from_env({})
    engines = (ocr or default.ocr_engine, ner or default.ner_engine)
    return module("night", *engines, run.folder, run.servers, *run.paths)


def _package(name: str, extra: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        try:
            version(name)
        except PackageNotFoundError:
            return f"{name} is not installed: {extra}"
        return None

    return missing


NO_PADDLEOCR = _package("paddleocr", "make setup")
WITH_NER = "with entities, fields, checkpoints and tables"


def _plain(engine: str, label: str) -> Contender:
    installed = _package(engine, "make setup")
    return Contender(
        f"consumer-{engine}",
        f"consumer, {label}",
        f"pika, prefetch 1, one call of {label} with its defaults at a time, results in S3, without entities",
        partial(consumer, engine),
        missing=lambda: servers.missing() or installed(),
        parts=(engine, "pika", "boto3"),
        uses_servers=True,
    )


CONTENDERS: tuple[Contender, ...] = (
    Contender(
        "run",
        "nightshift run",
        f"nightshift run --workers 1, default settings, {WITH_NER}",
        _nightshift,
        _nightshift_lines,
        parts=("nightshift", "rapidocr", "openvino"),
        exit_codes=(0, 3),
    ),
    Contender(
        "night",
        "the night",
        "RabbitMQ, one Celery worker of one process, S3, default settings, with entities, fields and checkpoints; "
        "without beat, so without tables",
        night,
        missing=servers.missing,
        parts=("nightshift", "celery", "rapidocr", "openvino"),
        uses_servers=True,
    ),
    Contender(
        "rapidocr",
        "RapidOCR",
        "defaults (onnxruntime), one call per page",
        partial(_loop, "rapidocr"),
        parts=("rapidocr", "onnxruntime"),
    ),
    Contender(
        "rapidocr-best",
        "RapidOCR, best",
        "OpenVINO, no classifier of line directions, detection at 960 pixels, lines one by one",
        partial(_loop, "rapidocr-best"),
        parts=("rapidocr", "openvino"),
    ),
    Contender(
        "paddleocr",
        "PaddleOCR",
        "defaults, onnxruntime with the weights of rapidocr, one call per page",
        partial(_loop, "paddleocr"),
        missing=NO_PADDLEOCR,
        parts=("paddleocr", "paddlex", "onnxruntime"),
    ),
    Contender(
        "paddleocr-best",
        "PaddleOCR, best",
        "the same, one call of predict for the list of all pages, detection at 960 pixels",
        partial(_loop, "paddleocr-best"),
        missing=NO_PADDLEOCR,
        parts=("paddleocr", "paddlex", "onnxruntime"),
    ),
    _plain("rapidocr", "RapidOCR"),
    _plain("paddleocr", "PaddleOCR"),
    Contender(
        "tesseract",
        "Tesseract",
        "one process for all pages of a language; the language of each page is given (eng, chi_sim+eng)",
        programs.tesseract,
        programs.tesseract_lines,
        programs.no_tesseract,
        parts=("tesseract",),
    ),
    Contender(
        "ocrmypdf",
        "OCRmyPDF",
        "one process per page, the language of each page is given, --jobs 1 --optimize 0, text from the sidecar",
        programs.ocrmypdf,
        programs.ocrmypdf_lines,
        programs.no_ocrmypdf,
        parts=("ocrmypdf", "tesseract"),
    ),
    Contender(
        "docling",
        "docling",
        "one process for all pages, defaults, offline",
        programs.docling,
        programs.docling_lines,
        programs.no_docling,
        parts=("docling",),
        hint="If its models are missing: docling-tools models download",
    ),
)


def chosen(names: list[str]) -> list[Contender]:
    """The contenders of these names, in the order of the table; all where there is none.

    Raises `ValueError` for an unknown name.
    """
    known = {contender.name: contender for contender in CONTENDERS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"Unknown contender {unknown[0]}: choose from {', '.join(known)}.")
    return [one for one in CONTENDERS if not names or one.name in names]
