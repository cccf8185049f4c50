"""Items with their place on the page, their number, and a confidence by what was checked."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from pipeline.fields.items.words import WordRow
from pipeline.models import Box, LineItem, TextLine

_HIGH, LOW, UNBALANCED = 0.17, -0.1, -0.25
"""What it adds to the confidence of each row that they add up, that they don't, that a statement does not."""


def judged(items: list[LineItem], fits: bool | None, low: float = LOW) -> list[LineItem]:
    """The items with their confidence by whether they add up; `None`: nothing to add up to."""
    by = 0.0 if fits is None else _HIGH if fits else low
    return [
        structs.replace(item, confidence=round(min(max(item.confidence + by, 0.05), 0.99), 3))
        for item in items
    ]


def placed(item: LineItem, rows: Sequence[WordRow]) -> LineItem:
    """The item at the rows it is from."""
    return with_boxes(item, [row.lines for row in rows])


def with_boxes(item: LineItem, rows: Sequence[Sequence[TextLine]]) -> LineItem:
    """With one rectangle for each row of text, and the confidence lowered by that of the lines."""
    sure = [line.confidence for row in rows for line in row]
    boxes = tuple(_around(row) for row in rows if row)
    return structs.replace(item, boxes=boxes, confidence=item.confidence * sum(sure) / max(len(sure), 1))


def _around(lines: Sequence[TextLine]) -> Box:
    xs = [x for line in lines for x, _ in line.box]
    ys = [y for line in lines for _, y in line.box]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def numbered(items: Sequence[LineItem]) -> tuple[LineItem, ...]:
    """The items counted from 1."""
    return tuple(structs.replace(item, row=number) for number, item in enumerate(items, 1))
