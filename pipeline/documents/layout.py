"""Reading order and page text.

The text rule: lines of one row are joined by a space, or by two where the gap between them is wider
than WIDE_GAP line heights; rows, columns and blocks are joined by a line feed. Therefore
`text[line.start:line.end] == line.text` for every line.

Order: rows from top to bottom, each from left to right. Columns are separated only where a gutter
divides blocks of running text (long lines that fill their column, side by side), as in a paper; a label
and its amount on a receipt, or the cells of a table, stay in one row. Lines that cross the gutter
(a title, a figure caption) separate the text above from the text below, as in an XY cut (Nagy and Seth
1984). Pages of vertical writing are read from right to left.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import msgspec

from pipeline.models import Box, Point, TextLine

WIDE_GAP = 2.0
"""Wider gaps in a row, in line heights, are written as two spaces."""
COLUMN_LINES = 4
"""Minimum number of lines on either side of a gutter."""
COLUMN_CELLS = 20
"""Minimum length of a line of running text; a Chinese character counts as two."""
FILLED = 0.8
"""Minimum share of its column's width that a line of running text covers ..."""
RUNNING = 0.5
"""... and minimum share of the column's lines that do."""
BESIDE = 0.5
"""Minimum share of the shorter column's height over which the columns are side by side."""


class _Item(NamedTuple):
    """A line with its upright bounds in pixels, corrected for the page's skew."""

    line: TextLine
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.bottom - self.top


def assemble(lines: Sequence[TextLine], width: int, height: int) -> tuple[str, tuple[TextLine, ...]]:
    """Put lines in reading order; return the page text and the lines with `start` set.

    `width` and `height` of the upright page in pixels. See the module docstring for the text rule.
    """
    down = sum(_length(line) for line in lines if _runs_down(line))
    if down > sum(_length(line) for line in lines) / 2:
        rows = [[item] for item in sorted(_items(lines, 0.0), key=lambda i: (-i.right, i.top))]
    else:
        rows = _order(_items(lines, _slope(lines, width, height)))
    return _write(rows)


def boxes_of(lines: Sequence[TextLine], start: int, end: int) -> tuple[Box, ...]:
    """Boxes of the span `start:end` of the page text: one per line it touches.

    Each is the part of the line's box that the characters occupy along the line's slope; a Chinese
    character counts as two others.
    """
    touched = (line for line in lines if max(start, line.start) < min(end, line.end))
    return tuple(_part(line, max(start, line.start), min(end, line.end)) for line in touched)


def _write(rows: Sequence[Sequence[_Item]]) -> tuple[str, tuple[TextLine, ...]]:
    parts: list[str] = []
    placed: list[TextLine] = []
    at = 0
    for row in rows:
        if parts:
            parts.append("\n")
            at += 1
        for before, item in zip([None, *row], row, strict=False):
            if before is not None:
                wide = item.left - before.right > WIDE_GAP * min(before.height, item.height)
                parts.append("  " if wide else " ")
                at += len(parts[-1])
            placed.append(msgspec.structs.replace(item.line, start=at))
            parts.append(item.line.text)
            at += len(item.line.text)
    return "".join(parts), tuple(placed)


def _order(items: list[_Item]) -> list[list[_Item]]:
    gutter = _gutter(items)
    if gutter is None:
        return _rows(items)
    rows: list[list[_Item]] = []
    for band in _bands(items, gutter):
        left, right = _sides(band, gutter)
        if _are_columns(left, right):
            rows += _order(left) + _order(right)
        else:
            rows += _rows(band)
    return rows


def _gutter(items: list[_Item], *, nested: bool = True) -> float | None:
    """The x that divides the most lines into columns of running text; `None` if there is none."""
    best, best_lines = None, 0
    for x in _candidates(items):
        parted = 0
        for band in _bands(items, x):
            left, right = _sides(band, x)
            if _are_columns(left, right, nested=nested):
                parted += len(left) + len(right)
        if parted > best_lines:
            best, best_lines = x, parted
    return best


def _candidates(items: list[_Item]) -> list[float]:
    """Right edges of long lines, one per line height: a gutter begins where running text ends."""
    long = [item for item in items if _cells(item.line.text) >= COLUMN_CELLS]
    if len(long) < 2 * COLUMN_LINES:
        return []
    step = max(1.0, median(item.height for item in long))
    edges = {round(item.right / step): item.right for item in sorted(long, key=lambda i: i.right)}
    return [edge + 0.5 for edge in edges.values()]


def _bands(items: list[_Item], x: float) -> list[list[_Item]]:
    """Split the lines, from top to bottom, at those that cross `x`; a crossing line is its own band."""
    bands: list[list[_Item]] = [[]]
    for item in sorted(items, key=lambda i: i.middle):
        if item.left < x < item.right:
            bands += [[item], []]
        else:
            bands[-1].append(item)
    return [band for band in bands if band]


def _sides(band: list[_Item], x: float) -> tuple[list[_Item], list[_Item]]:
    return [i for i in band if i.right <= x], [i for i in band if i.right > x]


def _are_columns(left: list[_Item], right: list[_Item], *, nested: bool = True) -> bool:
    if not all(_is_running_text(side) or (nested and _has_columns(side)) for side in (left, right)):
        return False
    spans = [(min(i.top for i in side), max(i.bottom for i in side)) for side in (left, right)]
    shared = min(bottom for _, bottom in spans) - max(top for top, _ in spans)
    return shared >= BESIDE * min(bottom - top for top, bottom in spans)


def _has_columns(side: list[_Item]) -> bool:
    # only one level deep: up to four columns
    return _gutter(side, nested=False) is not None


def _is_running_text(side: list[_Item]) -> bool:
    if len(side) < COLUMN_LINES:
        return False
    width = max(i.right for i in side) - min(i.left for i in side)
    full = [i for i in side if i.right - i.left >= FILLED * width and _cells(i.line.text) >= COLUMN_CELLS]
    return len(full) >= RUNNING * len(side)


def _rows(items: list[_Item]) -> list[list[_Item]]:
    rows: list[list[_Item]] = []
    for item in sorted(items, key=lambda i: i.middle):
        if rows and _same_row(rows[-1], item):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda i: i.left) for row in rows]


def _same_row(row: list[_Item], item: _Item) -> bool:
    middle = sum(i.middle for i in row) / len(row)
    return abs(item.middle - middle) < 0.5 * min(item.height, *(i.height for i in row))


def _items(lines: Sequence[TextLine], slope: float) -> list[_Item]:
    items = []
    for line in lines:
        xs = [x for x, _ in line.box]
        ys = [y - slope * x for x, y in line.box]
        items.append(_Item(line, min(xs), min(ys), max(xs), max(ys)))
    return items


def _slope(lines: Sequence[TextLine], width: int, height: int) -> float:
    """Median slope of the longer lines: rows of a skewed scan can drift by more than a line height."""
    long = [line for line in lines if not _runs_down(line) and line.box[1][0] - line.box[0][0] > width / 5]
    if len(long) < 3:
        return 0.0
    slope = median((b[1] - a[1]) / (b[0] - a[0]) for a, b in ((line.box[0], line.box[1]) for line in long))
    # one pixel is rounding, not skew
    return slope if abs(slope) * width > height / 200 else 0.0


def _runs_down(line: TextLine) -> bool:
    (x0, y0), (x1, y1) = line.box[:2]
    return abs(y1 - y0) > abs(x1 - x0)


def _length(line: TextLine) -> float:
    (x0, y0), (x1, y1) = line.box[:2]
    return max(abs(x1 - x0), abs(y1 - y0))


def _cells(text: str) -> int:
    return sum(_width(c) for c in text)


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _part(line: TextLine, start: int, end: int) -> Box:
    edges = [0]
    for character in line.text:
        edges.append(edges[-1] + _width(character))
    begin, stop = (edges[at - line.start] / edges[-1] for at in (start, end))
    top_left, top_right, bottom_right, bottom_left = line.box
    return (
        _between(top_left, top_right, begin),
        _between(top_left, top_right, stop),
        _between(bottom_left, bottom_right, stop),
        _between(bottom_left, bottom_right, begin),
    )


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
