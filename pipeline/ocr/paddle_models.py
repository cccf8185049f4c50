"""The models of PaddleOCR's detection and recognition modules, without what the modules do before and after computing.

The line-direction classifier is that of the rapidocr wheel; it computes on the CPU.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelMissing, UsageError
from pipeline.ocr import identity, weights
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image
from pipeline.ocr.openvino_models import OpenVinoModels
from pipeline.ocr.paddle_files import model_name
from pipeline.ocr.tensor_models import TensorModels, as_device_error
from pipeline.ocr.tensors import TABLES, best

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings


class PaddleModels(TensorModels):
    """`BatchModels` of PaddleOCR, Paddle's weights or ONNX ones; an instance belongs to one thread.

    Raises `ModelMissing` for files that are missing or can't be fetched, `UsageError` for an unusable device.
    """

    def __init__(self, settings: OcrSettings, device: str, folders: tuple[Path, Path], *, hub: bool) -> None:
        super().__init__(together=kind_of_device(device) == "gpu")
        self.info = identity.of_paddle(settings)
        threads = settings.ocr_threads
        detector, recognizer = (
            _module(kind, folder, device, threads, hub=hub)
            for kind, folder in zip(("TextDetection", "TextRecognition"), folders, strict=True)
        )
        self._runners: dict[Kind, Any] = {"detect": detector.runner, "recognize": recognizer.runner}
        self.tables = {**TABLES, "detect": _table(detector.pre_tfs["Normalize"])}
        self._direction = OpenVinoModels(
            self.info, {"direction": weights.wheel_file(weights.DIRECTION)}, threads=threads
        )

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute one batch; raises `DeviceMemory`, `DeviceLost`, or what Paddle raises."""
        return self._direction.run(kind, images) if kind == "direction" else super().run(kind, images)

    def compute(self, kind: Kind, batch: NDArray[np.float32]) -> Answer:
        """Compute a batch (n, 3, h, w)."""
        try:
            (scores,) = self._runners[kind](x=[batch])
        except Exception as error:
            raise as_device_error(error) from error
        return (scores[:, 0],) if kind == "detect" else best(scores)


def kind_of_device(device: str) -> str:
    """`cpu` or `gpu`, from `cpu`, `gpu` or `gpu:N`; raises `UsageError` for anything else."""
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "gpu") or (number and not number.isdecimal()):
        raise UsageError(f"Invalid OCR device '{device}': use cpu, gpu or gpu:N.", code="unknown_device")
    return kind


def _table(normalize: Any) -> NDArray[np.float32]:
    """As paddlex normalises a page, in single precision."""
    alpha, beta = (np.array(values, np.float32)[:, None] for values in (normalize.alpha, normalize.beta))
    table: NDArray[np.float32] = np.arange(256, dtype=np.float32) * alpha + beta
    return table


def _module(kind: str, folder: Path, device: str, threads: int, *, hub: bool) -> Any:
    """The predictor of a module of PaddleOCR."""
    # paddlex probes four hosts on import
    os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")
    import paddleocr

    logging.getLogger("paddlex").setLevel(logging.ERROR)
    onnx = not hub and weights.is_onnx(folder)
    _check_device(device, onnx=onnx)
    options = _options(folder, threads, hub=hub, onnx=onnx)
    try:
        return getattr(paddleocr, kind)(device=device, **options).paddlex_predictor
    except Exception as error:
        if hub:
            raise ModelMissing(
                f"The model {folder.name} could not be fetched from any hub ({type(error).__name__}): allow "
                "network access, set ocr_model_dir to a local copy, or turn ocr_download off to use the "
                "weights of the rapidocr package."
            ) from error
        raise


def _options(folder: Path, threads: int, *, hub: bool, onnx: bool) -> dict[str, Any]:
    if hub:
        return {"model_name": folder.name, "engine": "paddle", "cpu_threads": threads}
    options: dict[str, Any] = {"model_name": model_name(folder), "model_dir": str(folder)}
    if onnx:
        config = {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
        return {**options, "engine": "onnxruntime", "engine_config": config}
    return {**options, "engine": "paddle", "cpu_threads": threads}


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
