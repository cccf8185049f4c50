"""Which model files an engine reads, where they lie, and what to say when they don't."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.errors import ModelMissing
from pipeline.ocr import telemetry

DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"
DIRECTION = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
NAME = "PP-OCRv6_small"
"""Name of the pair in the wheel, and of the pair on Paddle's hub (with `_det`, `_rec`)."""


class Files(msgspec.Struct, frozen=True):
    """A detection and a recognition model: single files for ONNX, folders for PaddleOCR.

    `weights` are all files whose bytes count; none when the hub has them.
    """

    name: str
    source: Literal["wheel", "folder", "hub"]
    detection: Path
    recognition: Path
    weights: tuple[Path, ...]


def onnx_files(model_dir: str | None) -> Files:
    """The ONNX pair of `model_dir`, or of the wheel; raises `ModelMissing` naming what is not there."""
    if model_dir is None:
        detection, recognition = wheel_file(DETECTION), wheel_file(RECOGNITION)
        return Files(NAME, "wheel", detection, recognition, (detection, recognition))
    folder = _folder(model_dir)
    detection = present(folder / "det" / "inference.onnx")
    recognition = present(folder / "rec" / "inference.onnx")
    return Files(folder.name, "folder", detection, recognition, (detection, recognition))


def paddle_files(model_dir: str | None, *, download: bool) -> Files:
    """What PaddleOCR is to load: folders of `model_dir`, the hub's names, or the wheel's ONNX files.

    Raises `ModelMissing` naming the file that is not there.
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
    """Whether a model folder holds ONNX rather than Paddle weights."""
    return (folder / "inference.onnx").is_file()


def wheel_file(name: str) -> Path:
    """Path of a model that ships in the rapidocr wheel; does not import rapidocr.

    Raises `ModelMissing` when rapidocr, or the file in it, is not there.
    """
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing("The package rapidocr, which carries the OCR models, is not installed.")
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    if not path.is_file():
        raise ModelMissing(f"The rapidocr package lacks its model {path}: install rapidocr 3.10 again.")
    return path


def present(path: Path) -> Path:
    """Give `path` back if it is a file; raises `ModelMissing` naming it if not."""
    if not path.is_file():
        raise ModelMissing(f"The OCR model file {path} is missing: put it there or choose another folder.")
    return path


def characters(recognition: Path) -> list[str]:
    """The characters a recognition ONNX knows, from its metadata.

    Raises `ModelMissing` when it carries none.
    """
    telemetry.decline()
    import openvino

    model = openvino.Core().read_model(recognition)
    if not model.has_rt_info(["framework", "character"]):
        raise ModelMissing(
            f"{recognition} has no list of characters in its metadata ('character'): take the model "
            "that RapidOCR publishes, or use the engine paddleocr with an inference.yml beside it."
        )
    text: str = model.get_rt_info(["framework", "character"]).value
    return text.splitlines()


def _folder(model_dir: str) -> Path:
    folder = Path(model_dir).absolute()
    if not folder.is_dir():
        raise ModelMissing(f"The OCR model folder {folder} does not exist: it must hold det/ and rec/.")
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
            f"{folder} holds no model: inference.onnx, or inference.json with inference.pdiparams, is missing."
        )
    return graph, present(folder / "inference.pdiparams"), config
