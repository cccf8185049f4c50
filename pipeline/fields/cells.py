"""The cells of a page's rows: what wide gaps separate, and the entities in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.documents.layout import boxes_of
from pipeline.fields.rows import Row
from pipeline.models import Entity

CELL = re.compile(r"[^ ]+(?: [^ ]+)*")
TYPED = frozenset({"DATE", "TIME", "MONEY"})
"""Types of the entities that are values of fields."""


class Cell(NamedTuple):
    """A part of a row that wide gaps separate from the others, as a span of the row's text."""

    start: int
    end: int


class Sheet:
    """A page with its entities, as `find_labelled` searches it."""

    def __init__(self, rows: Sequence[Row], entities: Sequence[Entity]) -> None:
        self.rows = rows
        self._typed = {
            sort: sorted((e for e in entities if e.type == sort and e.value), key=lambda e: e.start)
            for sort in TYPED
        }
        self.spans: dict[int, list[tuple[int, int]]] = {}
        """Places of labels, by row; filled by who needs them."""
        self._starts = {sort: [e.start for e in found] for sort, found in self._typed.items()}

    def within(self, sort: str, start: int, end: int) -> list[Entity]:
        """The entities of a type that begin in a range of the page's text."""
        starts = self._starts[sort]
        return self._typed[sort][bisect_left(starts, start) : bisect_left(starts, end)]


def cells_of(text: str, begin: int = 0, stop: int | None = None) -> list[Cell]:
    """The cells of a row's text, or of a part of it."""
    return [Cell(*match.span()) for match in CELL.finditer(text, begin, len(text) if stop is None else stop)]


def edges(row: Row, cell: Cell) -> tuple[float, float]:
    """Left and right edge of a cell in pixels."""
    xs = [x for box in boxes_of(row.lines, *row.span(cell.start, cell.end)) for x, _ in box]
    return (min(xs), max(xs)) if xs else (0.0, 0.0)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Width that two ranges share; negative if they are apart."""
    return min(one[1], other[1]) - max(one[0], other[0])


def top(row: Row) -> float:
    """Upper edge of a row in pixels."""
    return min(y for line in row.lines for _, y in line.box)
