"""A line of text before and after recognition: scaled to the recogniser's height, and its text out of the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from pipeline.ocr.batched import Answer
from pipeline.ocr.cuts import Image

LINE_HEIGHT = 48
"""Input height of the recogniser in pixels."""
LINE_STEP = 32
"""Line widths are padded to a multiple: a runtime compiles each new width once, so there should be few."""
MIN_WIDTH = 128
MAX_WIDTH = 3200
"""Bounds of a line image in pixels; longer lines are squeezed (PaddleOCR's limit)."""


def scale_line(crop: Image) -> Image:
    """Scale an upright line image (h, w, 3) to (LINE_HEIGHT, n, 3), n at most MAX_WIDTH."""
    height, width = crop.shape[:2]
    scaled = min(math.ceil(LINE_HEIGHT * width / height), MAX_WIDTH)
    # bilinear interpolation skips pixels when shrinking by more than two
    method = cv2.INTER_AREA if height > 2 * LINE_HEIGHT else cv2.INTER_LINEAR
    return cast(Image, cv2.resize(crop, (scaled, LINE_HEIGHT), interpolation=method))


def padded_width(width: int) -> int:
    """Width in pixels that a scaled line is padded to, at its right."""
    return max(MIN_WIDTH, math.ceil(width / LINE_STEP) * LINE_STEP)


def text_of(answer: Answer, characters: Sequence[str]) -> tuple[str, float]:
    """Text of a line and its mean confidence (0..1, five digits), from the best class of each column.

    Class 0 is no character, n is `characters[n - 1]`, and the one after the last a space; a class repeated from
    column to column is one character (CTC).
    """
    classes, confidences = answer
    kept = classes != 0
    kept[1:] &= classes[1:] != classes[:-1]
    text = "".join(characters[n - 1] if n <= len(characters) else " " for n in classes[kept].tolist())
    sure = confidences[kept].astype(np.float64).round(5)
    return text, float(sure.mean().round(5)) if len(sure) else 0.0
