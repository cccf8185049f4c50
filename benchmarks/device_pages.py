"""Documents for the benchmarks of the device: a mix of lengths, and pages that look like scans."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

LENGTHS = (1, 1, 1, 1, 2, 3, 5, 8, 20, 60, 200)
"""Pages of documents, equally frequent."""


def lengths(pages: int, each: Sequence[int]) -> list[int]:
    """Pages of each document: a mix of `each` that has so many in all, always the same."""
    draw, found = random.Random(1), list[int]()
    while (left := pages - sum(found)) > 0:
        found.append(min(draw.choice(each), left))
    return found


def scans() -> list[bytes]:
    """Some pages of 150 dpi, as JPEG."""
    draw, found = np.random.default_rng(1), []
    for _ in range(8):
        page = np.full((1754, 1240, 3), 255, np.uint8)
        for line in range(60, 1700, 34):
            for left in range(80, 1100, 16):
                if draw.random() < 0.8:
                    cv2.rectangle(
                        page, (left, line), (left + int(draw.integers(4, 12)), line + 18), (20, 20, 20), 2
                    )
        found.append(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return found


def decoded(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A page as RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image[:, :, ::-1], np.uint8)
