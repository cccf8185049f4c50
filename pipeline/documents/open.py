"""Open a document: bytes in, pages out, whatever the type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.documents.base import Document
from pipeline.documents.sniff import SNIFF_BYTES, sniff
from pipeline.errors import OverLimit
from pipeline.limits import Limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def open_document(data: bytes, limits: Limits) -> Document:
    """Open a document; use it as a context manager.

    Raises `Unsupported`, `Unreadable`, `Encrypted` or `OverLimit`.
    """
    if len(data) > limits.max_bytes:
        raise OverLimit(
            f"The file is {_mebibytes(len(data))} MiB, more than the limit of"
            f" {_mebibytes(limits.max_bytes)} MiB: split it, or raise NIGHTSHIFT_MAX_BYTES."
        )
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type == "application/pdf":
        from pipeline.documents.pdf import PdfFile

        return PdfFile(data, limits)
    from pipeline.documents.images import ImageFile

    return ImageFile(data, media_type, limits)


def page_image(data: bytes, number: int, rotation: int, limits: Limits) -> NDArray[np.uint8]:
    """Render a stored page in the frame of its boxes: as `open_document` returns it, rotated clockwise.

    `rotation` is `Page.rotation` (0, 90, 180, 270 degrees). Returns RGB of shape (height, width, 3).
    Raises what `open_document` and `Document.render` raise.
    """
    import numpy as np

    with open_document(data, limits) as document:
        return np.ascontiguousarray(np.rot90(document.render(number), -rotation // 90))


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.1f}".removesuffix(".0")
