"""Barcodes on the picture of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.documents.turned import turn_point
from pipeline.models import Code, Rotation

if TYPE_CHECKING:
    import numpy as np
    import zxingcpp
    from numpy.typing import NDArray

MAX_CODES = 20
"""More on a page are left out: a sheet of labels is no invoice."""
MAX_TEXT = 8000
"""Maximum characters of a code; the largest QR code has 7,089."""


def find_codes(image: NDArray[np.uint8], turn: Rotation = 0) -> tuple[Code, ...]:
    """QR codes and the common barcodes of an RGB image; boxes in pixels of the image after a clockwise `turn`.

    About 10 ms for a page at 200 dpi. From top to bottom; codes that say the same are all listed.
    """
    import numpy as np
    import zxingcpp

    kinds = zxingcpp.BarcodeFormat
    height, width = image.shape[:2]
    seen = zxingcpp.read_barcodes(
        np.ascontiguousarray(image[:, :, 1]),  # green: blue, red and black codes are dark in it
        formats=zxingcpp.BarcodeFormats((kinds.QRCode, kinds.Code128, kinds.EAN13)),
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    codes = [
        Code(
            kind="qr" if code.format == kinds.QRCode else "barcode",
            text=code.text,
            box=_box(code.position, turn, width, height),
        )
        for code in seen
    ]
    readable = [code for code in codes if code.text and len(code.text) <= MAX_TEXT]
    return tuple(sorted(readable, key=_place)[:MAX_CODES])


def _box(
    position: zxingcpp.Position, turn: Rotation, width: int, height: int
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]:
    first, second, third, fourth = (
        turn_point((float(corner.x), float(corner.y)), turn, width, height)
        for corner in (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    )
    return first, second, third, fourth


def _place(code: Code) -> tuple[float, float]:
    assert code.box is not None
    return min(y for _, y in code.box), min(x for x, _ in code.box)
