"""The default engine: PP-OCRv6 small from the rapidocr wheel, on OpenVINO, on the CPU, offline.

RapidOCR's own detector, recogniser session and decoder, driven line by line: a batch pads every line
to its longest, and on a CPU padding costs as much as text. See `docs/` for measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.ocr import identity, weights
from pipeline.ocr.base import PageReading
from pipeline.ocr.cuts import Image, Quads
from pipeline.ocr.direction import LineDirection
from pipeline.ocr.rapid_config import part_config
from pipeline.ocr.reading import detection_side, read_page

if TYPE_CHECKING:
    from pipeline.ocr import OcrSettings

LINE_HEIGHT = 48
"""Input height of the recogniser in pixels."""
LINE_STEP = 32
"""Line widths are rounded up to a multiple: each new width is compiled once, so there should be few."""
MIN_WIDTH = 128
MAX_WIDTH = 3200
"""Bounds of a line image in pixels; longer lines are squeezed (PaddleOCR's limit)."""


class RapidEngine:
    """PP-OCRv6 through RapidOCR; one instance per thread.

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
        self.info = identity.of_rapid(settings)
        files = weights.onnx_files(settings.ocr_model_dir)
        threads = settings.ocr_threads
        cv2.setNumThreads(threads)
        self._max_side = settings.ocr_max_side
        self._detector, self._recognizer = _models(files.detection, files.recognition, threads)
        self._direction = LineDirection(threads)

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel."""
        return read_page(image, self, self._direction, self._max_side)

    def detect(self, image: Image) -> Quads:
        """Find the lines of a BGR page: (n, 4, 2)."""
        self._detector.limit_side_len = detection_side(image.shape[0], image.shape[1], self._max_side)
        boxes = self._detector(image).boxes
        return np.zeros((0, 4, 2), np.float32) if boxes is None else cast(Quads, boxes.astype(np.float32))

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        """Read upright BGR line images: text and confidence."""
        return [self._recognize_one(crop) for crop in crops]

    def _recognize_one(self, crop: Image) -> tuple[str, float]:
        scores = self._recognizer.session(line_tensor(crop))
        (line,), _ = self._recognizer.postprocess_op(scores)
        return cast("tuple[str, float]", line)


def line_tensor(crop: Image) -> NDArray[np.float32]:
    """Scale a line image (h, w, 3) to the recogniser's input (1, 3, LINE_HEIGHT, n) in -1..1, padded by 0."""
    height, width = crop.shape[:2]
    scaled = min(math.ceil(LINE_HEIGHT * width / height), MAX_WIDTH)
    # bilinear interpolation skips pixels when shrinking by more than two
    method = cv2.INTER_AREA if height > 2 * LINE_HEIGHT else cv2.INTER_LINEAR
    line = cv2.resize(crop, (scaled, LINE_HEIGHT), interpolation=method)
    padded = max(MIN_WIDTH, math.ceil(scaled / LINE_STEP) * LINE_STEP)
    tensor = np.zeros((1, 3, LINE_HEIGHT, padded), np.float32)
    tensor[0, :, :, :scaled] = line.transpose(2, 0, 1)
    tensor[0, :, :, :scaled] *= 1 / 127.5
    tensor[0, :, :, :scaled] -= 1
    return tensor


def _models(detection: Path, recognition: Path, threads: int) -> tuple[Any, Any]:
    # part_config first: it silences RapidOCR's logger, and the parts log as they load
    configs = part_config("Det", detection, threads), part_config("Rec", recognition, threads)
    # without characters in the file RapidOCR would download a list
    weights.characters(recognition)
    from rapidocr.ch_ppocr_det import TextDetector
    from rapidocr.ch_ppocr_rec import TextRecognizer

    return TextDetector(configs[0]), TextRecognizer(configs[1])
