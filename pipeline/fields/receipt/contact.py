"""Phone number of the merchant and time of the sale."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.amounts import by_row
from pipeline.fields.rows import Row, field
from pipeline.models import Entity, Field

_HEAD = 12
"""Maximum number of rows of a receipt's head."""
_LEAST = 0.3
_PHONE_LABEL = re.compile(
    r"(?:\b|(?<=[a-z]))(?:tel\w{0,8}|te1|phone|ph|tlf|telf|mobile|hp|h/p|contact|hotline|t|电话|热线|手机)\W{0,4}(?:no\W{0,3})?$",
    re.IGNORECASE,
)
_FAX = re.compile(r"(?:fax|传真)[^0-9]{0,6}$", re.IGNORECASE)
_OTHERS = re.compile(
    r"\bcall|survey|feedback|complain|customer|guest|careline|hotline|gift ?card|member|deliver|toll"
    r"|dial|text",
    re.IGNORECASE,
)
_TIME_LABEL = re.compile(r"(?:time|hora|heure|uhr|uhrzeit|tijd|ora|jam|时间)\W{0,4}$", re.IGNORECASE)
_HOURS = re.compile(r"open|hours|daily|weekday|mon\w*\W{0,3}(?:-|to)|happy|营业", re.IGNORECASE)


def find_phone(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The merchant's phone number: in the head or behind a label, no fax and no number to call for a survey."""
    best: tuple[float, Row, Entity] | None = None
    for number, (row, phones) in enumerate(zip(rows, _of(rows, entities, "PHONE"), strict=True)):
        for place, entity in enumerate(phones):
            before = row.text[max(entity.start - row.start - 24, 0) : entity.start - row.start]
            if _FAX.search(before) or len(set(re.sub("[^0-9]", "", entity.text))) < 2:
                continue
            above = rows[number - 1].text if number else ""
            labelled = _PHONE_LABEL.search(before) or (
                not before.strip() and _PHONE_LABEL.search(above[-12:])
            )
            score = entity.confidence * (0.95 if number < _HEAD else 0.8 if labelled else 0.45)
            score += 0.04 * bool(labelled) - 0.03 * min(place, 3) - 0.002 * min(number, 60)
            if _OTHERS.search(row.text) or (number >= _HEAD and _OTHERS.search(above)):
                score *= 0.5
            if best is None or score > best[0]:
                best = score, row, entity
    if best is None or best[0] < _LEAST:
        return None
    score, row, entity = best
    value = entity.value or re.sub("[^0-9+]", "", entity.text)
    return field("phone", row.page, [(entity.start, entity.end)], value, score)


def find_time(rows: Sequence[Row], entities: Sequence[Entity], day: Field | None) -> Field | None:
    """The time of the sale: next to the date, else behind a label, else the only one.

    Of several next to the date the last: a table is opened before its bill is closed.
    """
    dated = _dated(rows, entities, day)
    found: list[tuple[float, Row, Entity]] = []
    for number, (row, times) in enumerate(zip(rows, _of(rows, entities, "TIME"), strict=True)):
        for entity in times:
            before = row.text[max(entity.start - row.start - 16, 0) : entity.start - row.start]
            score = 0.95 if number in dated else 0.75 if {number - 1, number + 1} & dated else 0.6
            score = max(score, 0.8) if _TIME_LABEL.search(before) else score
            if _HOURS.search(row.text) or (len(times) > 1 and number not in dated):
                score *= 0.4
            if entity.value:
                found.append((score * entity.confidence, row, entity))
    if not found:
        return None
    most = max(score for score, _, _ in found)
    score, row, entity = [one for one in found if one[0] == most][-1]
    several = len({str(e.value)[:5] for s, _, e in found if s > most - 0.2}) > 1
    if most < _LEAST:
        return None
    checks = ["contradiction"] if several else []
    span = (entity.start, entity.end)
    return field("time", row.page, [span], str(entity.value), score * (0.7 if several else 1), checks=checks)


def _dated(rows: Sequence[Row], entities: Sequence[Entity], day: Field | None) -> set[int]:
    """The rows that show the day."""
    if day is None:
        return set()
    values = {day.value, day.other} - {None}
    dates = enumerate(_of(rows, entities, "DATE"))
    return {number for number, inside in dates if any(e.value in values for e in inside)}


def _of(rows: Sequence[Row], entities: Sequence[Entity], kind: str) -> list[list[Entity]]:
    return list(by_row(rows, [e for e in entities if e.type == kind]))
