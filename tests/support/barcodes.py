"""Pictures of barcodes, made for tests."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray


def barcode(text: str | bytes, kind: str = "QRCode", scale: int = 3) -> NDArray[np.uint8]:
    """A barcode with its quiet zone, gray: shape (height, width)."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[kind])
    return np.array(made.to_image(scale=scale, add_quiet_zones=True), np.uint8)


def sheet(
    *placed: tuple[NDArray[np.uint8], int, int], size: tuple[int, int] = (800, 600)
) -> NDArray[np.uint8]:
    """A white RGB page of that width and height, with pictures at their left and top."""
    page = np.full((size[1], size[0], 3), 255, np.uint8)
    for picture, left, top in placed:
        height, width = picture.shape
        page[top : top + height, left : left + width] = picture[:, :, None]
    return page


def squares(text: str, left: float, bottom: float, module: float = 1.5) -> bytes:
    """PDF operators that draw a QR code as small filled squares."""
    dark = barcode(text, scale=1) < 128
    rows, _ = dark.shape
    drawn = [
        b"%.2f %.2f %.2f %.2f re f" % (left + x * module, bottom + (rows - 1 - y) * module, module, module)
        for y, x in np.argwhere(dark)
    ]
    return b"\n".join(drawn) + b"\n"
