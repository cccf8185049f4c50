"""Reading order and page text.

The text rule: lines of one row are joined by a space, or by two where the gap between them is wider
than WIDE_GAP line heights; rows, columns and blocks are joined by a line feed. Therefore
`text[line.start:line.end] == line.text` for every line.

Order: rows from top to bottom, each from left to right. Columns are separated only where a gutter
divides blocks of running text (`columns`), as in a paper, or blocks that stand for themselves (`blocks`), such as
two receipts on one scan; a label and its amount on a receipt, or the cells of a table, stay in one row. Lines
that cross the gutter (a title, a figure caption) separate the text above from the text below, as in an XY
cut (Nagy and Seth 1984). Pages of vertical writing, of Arabic and of Hebrew are read from right to left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from pipeline.documents.bidi import is_right_to_left
from pipeline.documents.blocks import are_blocks, block_gutter
from pipeline.documents.columns import are_columns, column_gutter
from pipeline.documents.items import (
    Effort,
    Item,
    bands,
    cell_edges,
    items_of,
    rows_of,
    runs_down,
    sides,
    slope_of,
)
from pipeline.models import Box, Point, TextLine

WIDE_GAP = 2.0
"""Wider gaps in a row, in line heights, are written as two spaces."""

Rows = list[list[Item]]


def assemble(lines: Sequence[TextLine], width: int, height: int) -> tuple[str, tuple[TextLine, ...]]:
    """Put lines in reading order; return the page text and the lines with `start` set.

    `width` and `height` of the upright page in pixels. See the module docstring for the text rule.
    """
    if _is_vertical(lines):
        items = items_of(lines)
        return _write([[item] for item in sorted(items, key=lambda i: (-i.right, i.top))])
    items = items_of(lines, slope_of(lines, width, height))
    if _runs_left(lines):
        items = [item.mirrored(width) for item in items]
    parts = _parts(items, width, height, Effort())
    return _write([row for part in parts for row in part])


def blocks_of(lines: Sequence[TextLine], width: int, height: int) -> list[tuple[TextLine, ...]]:
    """The lines of each block of a page in reading order, columns and what is between them separately.

    A page without blocks side by side is one.
    """
    if _is_vertical(lines):
        return [tuple(lines)]
    items = items_of(lines, slope_of(lines, width, height))
    if _runs_left(lines):
        items = [item.mirrored(width) for item in items]
    parts = _parts(items, width, height, Effort())
    return [tuple(item.line for row in part for item in row) for part in parts]


def boxes_of(lines: Sequence[TextLine], start: int, end: int) -> tuple[Box, ...]:
    """Boxes of the span `start:end` of the page text: one per line it touches.

    Each is the part of the line's box that the characters occupy along the line's slope; a Chinese
    character counts as two others. `lines` are in the order of the text: only those around the span are looked at.
    """
    first = max(0, bisect_right(lines, start, key=_start) - 1)
    near = lines[first : bisect_left(lines, end, lo=first, key=_start)]
    touched = (line for line in near if max(start, line.start) < min(end, line.end))
    return tuple(_part(line, max(start, line.start), min(end, line.end)) for line in touched)


def _start(line: TextLine) -> int:
    return line.start


def _write(rows: Sequence[Sequence[Item]]) -> tuple[str, tuple[TextLine, ...]]:
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


def _parts(items: list[Item], width: int, height: int, effort: Effort) -> list[Rows]:
    """The rows of each block, in reading order."""
    columns, in_columns = column_gutter(items, effort)
    blocks, in_blocks = block_gutter(items, width, height, effort)
    gutter = columns if in_columns >= in_blocks else blocks
    if gutter is None:
        return [rows_of(items)]
    parts: list[Rows] = []
    for band in bands(items, gutter):
        left, right = sides(band, gutter)
        if (
            are_columns(left, right, effort)
            if gutter == columns
            else are_blocks(left, right, width, height, effort)
        ):
            parts += _parts(left, width, height, effort) + _parts(right, width, height, effort)
        else:
            parts.append(rows_of(band))
    return parts


def _runs_left(lines: Sequence[TextLine]) -> bool:
    """Whether most lines with letters are written from right to left."""
    letters = [[char for char in line.text if char.isalpha()] for line in lines if not line.text.isascii()]
    leftward = sum(2 * sum(map(is_right_to_left, line)) > len(line) for line in letters)
    return leftward > 0 and 2 * leftward > sum(any(map(str.isalpha, line.text)) for line in lines)


def _is_vertical(lines: Sequence[TextLine]) -> bool:
    down = sum(_length(line) for line in lines if runs_down(line))
    return down > sum(_length(line) for line in lines) / 2


def _length(line: TextLine) -> float:
    (x0, y0), (x1, y1) = line.box[:2]
    return max(abs(x1 - x0), abs(y1 - y0))


def _part(line: TextLine, start: int, end: int) -> Box:
    edges = cell_edges(line.text)
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
