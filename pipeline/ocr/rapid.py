"""The default engine: PP-OCRv6 small from the rapidocr wheel, offline.

RapidOCR's way to scale pages, to make boxes and to decode, driven line by line: a batch pads every line to its longest,
and on a CPU padding costs as much as text. See `docs/` for measurements.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.ocr import identity, weights
from pipeline.ocr.asking_engine import AskingEngine, Recipe, asking_here
from pipeline.ocr.batched import Ask, BatchModels
from pipeline.ocr.onnx_models import OnnxModels
from pipeline.ocr.openvino_models import OpenVinoModels

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings


class RapidEngine(AskingEngine):
    """PP-OCRv6 on OpenVINO; one instance per thread.

    `ocr_model_dir` may contain `det/inference.onnx` and `rec/inference.onnx`. Raises `ModelMissing` for a
    missing file, `UsageError` for a device other than the CPU.
    """

    def __init__(self, settings: OcrSettings) -> None:
        if settings.ocr_device != "cpu":
            raise UsageError(
                f"The engine rapidocr runs on the CPU, not on '{settings.ocr_device}': "
                "use the engine paddleocr for a GPU.",
                code="unknown_device",
            )
        models = _models(settings, streams=1)
        super().__init__(settings, models.info, recipe_of(settings), asking_here(models))

    @staticmethod
    def models(settings: OcrSettings, device: str) -> BatchModels:
        """The models alone, for images of many pages: on all CPUs that this process may use, or on `gpu:N`.

        Raises `ModelMissing`, `UsageError` for a device that can't be used.
        """
        if device != "cpu":
            files = weights.onnx_models(settings.ocr_model_dir)
            return OnnxModels(identity.of_rapid(settings), files, device, threads=settings.ocr_threads)
        return _models(settings, streams=max(1, len(os.sched_getaffinity(0)) // settings.ocr_threads))

    @staticmethod
    def asking(settings: OcrSettings, ask: Ask) -> AskingEngine:
        """The engine without the models; raises `ModelMissing`."""
        return AskingEngine(settings, identity.of_rapid(settings), recipe_of(settings), ask)


def _models(settings: OcrSettings, streams: int) -> OpenVinoModels:
    files = weights.onnx_models(settings.ocr_model_dir)
    info = identity.of_rapid(settings)
    return OpenVinoModels(info, files, threads=settings.ocr_threads, streams=streams)


def recipe_of(settings: OcrSettings) -> Recipe:
    """What the answers of the models mean; raises `ModelMissing`."""
    # without characters in the file RapidOCR would download a list
    return Recipe(tuple(weights.characters(weights.onnx_files(settings.ocr_model_dir).recognition)))
