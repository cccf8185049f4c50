"""Limits per document, checked before the expensive step they guard."""

from __future__ import annotations

import msgspec

UNPACKED_RATIO = 200
"""How many times its own size a container may unpack to; real documents seldom reach a quarter of it ..."""
UNPACKED = 64 * 1024 * 1024
"""... and bytes that any container may unpack to."""


def unpacked_limit(packed: int) -> int:
    """Bytes that a container of so many bytes may unpack to, with the containers in it."""
    return max(UNPACKED, UNPACKED_RATIO * packed)


STARTING = 5.0
"""Seconds beyond NIGHTSHIFT_TIME_LIMIT after which a page hangs: a new process loads its models first."""


class PageTime(msgspec.Struct, frozen=True):
    """Seconds of processor time that a page may take, and seconds after which it counts as hanging."""

    seconds: float
    longest: float


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits per document.

    `max_pixels`: width x height of one page or embedded image as stored. `max_side`: longest side in
    pixels of the image that OCR sees (see `longest_side`); larger pages are scaled down. `render_dpi`: for PDF pages.
    `text_layer`: whether a reliable PDF text layer replaces OCR.
    """

    max_bytes: int = 256 * 1024 * 1024
    max_pages: int = 2000
    max_pixels: int = 100_000_000
    render_dpi: int = 200
    max_side: int = 4000
    text_layer: bool = True

    def longest_side(self, width: float, height: float) -> float:
        """Maximum long side in pixels of a page of this shape: `max_side`, up to 5 times as much for strips.

        Otherwise a paper roll or a long screenshot would be scaled down until it is illegible.
        """
        ratio = max(width, height) / min(width, height)
        return self.max_side * min(max(ratio / 4, 1.0), 5.0)
