"""Models that compute whole batches of images of one size.

Lines are padded no further than each alone would be: wider buckets change what is read (docs/explanation/device.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.models import ModelInfo
from pipeline.ocr import direction
from pipeline.ocr.batched import Answer, DeviceLost, DeviceMemory, Kind
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import padded_width
from pipeline.ocr.tensors import Table, batch_of

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
        return height, direction.WIDTH if kind == "direction" else padded_width(width)

    def most(self, kind: Kind, size: tuple[int, int]) -> int:
        """How many images a batch may hold."""
        return max(1, MOST[kind] // (size[0] * size[1])) if self._together else 1

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute one batch of images of one bucket, answers in order; raises as `compute`."""
        size = self.size_of(kind, *images[0].shape[:2])
        parts = self.compute(kind, batch_of(images, *size, self.tables[kind]))
        return list(zip(*parts, strict=True))


_TOO_LARGE = (
    "out of memory",
    "resourceexhausted",
    "failed to allocate",
    "bad_alloc",
    "bad alloc",
    "alloc_failed",
)
_OF_IMAGE = ("status_not_supported", "status_bad_param")  # a shape that cuDNN does not take: it works on
_LOST = ("cuda error", "cuda failure", "cudnn", "cublas", "device is lost")


def as_device_error(error: Exception) -> Exception:
    """What an error of a runtime means, by its text: the runtimes have no types for it."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(words in text for words in _TOO_LARGE):
        return DeviceMemory(str(error))
    if any(words in text for words in _OF_IMAGE):
        return error
    return DeviceLost(str(error)) if any(words in text for words in _LOST) else error
