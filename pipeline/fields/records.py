"""Several receipts or invoices on one page: the fields of one of them, never mixed with those of another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from msgspec import structs

from pipeline.documents.layout import blocks_of
from pipeline.fields.receipt.head import LEGAL, TRADE
from pipeline.fields.rows import Row, rows_of
from pipeline.models import Entity, Field, Page, TextLine

Find = Callable[[Page, Sequence[Entity]], list[Field]]
"""Finds the fields of one page (or of a part of it: the page with fewer lines) with the entities on it."""

_OWN = ("company", "number")
"""The field that tells one record from another, by document type."""
_SURE = 0.7
"""Minimum confidence of it where records of the same date stand one below the other: any row may look like a name."""
_GAP = 1.8
"""Minimum distance of such records in the usual distances of rows."""
_ROWS = 400
"""Maximum number of rows of a page that may hold several records."""
_CUTS = 4
"""Maximum number of places of each kind at which it is tried to cut."""


def find_one(page: Page, entities: Sequence[Entity], find: Find) -> tuple[list[Field], bool]:
    """The fields of a page's best record, and whether the page has several.

    Best: the most fields, then the highest confidence; the first of equals. A page with one record is read
    as a whole.
    """
    blocks = [_part(page, block) for block in blocks_of(page.lines, page.width, page.height)]
    several = [block for block in blocks if len(blocks) > 1 and _is_record(_fields(block, entities, find))]
    whole = several if len(several) > 1 else [page]
    records = [fields for part in whole for fields in _stacked(part, entities, find)]
    return max(records, key=_evidence), len(records) > 1


def _stacked(part: Page, entities: Sequence[Entity], find: Find) -> list[list[Field]]:
    """The fields of each record of those that stand one below the other."""
    inside = _inside(part, entities)
    starts = [[e.start for e in inside if e.type == kind] for kind in ("DATE", "MONEY")]
    if all(len(some) > 1 for some in starts):  # each record has its own
        for upper, lower in _halves(part, starts):
            first, second = (_fields(side, inside, find) for side in (upper, lower))
            if _differ(first, second):
                return [*_stacked(upper, inside, find), *_stacked(lower, inside, find)]
    return [find(part, inside)]


def _halves(part: Page, starts: Sequence[Sequence[int]]) -> Iterator[tuple[Page, Page]]:
    """What is above and below each place where another record may begin.

    By rows, each side with dates and amounts; else by height: of a page that is read column by column, the columns
    of both records follow each other.
    """
    rows = rows_of(part)
    for cut in _cuts(rows):
        if all(min(some) < rows[cut].start <= max(some) for some in starts):
            upper, lower = (
                _part(part, [line for row in side for line in row.lines]) for side in (rows[:cut], rows[cut:])
            )
            yield upper, lower
    tops = [_top(row.lines) for row in rows]
    if len(rows) <= _ROWS and any(above > below for above, below in pairwise(tops)):
        for height in _strips(part.lines):
            yield (
                _part(part, [line for line in part.lines if _top([line]) < height]),
                _part(part, [line for line in part.lines if _top([line]) >= height]),
            )


def _top(lines: Sequence[TextLine]) -> float:
    return min(y for line in lines for _, y in line.box)


def _strips(lines: Sequence[TextLine]) -> list[float]:
    """Where the widest blank strips across the page end."""
    heights = sorted((_top([line]), max(y for _, y in line.box)) for line in lines)
    usual = median(bottom - top for top, bottom in heights)
    gaps: list[tuple[float, float]] = []
    deepest = heights[0][1]
    for top, bottom in heights:
        if top - deepest > usual:
            gaps.append((top - deepest, top))
        deepest = max(deepest, bottom)
    return [top for _, top in sorted(gaps, reverse=True)[:_CUTS]]


def _cuts(rows: Sequence[Row]) -> list[int]:
    """Numbers of the rows where another record may begin: after a wide gap, or with the name of a company.

    None on a page with more rows than several receipts have.
    """
    if len(rows) > _ROWS:
        return []
    tops = [_top(row.lines) for row in rows]
    steps = [below - above for above, below in pairwise(tops)]
    if not steps:
        return []
    usual = median(steps)
    wide = [n for n in range(1, len(rows)) if steps[n - 1] >= _GAP * usual > 0]
    wide.sort(key=lambda n: -steps[n - 1])
    named = [n for n in range(1, len(rows)) if LEGAL.search(rows[n].text) or TRADE.search(rows[n].text)]
    return list(dict.fromkeys([*wide[:_CUTS], *named[-_CUTS:]]))


def _part(page: Page, lines: Sequence[TextLine]) -> Page:
    return structs.replace(page, lines=tuple(lines))


def _inside(part: Page, entities: Sequence[Entity]) -> list[Entity]:
    lines = sorted(part.lines, key=lambda line: line.start)
    starts = [line.start for line in lines]
    at = (bisect_right(starts, e.start) - 1 for e in entities)
    return [e for e, n in zip(entities, at, strict=True) if n >= 0 and e.start < lines[n].end]


def _fields(part: Page, entities: Sequence[Entity], find: Find) -> list[Field]:
    return find(part, _inside(part, entities))


def _is_record(fields: Sequence[Field]) -> bool:
    names = {field.name for field in fields}
    return "total" in names and bool(names & {*_OWN, "date"})


def _differ(first: Sequence[Field], second: Sequence[Field]) -> bool:
    """Whether both are records, and not two parts of one."""
    one, other = ({field.name: field for field in fields} for fields in (first, second))
    if not all("total" in side and "date" in side for side in (one, other)):
        return False
    for name in _OWN:
        if name in one and name in other and one[name].value != other[name].value:
            sure = min(one[name].confidence, other[name].confidence) >= _SURE
            return sure or one["date"].value != other["date"].value
    return False


def _evidence(fields: Sequence[Field]) -> tuple[int, float]:
    return len(fields), sum(field.confidence for field in fields)
