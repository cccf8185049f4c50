"""Lines of a page with upright bounds, and the rows they form."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import accumulate
from statistics import median
from typing import NamedTuple

from pipeline.models import TextLine

SEARCHED = 2_000_000
"""Lines that are looked at in search of a page's gutters, each as often as it is; real pages need a hundredth."""
MOST_EDGES = 400
"""Maximum number of places that may be gutters."""


class Effort:
    """How much of a search is left. It counts lines and no seconds, so that the outcome is the same on any machine."""

    def __init__(self, lines: int = SEARCHED) -> None:
        self.left = lines

    def take(self, lines: int) -> bool:
        """Spend some of it; false if it was not left."""
        self.left -= lines
        return self.left >= 0


class Item(NamedTuple):
    """A line with its upright bounds in pixels, corrected for the page's skew."""

    line: TextLine
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """Half-way between top and bottom."""
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    def mirrored(self, width: float) -> Item:
        """The line on a page of that width seen in a mirror, where right to left is left to right."""
        return self._replace(left=width - self.right, right=width - self.left)


def items_of(lines: Sequence[TextLine], slope: float = 0.0) -> list[Item]:
    """The lines of a page whose rows fall by `slope` pixels a pixel."""
    items = []
    for line in lines:
        xs = [x for x, _ in line.box]
        ys = [y - slope * x for x, y in line.box]
        items.append(Item(line, min(xs), min(ys), max(xs), max(ys)))
    return items


def runs_down(line: TextLine) -> bool:
    """Whether a line is written from top to bottom."""
    (x0, y0), (x1, y1) = line.box[:2]
    return abs(y1 - y0) > abs(x1 - x0)


def rows_of(items: Sequence[Item]) -> list[list[Item]]:
    """Rows from top to bottom, each from left to right; in one pass, however many lines there are in a row."""
    rows: list[list[Item]] = []
    middles = lowest = 0.0  # of the last row: their sum, and the least height
    for item in sorted(items, key=lambda i: i.middle):
        middle, height = item.middle, item.height
        if rows and abs(middle - middles / len(rows[-1])) < 0.5 * min(height, lowest):
            rows[-1].append(item)
            middles, lowest = middles + middle, min(lowest, height)
        else:
            rows.append([item])
            middles, lowest = middle, height
    return [sorted(row, key=lambda i: i.left) for row in rows]


def bands(items: Sequence[Item], x: float) -> list[list[Item]]:
    """Split the lines, from top to bottom, at those that cross `x`; a crossing line is its own band."""
    found: list[list[Item]] = [[]]
    for item in sorted(items, key=lambda i: i.middle):
        if item.left < x < item.right:
            found += [[item], []]
        else:
            found[-1].append(item)
    return [band for band in found if band]


def sides(band: Sequence[Item], x: float) -> tuple[list[Item], list[Item]]:
    """The lines left and right of `x`."""
    return [i for i in band if i.right <= x], [i for i in band if i.right > x]


def shared_height(left: Sequence[Item], right: Sequence[Item]) -> float:
    """Share of the shorter side's height over which the two stand side by side; 0 or less: one above the other."""
    spans = [(min(i.top for i in side), max(i.bottom for i in side)) for side in (left, right)]
    shared = min(bottom for _, bottom in spans) - max(top for top, _ in spans)
    return shared / max(1e-6, min(bottom - top for top, bottom in spans))


def edges(items: Sequence[Item]) -> list[float]:
    """Right edges just passed, one per line height: a gutter begins where text ends."""
    width = max(item.right for item in items) - min(item.right for item in items)
    step = max(1.0, median(item.height for item in items), width / MOST_EDGES)
    found = {round(item.right / step): item.right for item in sorted(items, key=lambda i: i.right)}
    return [edge + 0.5 for edge in found.values()]


def cells(text: str) -> int:
    """Length of a text in which a Chinese character counts as two."""
    return len(text) if text.isascii() else sum(map(cell_width, text))


def cell_edges(text: str) -> Sequence[int]:
    """How many cells are before each character of a text, and before its end."""
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate(map(cell_width, text), initial=0))


def cell_width(character: str) -> int:
    """2 for Chinese and other wide characters, else 1."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def slope_of(lines: Sequence[TextLine], width: int, height: int) -> float:
    """Median slope of the longer lines: rows of a skewed scan can drift by more than a line height."""
    long = [line for line in lines if not runs_down(line) and line.box[1][0] - line.box[0][0] > width / 5]
    if len(long) < 3:
        return 0.0
    slope = median((b[1] - a[1]) / (b[0] - a[0]) for a, b in ((line.box[0], line.box[1]) for line in long))
    # one pixel is rounding, not skew
    return slope if abs(slope) * width > height / 200 else 0.0
