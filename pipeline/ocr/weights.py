"""Locate the model files of an engine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from pipeline.errors import ModelMissing
from pipeline.ocr.onnx_metadata import metadata

if TYPE_CHECKING:
    from pipeline.ocr.batched import Kind

DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"
DIRECTION = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
NAME = "PP-OCRv6_small"
"""Name of the model pair in the wheel, and on Paddle's hub (with `_det`, `_rec`)."""
NAME_KEY = "nightshift.name"
"""Key of the metadata of a recogniser that gives its name in results; without it, that of the folder."""


class Files(msgspec.Struct, frozen=True):
    """A detection and a recognition model: single files for ONNX, folders for PaddleOCR.

    `weights` are all files that the digest covers; none for hub models.
    """

    name: str
    source: Literal["wheel", "folder", "hub"]
    detection: Path
    recognition: Path
    weights: tuple[Path, ...]


def onnx_files(model_dir: str | None) -> Files:
    """The ONNX pair of `model_dir`, or of the wheel; raises `ModelMissing` naming the missing file."""
    if model_dir is None:
        detection, recognition = wheel_file(DETECTION), wheel_file(RECOGNITION)
        return Files(NAME, "wheel", detection, recognition, (detection, recognition))
    folder = _folder(model_dir)
    detection = present(folder / "det" / "inference.onnx")
    recognition = present(folder / "rec" / "inference.onnx")
    name = metadata(recognition).get(NAME_KEY, folder.name)
    return Files(name, "folder", detection, recognition, (detection, recognition))


def onnx_models(model_dir: str | None) -> dict[Kind, Path]:
    """The three models of the default engine: the pair of `onnx_files` and the wheel's line-direction classifier."""
    files = onnx_files(model_dir)
    return {"detect": files.detection, "recognize": files.recognition, "direction": wheel_file(DIRECTION)}


def paddle_files(model_dir: str | None, *, download: bool) -> Files:
    """Models for PaddleOCR to load: folders of `model_dir`, the hub's names, or the wheel's ONNX files.

    Raises `ModelMissing` naming the missing file.
    """
    if model_dir is None and download:
        return Files(NAME, "hub", Path(f"{NAME}_det"), Path(f"{NAME}_rec"), ())
    if model_dir is None:
        return onnx_files(None)
    folder = _folder(model_dir)
    parts = folder / "det", folder / "rec"
    files = tuple(file for part in parts for file in _paddle_part(part))
    return Files(folder.name, "folder", *parts, files)


def is_onnx(folder: Path) -> bool:
    """Whether a model folder contains ONNX rather than Paddle weights."""
    return (folder / "inference.onnx").is_file()


def wheel_file(name: str) -> Path:
    """Path of a model that ships in the rapidocr wheel; does not import rapidocr.

    Raises `ModelMissing` if rapidocr, or the file in it, is missing.
    """
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(
            "The package rapidocr, which contains the OCR models, is not installed: install it."
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    if not path.is_file():
        raise ModelMissing(f"{path} is missing from the rapidocr package: install rapidocr 3.10 again.")
    return path


def present(path: Path) -> Path:
    """Return `path` if it is a file; raises `ModelMissing` naming it if not."""
    if not path.is_file():
        raise ModelMissing(f"The OCR model file {path} is missing: add it or choose another folder.")
    return path


def characters(recognition: Path) -> list[str]:
    """The character list of a recognition ONNX, from its metadata.

    Raises `ModelMissing` if it has none.
    """
    text = metadata(recognition).get("character")
    if text is None:
        raise ModelMissing(
            f"{recognition} has no list of characters in its metadata ('character'): use the model "
            "that RapidOCR publishes, or use the engine paddleocr with an inference.yml next to it."
        )
    return text.splitlines()


def _folder(model_dir: str) -> Path:
    folder = Path(model_dir).absolute()
    if not folder.is_dir():
        raise ModelMissing(f"The OCR model folder {folder} does not exist: it must contain det/ and rec/.")
    return folder


def _paddle_part(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise ModelMissing(f"The OCR model folder {folder} does not exist.")
    config = present(folder / "inference.yml")
    if is_onnx(folder):
        return folder / "inference.onnx", config
    graphs = [folder / name for name in ("inference.json", "inference.pdmodel")]
    graph = next((path for path in graphs if path.is_file()), None)
    if graph is None:
        raise ModelMissing(
            f"No model found in {folder}: inference.onnx, or inference.json with inference.pdiparams, is missing."
        )
    return graph, present(folder / "inference.pdiparams"), config
