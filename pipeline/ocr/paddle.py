"""PaddleOCR 3.7: Paddle weights on CPU or GPU, or ONNX weights on onnxruntime.

The models of PaddleOCR's own detection and recognition modules, driven by the same page flow as the default engine,
so rotated pages, long receipts and boxes are handled the same way by both engines. Without a model
folder and without permission to download, the ONNX weights of the rapidocr wheel are used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.ocr import identity, weights
from pipeline.ocr.asking_engine import AskingEngine, Recipe, asking_here
from pipeline.ocr.batched import Ask, BatchModels
from pipeline.ocr.paddle_files import cached_onnx_dirs, recipe_of
from pipeline.ocr.paddle_models import PaddleModels

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings


class PaddleEngine(AskingEngine):
    """PP-OCR through PaddleOCR's modules; one instance per thread (PaddleOCR issue 18268).

    `ocr_model_dir`: `det/` and `rec/`, each with `inference.yml` and either `inference.onnx` or
    `inference.json` and `inference.pdiparams`. Raises `ModelMissing` for files that are missing or can't
    be fetched, `UsageError` for an unusable device.
    """

    def __init__(self, settings: OcrSettings) -> None:
        models = self.models(settings, settings.ocr_device)
        super().__init__(settings, models.info, _recipe(settings), asking_here(models))

    @staticmethod
    def models(settings: OcrSettings, device: str) -> BatchModels:
        """The models alone, for images of many pages; raises as the engine."""
        files = weights.paddle_files(settings.ocr_model_dir, download=settings.ocr_download)
        folders = cached_onnx_dirs() if files.source == "wheel" else (files.detection, files.recognition)
        return PaddleModels(settings, device, folders, hub=files.source == "hub")

    @staticmethod
    def asking(settings: OcrSettings, ask: Ask) -> AskingEngine:
        """The engine without the models; raises `ModelMissing`, also before they were fetched."""
        return AskingEngine(settings, identity.of_paddle(settings), _recipe(settings), ask)


def _recipe(settings: OcrSettings) -> Recipe:
    files = weights.paddle_files(settings.ocr_model_dir, download=settings.ocr_download)
    if files.source == "wheel":
        return recipe_of(*cached_onnx_dirs())
    if files.source == "folder":
        return recipe_of(files.detection, files.recognition)
    # where paddlex keeps what it fetched
    home = Path(os.environ.get("PADDLE_PDX_CACHE_HOME") or Path.home() / ".paddlex") / "official_models"
    return recipe_of(home / files.detection.name, home / files.recognition.name)
