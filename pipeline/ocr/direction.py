"""The line-direction classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.ocr import weights
from pipeline.ocr.cuts import Image
from pipeline.ocr.rapid_config import part_config

WIDEST = 6
"""Lines are squeezed to 4:1 for the classifier; wider than WIDEST times their height it becomes unreliable."""


class LineDirection:
    """PP-OCR's line-direction classifier, from the rapidocr wheel on OpenVINO.

    Raises `ModelMissing` if it is missing from the wheel.
    """

    def __init__(self, threads: int) -> None:
        config = part_config("Cls", weights.wheel_file(weights.DIRECTION), threads)
        from rapidocr.ch_ppocr_cls import TextClassifier

        self._classifier: Any = TextClassifier(config)

    def upside_down(self, crops: Sequence[Image]) -> float:
        """Share of the line images (h, w, 3) that are upside down, 0..1."""
        heads = [np.ascontiguousarray(crop[:, : WIDEST * crop.shape[0]]) for crop in crops]
        labels: list[str] = [label for label, _ in self._classifier(heads).cls_res]
        return labels.count("180") / len(labels)
