"""What tickets print without labels: the row of a train or flight with its places, date and time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.cells import Sheet, cells_of
from pipeline.fields.labels import of_entity
from pipeline.fields.rows import Row, field, fold
from pipeline.models import Entity, Field

_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_HAN_PLACE = re.compile(r"[\u4e00-\u9fff]{2,8}(?: ?站)?")


def first_of(fields: Sequence[Field]) -> list[Field]:
    """The first field of each name."""
    found: dict[str, Field] = {}
    for one in fields:
        found.setdefault(one.name, one)
    return list(found.values())


def places(row: Row, start: int, end: int) -> list[Field]:
    """From and to: the places on both sides of `start:end`, the number of a train or flight."""
    sides = (("from", cells_of(row.text, 0, start)[-1:]), ("to", cells_of(row.text, end)[:1]))
    found = []
    for name, cells in sides:
        for cell in cells:
            text = row.text[cell.start : cell.end]
            if _HAN_PLACE.fullmatch(text):
                found.append(field(name, row.page, [row.span(*cell)], fold(text), 0.8))
    return found if len(found) == 2 else []


def departure(rows: Sequence[Row], entities: Sequence[Entity], labelled: Sequence[Field]) -> list[Field]:
    """Travel date and time: a date with a time in its row or the next one; not a date that has a label."""
    sheet = Sheet(rows, entities)
    taken = {one.start for one in labelled}
    for number, row in enumerate(rows):
        dates = [e for e in sheet.within("DATE", row.start, row.end) if _FULL_DATE.fullmatch(e.value or "")]
        dates = [e for e in dates if e.start not in taken]
        if not dates:
            continue
        below = rows[number + 1] if number + 1 < len(rows) else row
        times = sheet.within("TIME", dates[0].end, row.end) or sheet.within("TIME", row.end, below.end)
        if times:
            return [of_entity("travel_date", row, dates[0], 0.85), of_entity("time", row, times[0], 0.85)]
    return []
