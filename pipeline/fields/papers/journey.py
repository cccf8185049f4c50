"""What tickets print without labels: the row of a train or flight with its places, date and time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.cells import Sheet, cells_of
from pipeline.fields.labels import checked, of_entity
from pipeline.fields.rows import Row, field, fold
from pipeline.models import Entity, Field

_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
PLACE = r"[\u4e00-\u9fff]{2,10}(?: ?站)?|[A-ZÀ-Ü][A-Za-zÀ-ÿ.'/()-]*(?: [A-ZÀ-Ü(][A-Za-zÀ-ÿ.'/()-]*){0,3}"
"""The name of a place."""
_NUMBER = re.compile(r"[0-9]{20}")
_HAN_PLACE = re.compile(r"[\u4e00-\u9fff]{2,8}(?: ?站)?")


def first_of(fields: Sequence[Field]) -> list[Field]:
    """The first field of each name."""
    found: dict[str, Field] = {}
    for one in fields:
        found.setdefault(one.name, one)
    return list(found.values())


def next_date(
    rows: Sequence[Row], entities: Sequence[Entity], found: Sequence[Field], first: str, second: str
) -> list[Field]:
    """The field `second`: the date that follows the one of the field `first` in its row, the end of a period."""
    start = next((one for one in found if one.name == first and one.end is not None), None)
    sheet = Sheet(rows, entities)
    for row in rows:
        if start is not None and start.end is not None and row.start <= start.end <= row.end:
            dates = sheet.within("DATE", start.end, row.end)
            dates = [e for e in dates if _FULL_DATE.fullmatch(e.value or "")]
            return [of_entity(second, row, dates[0], 0.88)] if dates else []
    return []


def places(row: Row, start: int, end: int) -> list[Field]:
    """From and to: the places on both sides of `start:end`, the number of a train or flight."""
    if not row.text[:start].strip() and not row.text[end:].strip():
        return []
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


def places_around(rows: Sequence[Row], at: int) -> list[Field]:
    """From and to in the rows above and below the one with the number of a train."""
    found = []
    for name, near in (("from", at - 1), ("to", at + 1)):
        if 0 <= near < len(rows) and _HAN_PLACE.fullmatch(text := rows[near].text.strip()):
            row = rows[near]
            found.append(field(name, row.page, [(row.start, row.end)], fold(text), 0.75))
    return found if len(found) == 2 else []


def issue(rows: Sequence[Row], entities: Sequence[Entity], found: Sequence[Field]) -> list[Field]:
    """Number and date of issue of a digital ticket whose text has lost its layout.

    The number is the only one of 20 digits, the date the only one that is not of the journey.
    """
    numbers = [(row, cell) for row in rows for cell in cells_of(row.text)]
    numbers = [(row, cell) for row, cell in numbers if _NUMBER.fullmatch(row.text[cell.start : cell.end])]
    if len({row.text[cell.start : cell.end] for row, cell in numbers}) != 1:
        return []
    row, cell = numbers[0]
    number = field("number", row.page, [row.span(*cell)], row.text[cell.start : cell.end], 0.8)
    travel = {one.value for one in found if one.name == "travel_date"}
    sheet = Sheet(rows, entities)
    dates = [(line, e) for line in rows for e in sheet.within("DATE", line.start, line.end)]
    dates = [(line, e) for line, e in dates if _FULL_DATE.fullmatch(e.value or "") and e.value not in travel]
    single = len({e.value for _, e in dates}) == 1 and travel
    return [
        checked(number, "no_label"),
        *([of_entity("date", *dates[0], 0.75, "no_label")] if single else []),
    ]


def only_date(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """The date of a paper that has one date, without a label."""
    sheet = Sheet(rows, entities)
    dates = [(row, e) for row in rows for e in sheet.within("DATE", row.start, row.end)]
    if len({e.value for _, e in dates}) != 1 or not _FULL_DATE.fullmatch(dates[0][1].value or ""):
        return []
    return [of_entity("date", *dates[0], 0.75, "no_label")]
