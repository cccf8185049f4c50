"""Columns of running text side by side, as in a paper."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.documents.items import Effort, Item, bands, cells, edges, shared_height, sides

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


def column_gutter(items: Sequence[Item], effort: Effort, *, nested: bool = True) -> tuple[float | None, int]:
    """The x that divides the most lines into columns of running text, and their number.

    `None` and 0 if there is none.
    """
    best, best_lines = None, 0
    if len(items) < 2 * COLUMN_LINES:
        return best, best_lines
    long = [item for item in items if cells(item.line.text) >= COLUMN_CELLS]
    for x in edges(long) if len(long) >= 2 * COLUMN_LINES else ():
        if not effort.take(len(items)):
            break
        parted = 0
        for band in bands(items, x):
            left, right = sides(band, x)
            if are_columns(left, right, effort, nested=nested):
                parted += len(left) + len(right)
        if parted > best_lines:
            best, best_lines = x, parted
    return best, best_lines


def are_columns(left: Sequence[Item], right: Sequence[Item], effort: Effort, *, nested: bool = True) -> bool:
    """Whether both sides of a gutter are running text, or columns of it."""
    if min(len(left), len(right)) < COLUMN_LINES or shared_height(left, right) < BESIDE:
        return False
    return all(is_running_text(side) or (nested and _has_columns(side, effort)) for side in (left, right))


def is_running_text(side: Sequence[Item]) -> bool:
    """Whether most of the lines are long and fill their column."""
    if len(side) < COLUMN_LINES:
        return False
    width = max(i.right for i in side) - min(i.left for i in side)
    full = [i for i in side if i.right - i.left >= FILLED * width and cells(i.line.text) >= COLUMN_CELLS]
    return len(full) >= RUNNING * len(side)


def _has_columns(side: Sequence[Item], effort: Effort) -> bool:
    # only one level deep: up to four columns
    return column_gutter(side, effort, nested=False)[0] is not None
