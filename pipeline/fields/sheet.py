"""A page made ready for a search by labels: simplified text with the same offsets, entities by type, positions."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.documents.layout import boxes_of
from pipeline.fields.rows import Span, rows_of
from pipeline.models import Entity, Page, TextLine

_FAR = 4.0
"""Maximum distance of a value below its label, in heights of the label."""
_LETTERS = {
    "ß": "s",
    "ø": "o",
    "Ø": "o",
    "ł": "l",
    "Ł": "l",
    "đ": "d",
    "œ": "o",
    "Œ": "o",
    "’": "'",
    "№": "n",
    "°": "o",
}
_MISREAD = re.compile("(?<=[a-z])[01](?=[a-z])|(?<=[a-z])0(?![0-9a-z])")


class Rect(NamedTuple):
    """An upright rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Its height, at least one pixel."""
        return max(self.bottom - self.top, 1.0)


class Cell(NamedTuple):
    """A line of text in its row."""

    row: int
    line: TextLine
    rect: Rect

    @property
    def text(self) -> str:
        """Its text as printed."""
        return self.line.text


def simplified(text: str) -> str:
    """Lower case without accents, of the same length; digits that OCR confused with letters are corrected (T0TAL)."""
    simple = text.lower() if text.isascii() else "".join(map(_simple, text))
    return _MISREAD.sub(lambda match: "ol"[int(match[0])], simple)


@lru_cache(maxsize=4096)
def _simple(character: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    first = unicodedata.normalize("NFKD", character)[0].lower()
    return first if len(first) == 1 else character


class Sheet:
    """One page: its rows, the simplified text of each, and what is where."""

    def __init__(self, page: Page, entities: Sequence[Entity]) -> None:
        self.page = page
        self.rows = rows_of(page)
        self.simple = tuple(simplified(row.text) for row in self.rows)
        self.cells = tuple(
            tuple(Cell(number, line, rect_of([line])) for line in row.lines)
            for number, row in enumerate(self.rows)
        )
        by_type: defaultdict[str, list[Entity]] = defaultdict(list)
        for entity in sorted(entities, key=lambda e: e.start):
            by_type[entity.type].append(entity)
        self._by_type = dict(by_type)
        self._starts = {kind: [e.start for e in found] for kind, found in by_type.items()}

    def inside(self, kind: str, start: int, end: int) -> list[Entity]:
        """The entities of a type that start in a span of the page text, in their order."""
        starts = self._starts.get(kind, [])
        return self._by_type.get(kind, [])[bisect_left(starts, start) : bisect_left(starts, end)]

    def at(self, kind: str, row: int, offset: int, between: re.Pattern[str]) -> Entity | None:
        """The entity that follows an offset of a row, with nothing but `between` before it."""
        start, end = self.rows[row].span(offset, len(self.rows[row].text))
        for entity in self.inside(kind, start, end)[:1]:
            gap = self.simple[row][offset : entity.start - self.rows[row].start]
            return entity if between.fullmatch(gap) else None
        return None

    def rect(self, row: int, start: int, end: int) -> Rect:
        """Where a part of a row is printed."""
        found = self.rows[row]
        boxes = boxes_of(found.lines, *found.span(start, end))
        if not boxes:
            return rect_of(found.lines[:1])
        xs, ys = [x for box in boxes for x, _ in box], [y for box in boxes for _, y in box]
        return Rect(min(xs), min(ys), max(xs), max(ys))

    def below(self, row: int, rect: Rect, far: float = _FAR) -> Iterator[Cell]:
        """The cells under a rectangle, nearest first, as long as they follow each other closely."""
        bottom = rect.bottom
        for cells in self.cells[row + 1 : row + 12]:
            for cell in cells:
                if min(cell.rect.right, rect.right) - max(cell.rect.left, rect.left) <= 0:
                    continue
                if cell.rect.top - bottom > far * rect.height:
                    return
                bottom = cell.rect.bottom
                yield cell
                break

    def offset(self, cell: Cell) -> int:
        """Where a cell begins in the text of its row."""
        return cell.line.start - self.rows[cell.row].start

    def simple_text(self, cell: Cell) -> str:
        """The simplified text of a cell."""
        start = self.offset(cell)
        return self.simple[cell.row][start : start + len(cell.text)]


def rect_of(lines: Sequence[TextLine]) -> Rect:
    """The rectangle around lines."""
    xs = [x for line in lines for x, _ in line.box]
    ys = [y for line in lines for _, y in line.box]
    return Rect(min(xs), min(ys), max(xs), max(ys)) if xs else Rect(0.0, 0.0, 0.0, 0.0)


def trimmed(text: str, start: int, end: int, marks: str = " :;,") -> Span:
    """A span without blanks and marks at its edges."""
    while start < end and text[start] in marks:
        start += 1
    while end > start and text[end - 1] in marks:
        end -= 1
    return start, end
