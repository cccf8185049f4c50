"""Models that compute whole batches: images of one bucket are padded to its size and computed together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.models import ModelInfo
from pipeline.ocr import direction
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import MAX_WIDTH, MIN_WIDTH, padded_width
from pipeline.ocr.tensors import Table, batch_of

WIDTHS = (*range(MIN_WIDTH, 640, 64), *range(640, 1280, 128), *range(1280, MAX_WIDTH + 1, 320))
"""Widths in pixels that lines are padded to on a GPU: few enough that lines of many documents share one."""
MOST: Mapping[Kind, int] = {"detect": 8 * 960 * 704, "recognize": 64 * 48 * 320, "direction": 64 * 48 * 192}
"""Pixels of a batch on a GPU."""


class TensorModels(ABC):
    """`BatchModels` on one device; `together`: whether batches are computed at once, which gains nothing on a CPU."""

    info: ModelInfo
    tables: Mapping[Kind, Table]

    def __init__(self, *, together: bool) -> None:
        self._together = together

    @abstractmethod
    def compute(self, kind: Kind, batch: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Compute a batch (n, 3, h, w): the parts of the answers, each with n as first dimension."""

    def size_of(self, kind: Kind, height: int, width: int) -> tuple[int, int]:
        """Height and width in pixels that such an image is padded to."""
        if kind == "detect":
            return height, width
        if kind == "direction":
            return height, direction.WIDTH
        return height, WIDTHS[bisect_left(WIDTHS, width)] if self._together else padded_width(width)

    def most(self, kind: Kind, size: tuple[int, int]) -> int:
        """How many images a batch may hold."""
        return max(1, MOST[kind] // (size[0] * size[1])) if self._together else 1

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute one batch of images of one bucket, answers in order; raises as `compute`."""
        size = self.size_of(kind, *images[0].shape[:2])
        parts = self.compute(kind, batch_of(images, *size, self.tables[kind]))
        rows = zip(*parts, strict=True)
        return [_cut(kind, image, size, row) for image, row in zip(images, rows, strict=True)]


def _cut(kind: Kind, image: Image, size: tuple[int, int], row: Answer) -> Answer:
    """An answer without what belongs to the padding."""
    height, width = image.shape[:2]
    if kind == "detect":
        return (row[0][:height, :width],)
    if kind == "direction":
        return row
    columns = -(-len(row[0]) * padded_width(width) // size[1])
    return tuple(part[:columns] for part in row)
