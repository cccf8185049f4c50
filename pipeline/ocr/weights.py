"""Model files: where they lie, what to say when they don't, and the digest that names them."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

from pipeline.errors import ModelMissing
from pipeline.models import ModelInfo

DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"
DIRECTION = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"


def wheel_file(name: str) -> Path:
    """Path of a model that ships in the rapidocr wheel; does not import rapidocr.

    Raises `ModelMissing` when rapidocr, or the file in it, is not there.
    """
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(
            "The package rapidocr is not installed, and its OCR models with it: pip install rapidocr."
        )
    return present(Path(spec.submodule_search_locations[0]) / "models" / name)


def present(path: Path) -> Path:
    """Give `path` back if it is a file; raises `ModelMissing` naming it if not."""
    if not path.is_file():
        raise ModelMissing(
            f"The OCR model file {path} is missing: put it there, or install rapidocr again if it is in its folder."
        )
    return path


def model_info(
    engine: str,
    name: str,
    *,
    libraries: Sequence[str],
    files: Sequence[Path],
    settings: dict[str, object],
) -> ModelInfo:
    """Digest of everything that changes what is read: file bytes, library versions, settings."""
    identity = {
        "engine": engine,
        "name": name,
        "libraries": {library: metadata.version(library) for library in libraries},
        "files": [file_digest(path) for path in files],
        "settings": settings,
    }
    digest = hashlib.sha256(msgspec.json.encode(identity, order="sorted")).hexdigest()
    return ModelInfo(engine=engine, name=name, digest=digest)


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hex, computed once a process as long as the file stays the same."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@cache
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001  (cache key)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
