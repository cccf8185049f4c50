"""PaddleOCR 3.7: Paddle weights on CPU or GPU, or ONNX weights on onnxruntime.

PaddleOCR's own detection and recognition modules, driven by the same page flow as the default engine,
so rotated pages, long receipts and boxes are handled the same way by both engines. Without a model
folder and without permission to download, the ONNX weights of the rapidocr wheel are used.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelMissing, UsageError
from pipeline.ocr import identity, weights
from pipeline.ocr.base import PageReading
from pipeline.ocr.cuts import Image, Quads
from pipeline.ocr.direction import LineDirection
from pipeline.ocr.reading import detection_side, read_page

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings

BATCH = {"cpu": 1, "gpu": 32}
"""Lines per batch: on a CPU larger batches only add padding."""
_SHAPE = [3, 48, 320]
_STEPS: dict[str, list[dict[str, Any]]] = {
    "det": [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"DetResizeForTest": None},
        {
            "NormalizeImage": {
                "mean": [0.5, 0.5, 0.5],
                "order": "hwc",
                "scale": "1./255.",
                "std": [0.5, 0.5, 0.5],
            }
        },
        {"ToCHWImage": None},
    ],
    "rec": [
        {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
        {"RecResizeImg": {"image_shape": _SHAPE}},
    ],
}
_BOXES = {
    "name": "DBPostProcess",
    "thresh": 0.3,
    "box_thresh": 0.6,
    "max_candidates": 1000,
    "unclip_ratio": 1.5,
}


class PaddleEngine:
    """PP-OCR through PaddleOCR's modules; one instance per thread (PaddleOCR issue 18268).

    `ocr_model_dir`: `det/` and `rec/`, each with `inference.yml` and either `inference.onnx` or
    `inference.json` and `inference.pdiparams`. Raises `ModelMissing` for files that are missing or can't
    be fetched, `UsageError` for an unusable device.
    """

    def __init__(self, settings: OcrSettings) -> None:
        self.info = identity.of_paddle(settings)
        files = weights.paddle_files(settings.ocr_model_dir, download=settings.ocr_download)
        detection, recognition = files.detection, files.recognition
        if files.source == "wheel":
            detection, recognition = cached_onnx_dirs()
        self._max_side = settings.ocr_max_side
        self._batch = BATCH[kind_of_device(settings.ocr_device)]
        self._detector, self._recognizer = (
            _module(kind, folder, settings, hub=files.source == "hub")
            for kind, folder in (("TextDetection", detection), ("TextRecognition", recognition))
        )
        cv2.setNumThreads(settings.ocr_threads)
        self._direction = LineDirection(settings.ocr_threads)

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel."""
        return read_page(image, self, self._direction, self._max_side)

    def detect(self, image: Image) -> Quads:
        """Find the lines of a BGR page: (n, 4, 2)."""
        side = detection_side(image.shape[0], image.shape[1], self._max_side)
        (found,) = self._detector.predict(
            image, limit_side_len=side, limit_type="max", max_side_limit=max(side, 4000)
        )
        return np.asarray(found["dt_polys"], np.float32).reshape(-1, 4, 2)

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        """Read upright BGR line images: text and confidence."""
        if not crops:
            return []
        # sorted by width: a batch is padded to its longest line
        order = sorted(range(len(crops)), key=lambda i: crops[i].shape[1] / crops[i].shape[0])
        read = self._recognizer.predict([crops[i] for i in order], batch_size=self._batch)
        found = {i: (line["rec_text"], float(line["rec_score"])) for i, line in zip(order, read, strict=True)}
        return [found[i] for i in range(len(crops))]


def kind_of_device(device: str) -> str:
    """`cpu` or `gpu`, from `cpu`, `gpu` or `gpu:N`; raises `UsageError` for anything else."""
    kind, _, number = device.partition(":")
    if kind not in BATCH or (number and not number.isdecimal()):
        raise UsageError(f"Invalid OCR device '{device}': use cpu, gpu or gpu:N.", code="unknown_device")
    return kind


def prepare_onnx_dirs(target: Path) -> tuple[Path, Path]:
    """Copy the wheel's ONNX weights to the layout that PaddleOCR expects: `target/det` and `target/rec`.

    Each contains `inference.onnx` and `inference.yml`; existing files are replaced. Raises `ModelMissing`.
    """
    import yaml

    files = weights.onnx_files(None)
    alphabet = weights.characters(files.recognition)
    decoders: dict[str, dict[str, Any]] = {
        "det": _BOXES,
        "rec": {"name": "CTCLabelDecode", "character_dict": alphabet},
    }
    for part, source in (("det", files.detection), ("rec", files.recognition)):
        folder = target / part
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / "inference.onnx")
        config = {
            "Global": {"model_name": f"{files.name}_{part}"},
            "PreProcess": {"transform_ops": _STEPS[part]},
            "PostProcess": decoders[part],
        }
        (folder / "inference.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return target / "det", target / "rec"


def cached_onnx_dirs() -> tuple[Path, Path]:
    """`prepare_onnx_dirs`, once per user: atomically under `$XDG_CACHE_HOME/nightshift/models/`."""
    files = weights.onnx_files(None)
    digest = "-".join(
        [*(identity.file_digest(path)[:16] for path in files.weights), f"v{identity.READING_VERSION}"]
    )
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nightshift" / "models"
    final = root / digest
    if not final.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root) as scratch:
            prepare_onnx_dirs(Path(scratch) / "new")
            try:
                (Path(scratch) / "new").rename(final)
            except OSError:
                if not final.is_dir():  # else another process was first, with the same files
                    raise
    return final / "det", final / "rec"


def _module(kind: str, folder: Path, settings: OcrSettings, *, hub: bool) -> Any:
    # paddlex probes four hosts on import
    os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")
    import paddleocr

    logging.getLogger("paddlex").setLevel(logging.ERROR)
    onnx = not hub and weights.is_onnx(folder)
    _check_device(settings.ocr_device, onnx=onnx)
    options = _options(folder, settings, hub=hub, onnx=onnx)
    try:
        return getattr(paddleocr, kind)(device=settings.ocr_device, **options)
    except Exception as error:
        if hub:
            raise ModelMissing(
                f"The model {folder.name} could not be fetched from any hub ({type(error).__name__}): allow "
                "network access, set ocr_model_dir to a local copy, or turn ocr_download off to use the "
                "weights of the rapidocr package."
            ) from error
        raise


def _options(folder: Path, settings: OcrSettings, *, hub: bool, onnx: bool) -> dict[str, Any]:
    threads = settings.ocr_threads
    if hub:
        return {"model_name": folder.name, "engine": "paddle", "cpu_threads": threads}
    options: dict[str, Any] = {"model_name": _model_name(folder), "model_dir": str(folder)}
    if onnx:
        config = {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
        return {**options, "engine": "onnxruntime", "engine_config": config}
    return {**options, "engine": "paddle", "cpu_threads": threads}


def _model_name(folder: Path) -> str:
    import yaml

    config = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))
    try:
        return str(config["Global"]["model_name"])
    except (KeyError, TypeError) as error:
        raise ModelMissing(f"{folder / 'inference.yml'} names no model (Global.model_name).") from error


def _check_device(device: str, *, onnx: bool) -> None:
    if device == "cpu":
        return
    if onnx:
        import onnxruntime

        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            return
        missing = "onnxruntime-gpu is not installed"
    else:
        import paddle

        if paddle.device.is_compiled_with_cuda():
            return
        missing = "the installed paddlepaddle has no CUDA"
    raise UsageError(f"The OCR device '{device}' can't be used: {missing}.", code="unknown_device")
