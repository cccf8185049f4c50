"""Identify an engine's model by name and digest without loading it. No heavy imports."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pipeline.errors import ModelMissing
from pipeline.models import ModelInfo
from pipeline.ocr import weights

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings

READING_VERSION = 3
"""Raise it when `reading`, `orientation` or an engine file change what is read."""


def of_rapid(settings: OcrSettings) -> ModelInfo:
    """Identify RapidOCR's model; raises `ModelMissing`."""
    files = weights.onnx_files(settings.ocr_model_dir)
    return _info(settings, files.name, ("rapidocr", "openvino"), files)


def of_paddle(settings: OcrSettings) -> ModelInfo:
    """Identify PaddleOCR's model; raises `ModelMissing`.

    Hub weights are identified by their published name, as they may not be downloaded yet.
    """
    files = weights.paddle_files(settings.ocr_model_dir, download=settings.ocr_download)
    try:
        return _info(settings, files.name, ("paddleocr", "paddlex", "rapidocr"), files)
    except metadata.PackageNotFoundError:
        raise ModelMissing("PaddleOCR is not installed: install 'nightshift[paddleocr]'.") from None


def _info(settings: OcrSettings, name: str, libraries: Sequence[str], files: weights.Files) -> ModelInfo:
    parts = {
        "engine": settings.ocr_engine,
        "name": name,
        "libraries": {library: metadata.version(library) for library in libraries},
        "files": [file_digest(path) for path in (*files.weights, weights.wheel_file(weights.DIRECTION))],
        "max_side": settings.ocr_max_side,
        "version": READING_VERSION,
    }
    digest = hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()
    return ModelInfo(engine=settings.ocr_engine, name=name, digest=digest)


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hex, cached per process as long as the file does not change."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@cache
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001  (part of the cache key)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
