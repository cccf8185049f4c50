"""Interface of the models of an engine where they compute in batches, for images of many pages and documents.

`pipeline.device` holds them in one process a device; the processes that read documents ask it, image by image. What is
scaled, cut, decoded or judged is done by those who ask: the device only normalises and computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from pipeline.models import ModelInfo
from pipeline.ocr.cuts import Image

Kind = Literal["detect", "recognize", "direction"]
"""Which model is asked.

- `detect`: a page scaled for detection, (h, w, 3), both multiples of 32; answer: text probability, float32 (h, w).
- `recognize`: a line scaled to the height of the recogniser, (48, w, 3); answer: best class, int32 (t), and its
  probability, float32 (t), for each of its t columns.
- `direction`: the head of a line, scaled for the classifier; answer: probabilities of upright and upside down,
  float32 (2).
"""

Answer = tuple[NDArray[Any], ...]

Ask = Callable[[Kind, Sequence[Image]], list[Answer]]
"""Compute BGR images of any sizes, answers in order."""


class DeviceMemory(Exception):
    """The images of a batch need more memory together than the device has: try fewer."""


class DeviceLost(Exception):
    """The device, or what the driver keeps of this process, is gone: only another process can go on."""


class BatchModels(Protocol):
    """All models of one engine on one device; an instance belongs to one thread."""

    info: ModelInfo

    def size_of(self, kind: Kind, height: int, width: int) -> tuple[int, int]:
        """Images of equal size share batches; a name, not a size to pad to: `run` pads, where that is needed."""
        ...

    def most(self, kind: Kind, size: tuple[int, int]) -> int:
        """How many images of this size one batch may hold."""
        ...

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute one batch of uint8 images, unpadded, for which `size_of` is the same; answers in order.

        An answer is as large as its image asks for, whatever else is in the batch.

        Raises `DeviceMemory`, `DeviceLost`, or anything else where an image of it can't be computed.
        """
        ...
