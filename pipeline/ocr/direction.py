"""A line before and after the line-direction classifier: its head, and whether it is upside down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from pipeline.ocr.batched import Answer
from pipeline.ocr.cuts import Image

HEIGHT, WIDTH = 48, 192
"""Input of PP-OCR's classifier in pixels; narrower lines are padded."""
WIDEST = 6
"""Lines are squeezed to 4:1 for the classifier; wider than WIDEST times their height it becomes unreliable."""


def head_of(crop: Image) -> Image:
    """The head of a line image (h, w, 3), scaled to (HEIGHT, n, 3), n at most WIDTH."""
    head = np.ascontiguousarray(crop[:, : WIDEST * crop.shape[0]])
    scaled = min(WIDTH, math.ceil(HEIGHT * (head.shape[1] / head.shape[0])))
    return cast(Image, cv2.resize(head, (scaled, HEIGHT), interpolation=cv2.INTER_LINEAR))


def upside_down(answers: Sequence[Answer]) -> float:
    """Share of the lines that are upside down, 0..1."""
    return sum(int(probabilities.argmax()) for (probabilities,) in answers) / len(answers)
