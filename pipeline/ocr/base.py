"""Interface of an OCR engine: an image in, text lines out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from pipeline.models import ModelInfo, Rotation, TextLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PageReading(msgspec.Struct, frozen=True, kw_only=True):
    """The text lines that an engine found on one image.

    `rotation`: degrees by which the image was rotated clockwise to be upright; `width`, `height` and
    all boxes are pixels of the rotated image. `lines` come in any order, `start` unset.
    """

    rotation: Rotation
    width: int
    height: int
    lines: tuple[TextLine, ...]


class OcrEngine(Protocol):
    """An instance belongs to one thread of one process (PaddleOCR issue 18268)."""

    info: ModelInfo

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel."""
        ...
