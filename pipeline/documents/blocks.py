"""Blocks that stand side by side without being columns of running text: receipts on one scan, the pages of a book.

A gutter over the whole height of a page also divides the columns of a table, whose rows must stay whole. Each
side of a block's gutter says something of its own, in words, and one of these holds: the rows of the sides
don't line up; each side is a list of labels and amounts below a head of its own; the gutter is the fold of
an open book; one side is running text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median

from pipeline.documents.columns import is_running_text
from pipeline.documents.items import Effort, Item, bands, edges, rows_of, shared_height, sides

BLOCK_ROWS = 4
"""Minimum number of rows of a block."""
TALL = 0.7
"""Minimum share of the content's height over which the gutter runs; lines above and below may cross it."""
CROSSING = 0.2
"""Maximum share of a page's lines that cross the gutter."""
GUTTER = 0.8
"""Minimum width of a gutter in line heights."""
FOLD = 5.0
"""Minimum width in line heights of the gutter around the fold of a book."""
BESIDE = 0.5
"""Minimum share of the shorter block's height over which the blocks are side by side ..."""
BESIDE_RECEIPT = 0.25
"""... and receipts, whose heads need not be at the same height."""
WORDY = 0.5
"""Minimum share of a block's rows that have words; a column of amounts has none."""
ALIGNED = 0.3
"""Rows whose middles differ by less, in line heights, line up; so does one row in three by chance ..."""
LOOSE = 0.6
"""... and in blocks that belong together no more than this share of the shorter side's rows."""
HEAD_ROWS = 2
"""Minimum number of rows of a receipt without an amount (name, address, date) ..."""
PRICED_ROWS = 2
"""... and with a label and an amount."""
TORN = 1
"""Maximum number of rows in which the gutter cuts a label off its amount."""
SPREAD = 1.2
"""Minimum ratio of width to height of an open book."""
INDENT = 0.06
"""Maximum difference of the margins of its two pages, as a share of its width."""

_WORD = re.compile(r"[^\W\d_]{3}|[\u3400-\u9fff]{2}")
_AMOUNT = re.compile(r"^\D{0,4}\d[\d ,.']*[.,]\d\d\D{0,4}$")
_LABELLED = re.compile(r"^(.*\S)\s+\W{0,2}\d[\d,.']*[.,]\d\d\W{0,2}$")


def block_gutter(items: Sequence[Item], width: int, height: int, effort: Effort) -> tuple[float | None, int]:
    """The x that divides the most lines into blocks, on a page of this size in pixels, and their number.

    `None` and 0 if there is none.
    """
    if len(items) < 2 * BLOCK_ROWS:
        return None, 0
    content = max(i.bottom for i in items) - min(i.top for i in items)
    best, most = None, (0, 0.0)
    lefts, rights = sorted(i.left for i in items), sorted(i.right for i in items)
    for x in edges(items):
        if bisect_left(lefts, x) - bisect_left(rights, x) > CROSSING * len(items):
            continue
        if min(bisect_right(rights, x), len(items) - bisect_left(lefts, x)) < BLOCK_ROWS:
            continue
        if not effort.take(len(items)):
            break
        tall = max(bands(items, x), key=_height)
        left, right = sides(tall, x)
        if _height(tall) < TALL * content or min(len(left), len(right)) < BLOCK_ROWS:
            continue
        parted = len(tall), min(i.left for i in right) - max(i.right for i in left)
        if parted > most and are_blocks(left, right, width, height, effort):
            best, most = x, parted
    return best, most[0]


def are_blocks(left: Sequence[Item], right: Sequence[Item], width: int, height: int, effort: Effort) -> bool:
    """Whether two sides of a gutter are blocks, each to be read by itself."""
    if min(len(left), len(right)) < BLOCK_ROWS:
        return False
    shared = shared_height(left, right)
    if shared < BESIDE_RECEIPT:
        return False
    line = median(i.height for i in (*left, *right))
    gap = min(i.left for i in right) - max(i.right for i in left)
    rows = rows_of(left), rows_of(right)
    if gap < GUTTER * line or min(map(len, rows)) < BLOCK_ROWS or not all(map(_wordy, rows)):
        return False
    if _torn(left, right) > TORN:
        return False
    if _are_receipts(left, effort) and _are_receipts(right, effort):
        return True
    return shared >= BESIDE and (
        _lined_up(*rows) <= LOOSE
        or (is_running_text(left) != is_running_text(right) and len(rows[0]) != len(rows[1]))
        or (width >= SPREAD * height and gap >= FOLD * line and _is_fold(left, right, gap, width))
    )


def _are_receipts(side: Sequence[Item], effort: Effort) -> bool:
    """Whether a side is a receipt, or several next to each other."""
    if _is_receipt(rows_of(side)):
        return True
    if len(side) < 2 * BLOCK_ROWS:
        return False
    for x in edges(side):
        if not effort.take(len(side)):
            return False
        left, right = sides(side, x)
        if not left or not right or min(i.left for i in right) < x:
            continue
        if _is_receipt(rows_of(left)) and _are_receipts(right, effort):
            return True
    return False


def _height(band: Sequence[Item]) -> float:
    return max([i.bottom for i in band]) - min([i.top for i in band])


def _text(row: Sequence[Item]) -> str:
    return " ".join(i.line.text for i in row)


def _wordy(rows: Sequence[Sequence[Item]]) -> bool:
    return sum(bool(_WORD.search(_text(row))) for row in rows) >= WORDY * len(rows)


def _torn(left: Sequence[Item], right: Sequence[Item]) -> int:
    """Number of rows whose label would be cut off its amount."""
    begin = min(i.left for i in right)
    rows = rows_of([*left, *right])
    firsts = (next((i for i in row if i.left >= begin), None) for row in rows if row[0].left < begin)
    return sum(first is not None and bool(_AMOUNT.match(first.line.text)) for first in firsts)


def _is_receipt(rows: Sequence[Sequence[Item]]) -> bool:
    """Whether rows of words stand above rows of a label and an amount."""
    labelled = [_label(row) for row in rows]
    priced = [n for n, label in enumerate(labelled) if label]
    if len(priced) < PRICED_ROWS:
        return False
    labels = {labelled[n] for n in priced}
    return sum(
        len(row) == 1 and bool(_WORD.search(_text(row))) for row in rows[: priced[0]]
    ) >= HEAD_ROWS and (2 * len(labels) > len(priced))


def _label(row: Sequence[Item]) -> str:
    """The words before the amount that ends a row, in a line of its own or in theirs; empty without these."""
    if len(row) > 1:
        label = _text(row[:-1]) if _AMOUNT.match(row[-1].line.text) else ""
    else:
        found = _LABELLED.match(row[0].line.text)
        label = found[1] if found else ""
    return label if _WORD.search(label) else ""


def _lined_up(left: Sequence[Sequence[Item]], right: Sequence[Sequence[Item]]) -> float:
    """Share of the rows of the side with fewer rows that line up with a row of the other side."""
    few, many = sorted((left, right), key=len)
    middles = sorted(sum(i.middle for i in row) / len(row) for row in many)
    line = median(i.height for row in few for i in row)
    hits = 0
    for row in few:
        middle = sum(i.middle for i in row) / len(row)
        at = bisect_left(middles, middle)
        hits += min(abs(middle - m) for m in middles[max(at - 1, 0) : at + 1]) < ALIGNED * line
    return hits / len(few)


def _is_fold(left: Sequence[Item], right: Sequence[Item], gap: float, width: int) -> bool:
    """Whether the gutter holds the middle of the page, both halves begin alike, and no gap inside is as wide."""
    middle = width / 2
    begin = min(i.left for i in left), min(i.left for i in right)
    if (
        not max(i.right for i in left) < middle < begin[1]
        or abs(begin[1] - middle - begin[0]) > INDENT * width
    ):
        return False
    return all(gap > _widest_gap(side) for side in (left, right))


def _widest_gap(side: Sequence[Item]) -> float:
    """The widest strip inside a side that no line enters."""
    reach, widest = min(i.right for i in side), 0.0
    for item in sorted(side, key=lambda i: i.left):
        widest = max(widest, item.left - reach)
        reach = max(reach, item.right)
    return widest
