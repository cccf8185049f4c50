"""Red, blue and green seals over black text: where they are, and the page without them.

Black ink is dark in every channel, red ink is light in the red one, blue and green ink in theirs.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.ocr.cuts import Image, Quads

LOOK = 600
"""Longest side in pixels of the copy of the page on which seals are looked for."""
SAMPLE, SAMPLED = 300, 8
"""Longer side in pixels of a sample of the page, and minimum number of coloured pixels in it."""
COLOUR = 32
"""Minimum lead of the ink's own channel over both others (0..255); half of it at the edges of strokes."""
SMALLEST = 0.045
LARGEST = 0.5
"""Sides of a seal, as shares of the page's longer side (larger ones are photos, or coloured paper)."""
SHAPE = 3.0
"""Maximum ratio of its sides: round, oval, square, or a stamp of some rows."""
SPREAD = (0.04, 0.75)
"""Share of its bounds that is coloured: a frame and letters, no plane."""
DARK = 120
"""Black ink is darker than this in every channel ..."""
DARK_SHARE = 0.005
"""... and under a seal there is at least this share of it."""


class Seal(NamedTuple):
    """Bounds in pixels, and the channel (of BGR) in which its ink is light."""

    left: int
    top: int
    right: int
    bottom: int
    channel: int


def find_seals(page: Image) -> list[Seal]:
    """The seals on a BGR page that have black ink under them."""
    height, width = page.shape[:2]
    if not _has_colour(page):
        return []
    scale = min(1.0, LOOK / max(height, width))
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else page
    dark = small.max(axis=2) < DARK
    seals = []
    for channel, lead in _leads(cast(Image, small)):
        mask = cast("NDArray[np.uint8]", cv2.threshold(lead, COLOUR, 1, cv2.THRESH_BINARY)[1])
        if mask.any():
            seals += [_enlarged(bounds, scale, width, height, channel) for bounds in _blobs(mask, dark)]
    return seals


def _has_colour(page: Image) -> bool:
    """Whether a sample of the pixels has some of an ink's colour; most scans have none."""
    step = max(1, max(page.shape[:2]) // SAMPLE)
    sample = cast(Image, np.ascontiguousarray(page[::step, ::step]))
    return any(np.count_nonzero(lead > COLOUR) >= SAMPLED for _, lead in _leads(sample))


def _leads(image: Image) -> list[tuple[int, NDArray[np.uint8]]]:
    """By how much each colour exceeds both other channels, with the number of the channel."""
    blue, green, red = cv2.split(image)
    leads = (
        (2, cv2.subtract(red, cv2.max(blue, green))),
        (0, cv2.subtract(blue, cv2.max(red, green))),
        (1, cv2.subtract(green, cv2.max(blue, red))),
    )
    return [(channel, cast("NDArray[np.uint8]", lead)) for channel, lead in leads]


def _blobs(mask: NDArray[np.uint8], dark: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    longest = max(mask.shape)
    reach = max(3, longest // 80)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    found = []
    for x, y, w, h, _ in cv2.connectedComponentsWithStats(closed)[2][1:]:
        if not SMALLEST * longest <= max(w, h) <= LARGEST * longest or max(w, h) > SHAPE * min(w, h):
            continue
        part = (slice(y, y + h), slice(x, x + w))
        if SPREAD[0] <= mask[part].mean() <= SPREAD[1] and dark[part].mean() >= DARK_SHARE:
            found.append((int(x), int(y), int(x + w), int(y + h)))
    return found


def _enlarged(bounds: tuple[int, int, int, int], scale: float, width: int, height: int, channel: int) -> Seal:
    left, top, right, bottom = (round(v / scale) for v in bounds)
    margin = round(4 / scale)
    return Seal(
        max(0, left - margin),
        max(0, top - margin),
        min(width, right + margin),
        min(height, bottom + margin),
        channel,
    )


def without(page: Image, seals: list[Seal]) -> Image:
    """A copy of the page in which the seals are grey, with their ink as light as the paper."""
    clean = page.copy()
    for seal in seals:
        part = clean[seal.top : seal.bottom, seal.left : seal.right]
        others = part[:, :, [c for c in range(3) if c != seal.channel]].max(axis=2)
        own = part[:, :, seal.channel]
        inked = own[own.astype(np.int16) - others > COLOUR // 2]
        white = max(float(np.percentile(inked, 20)), 100.0) if inked.size else 255.0
        part[:] = np.minimum(own * (255.0 / white), 255.0).astype(np.uint8)[:, :, None]
    return clean


def touching(boxes: Quads, seals: list[Seal]) -> NDArray[np.bool_]:
    """Which of the boxes (n, 4, 2) overlap a seal's bounds."""
    if not len(boxes):
        return np.zeros(0, np.bool_)
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    hits = np.zeros(len(boxes), np.bool_)
    for seal in seals:
        hits |= (
            (low[:, 0] < seal.right)
            & (high[:, 0] > seal.left)
            & (low[:, 1] < seal.bottom)
            & (high[:, 1] > seal.top)
        )
    return hits
