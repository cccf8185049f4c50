"""Small letters on large sheets: where the whole page, scaled down for detection, does not show them.

Marks of the size of letters that lie outside the lines found are looked for at full size, and only the
tiles of the page that hold such marks go through detection again, at a scale that suits their height.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.ocr.cuts import Image, Quads

LARGE = 2.5
"""Pages that are scaled down by more than this for detection are looked at."""
SMALL = 10.0
"""Lines lower than this, in pixels of detection, are badly seen: they are detected again."""
LETTER = (6, 60)
"""Height of a letter in pixels of the page."""
DARK = 110
"""Pages whose middle grey value is below are dark."""
LETTERS = 12
"""Minimum number of such marks in rows for a tile to hold text: less is dirt."""
ROW = (2.0, 3.0)
"""Maximum height of a row in heights of letters, and minimum width in its own height."""
ROWS = 0.4
"""Minimum share of a tile's marks that stand in rows."""
SIGHT = 16.0
"""Height of the letters, in pixels of detection, at which tiles are detected; tiles are never enlarged."""
OVERLAP = 8.0
"""Overlap of the tiles in heights of letters."""
SAME = 0.5
"""Minimum overlap of two boxes, as share of the smaller one's height and width, that show the same line."""

Detect = Callable[[Image], Quads]


class _Marks(NamedTuple):
    """Letter-like marks: middles (n, 2) and heights (n) in pixels, and which of them stand in rows (n)."""

    places: NDArray[np.float64]
    heights: NDArray[np.float64]
    in_rows: NDArray[np.bool_]


def with_small_lines(page: Image, boxes: Quads, detect: Detect, side: int) -> Quads:
    """The boxes of a page, and those of its small lines; `side`: longest side in pixels that detection sees."""
    scale = side / max(page.shape[:2])
    if scale * LARGE >= 1:
        return boxes
    seen = boxes[_heights(boxes) * scale >= SMALL]
    marks = _marks(page, seen)
    if np.count_nonzero(marks.in_rows) < LETTERS:
        return boxes
    letter = float(np.median(marks.heights[marks.in_rows]))
    zoom = min(1.0, SIGHT / letter)
    tile = int(side / zoom)
    found = []
    for left, top in _tiles(page.shape[1], page.shape[0], tile, int(OVERLAP * letter), marks):
        part = page[top : top + tile, left : left + tile]
        there = detect(cast(Image, np.ascontiguousarray(part)))
        if len(there):
            found.append(there + np.array([left, top], np.float32))
    return _merged([seen, *found]) if found else boxes


def _heights(boxes: Quads) -> NDArray[np.float32]:
    """The shorter side of each box."""
    across = np.linalg.norm(boxes[:, 0] - boxes[:, 1], axis=1)
    down = np.linalg.norm(boxes[:, 0] - boxes[:, 3], axis=1)
    return cast("NDArray[np.float32]", np.minimum(across, down))


def _marks(page: Image, boxes: Quads) -> _Marks:
    """Letter-like marks outside the boxes."""
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    if np.median(grey[::8, ::8]) < DARK:  # a blueprint: light lines on a dark ground
        grey = cv2.bitwise_not(grey)
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 25)
    cv2.fillPoly(ink, [quad.astype(np.int32) for quad in boxes], (0,))
    _, labels, stats, middles = cv2.connectedComponentsWithStats(ink)
    width, height, area = (stats[:, c].astype(np.float64) for c in (2, 3, 4))
    letters = (height >= LETTER[0]) & (height <= LETTER[1]) & (width >= 2) & (width <= 2 * height)
    letters &= area >= 0.12 * width * height
    letters[0] = False
    places, heights = np.asarray(middles, np.float64)[letters], height[letters]
    if len(heights) < LETTERS:
        return _Marks(places, heights, np.zeros(len(heights), np.bool_))
    return _Marks(places, heights, _in_rows(letters[labels], places, float(np.median(heights))))


def _in_rows(ink: NDArray[np.bool_], places: NDArray[np.float64], letter: float) -> NDArray[np.bool_]:
    """Which of the marks stand in rows, as letters do, and the grain of cloth or wood does not."""
    reach = max(3, round(letter))
    rows = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rows)
    width, height = stats[:, 2], stats[:, 3]
    row = (height <= ROW[0] * letter) & (width >= ROW[1] * height)
    row[0] = False
    x, y = places.T.astype(int)
    # the middle of a C or a T may be next to its ink
    near = [labels[np.clip(y + dy, 0, len(ink) - 1), x] for dy in (0, -reach // 3, reach // 3)]
    return cast("NDArray[np.bool_]", np.any([row[label] for label in near], axis=0))


def _tiles(width: int, height: int, tile: int, overlap: int, marks: _Marks) -> list[tuple[int, int]]:
    """Top left corners of the tiles of a page that hold text: LETTERS marks in rows, and not many others."""
    x, y = marks.places.T
    found = []
    for top in _starts(height, tile, overlap):
        for left in _starts(width, tile, overlap):
            here = (x >= left) & (x < left + tile) & (y >= top) & (y < top + tile)
            rows = np.count_nonzero(here & marks.in_rows)
            if rows >= LETTERS and rows >= ROWS * np.count_nonzero(here):
                found.append((left, top))
    return found


def _starts(size: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin so that they cover `size` pixels and overlap by at least `overlap`."""
    if size <= tile:
        return [0]
    count = -(-(size - overlap) // max(1, tile - overlap))
    return [round(n * (size - tile) / (count - 1)) for n in range(count)] if count > 1 else [0, size - tile]


def _merged(found: list[Quads]) -> Quads:
    """All boxes; those of one line that tiles cut are joined, those found twice are kept once."""
    kept: list[Quads] = []
    for quad in np.concatenate(found):
        merged = quad
        for n in reversed(range(len(kept))):
            if _same_line(kept[n], merged):
                merged = _union(kept.pop(n), merged)
        kept.append(merged)
    return np.stack(kept).astype(np.float32)


def _same_line(a: Quads, b: Quads) -> bool:
    low, high = np.maximum(a.min(axis=0), b.min(axis=0)), np.minimum(a.max(axis=0), b.max(axis=0))
    if (high <= low).any():
        return False
    sizes = np.stack([np.ptp(a, axis=0), np.ptp(b, axis=0)])
    shared, smaller = high - low, sizes.min(axis=0)
    along = int(sizes.sum(axis=0)[1] > sizes.sum(axis=0)[0])  # 0: the lines run across, 1: down
    return bool(shared[1 - along] >= SAME * smaller[1 - along])


def _union(a: Quads, b: Quads) -> Quads:
    """The box around two parts of a line; a box that holds the other stays as it is."""
    for inner, outer in ((a, b), (b, a)):
        if (inner.min(axis=0) >= outer.min(axis=0) - 2).all() and (
            inner.max(axis=0) <= outer.max(axis=0) + 2
        ).all():
            return outer
    low, high = np.minimum(a.min(axis=0), b.min(axis=0)), np.maximum(a.max(axis=0), b.max(axis=0))
    return np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float32)
