"""Choose the document's own date among the dates on a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.rows import Row, field
from pipeline.models import Entity, Field

_OWN = re.compile(r"(?:date|tarikh|日期|开票|时间)[^0-9A-Za-z]{0,8}$", re.IGNORECASE)
_OTHERS = re.compile(
    r"(?:print|due|exp|valid|closed?|birth|until|till|delivery|deliver"  # codespell:ignore
    r"|since|effective|from|member"
    r"|出生|有效|到期|截止)[^0-9]{0,20}$|\bDD[: ]*$",
    re.IGNORECASE,
)
_FULL = re.compile(r"\d{4}-\d\d-\d\d")
_PLAUSIBLE = (1995, 2060)
"""Plausible years; constant, so that results do not depend on the current date."""


def find_date(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The document's date as ISO, from the DATE entities of its page; `None` without a full one.

    A label and a time next to a date raise its score; the label of another date or an implausible year
    lowers it. Contradicting dates lower the confidence.
    """
    times = [e for e in entities if e.type == "TIME"]
    scores: dict[str, float] = {}
    best: dict[str, tuple[float, Row, Entity]] = {}
    for place, (row, entity) in enumerate(_dated(rows, entities)):
        assert entity.value is not None
        before = row.text[: entity.start - row.start][-40:]
        score = 0.62 * entity.confidence - 0.01 * min(place, 5)
        score += 0.25 if _OWN.search(before) else 0.0
        score += 0.12 if any(row.start <= t.start < row.end for t in times) else 0.0
        score -= 0.3 if _OTHERS.search(before) else 0.0
        if not _PLAUSIBLE[0] <= int(entity.value[:4]) <= _PLAUSIBLE[1]:
            score *= 0.4
        scores[entity.value] = max(score, scores.get(entity.value, 0.0) + 0.05)
        if entity.value not in best or score > best[entity.value][0]:
            best[entity.value] = (score, row, entity)
    if not scores:
        return None
    first, *others = sorted(scores, key=lambda value: -scores[value])
    # the only date on the page needs no label
    sure = scores[first] + (0.15 if not others else 0.0)
    if others and scores[first] - scores[others[0]] < 0.08:
        sure *= 0.8
    _, row, entity = best[first]
    return field("date", row.page, [(entity.start, entity.end)], first, sure) if sure >= 0.3 else None


def _dated(rows: Sequence[Row], entities: Sequence[Entity]) -> list[tuple[Row, Entity]]:
    dates = [e for e in entities if e.type == "DATE" and e.value and _FULL.fullmatch(e.value)]
    return [(row, e) for row in rows for e in dates if row.start <= e.start < row.end]
