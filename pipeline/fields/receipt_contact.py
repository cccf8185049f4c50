"""Phone number of the merchant and time of the sale."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.amounts import by_row
from pipeline.fields.rows import Row, field
from pipeline.models import Entity, Field

_HEAD = 12
"""Maximum number of rows of a receipt's head."""
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
    if best is None or best[0] < 0.3:
        return None
    score, row, entity = best
    value = entity.value or re.sub("[^0-9+]", "", entity.text)
    return field("phone", row.page, [(entity.start, entity.end)], value, score)


def find_time(rows: Sequence[Row], entities: Sequence[Entity], day: Field | None) -> Field | None:
    """The time of the sale: next to the date, else behind a label, else the only one."""
    dated: dict[int, int] = {}
    if day is not None:
        for number, dates in enumerate(_of(rows, entities, "DATE")):
            for entity in dates:
                if day.value in (entity.value, entity.other):
                    dated[number] = max(dated.get(number, 0), 2 if entity.start == day.start else 1)
    best: tuple[float, Row, Entity] | None = None
    for number, (row, times) in enumerate(zip(rows, _of(rows, entities, "TIME"), strict=True)):
        for entity in times:
            if entity.value is None:
                continue
            before = row.text[max(entity.start - row.start - 16, 0) : entity.start - row.start]
            near = max(dated.get(number, 0) + 1, dated.get(number - 1, 0), dated.get(number + 1, 0))
            score = (0.6, 0.75, 0.95, 0.97)[min(near - 1, 2) + 1 if number in dated else min(near, 1)]
            score = max(score, 0.8) if _TIME_LABEL.search(before) else score
            if _HOURS.search(row.text) or (len(times) > 1 and number not in dated):
                score *= 0.4
            score = score * entity.confidence - 0.001 * min(number, 100)
            if best is None or score > best[0]:
                best = score, row, entity
    if best is None or best[0] < 0.3:
        return None
    score, row, entity = best
    return field("time", row.page, [(entity.start, entity.end)], str(entity.value), score)


def _of(rows: Sequence[Row], entities: Sequence[Entity], kind: str) -> list[list[Entity]]:
    return list(by_row(rows, [e for e in entities if e.type == kind]))
