"""Choose the document's own date among the dates on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.amounts import by_row
from pipeline.fields.rows import Row, field
from pipeline.models import Entity, Field

_OWN = re.compile(
    r"(?:date|datum|dato|fecha|data|fec|tarikh|tanggal|tgl|日期|开票|时间)[^0-9A-Za-z]{0,8}$",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"(?:print|due|exp|valid|closed?|birth|until|till|delivery|deliver"  # codespell:ignore
    r"|since|effective|from|member|opened|period|service|shipp|fällig|zahlbar|liefer|leistung|zeitraum"
    r"|gültig|\bbis\b|scheduled|return|échéance|livraison|période|vencimiento|entrega|scadenza|vervaldatum"
    r"|出生|有效|到期|截止)[^0-9]{0,20}$|\bDD[: ]*$",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s*(?:-|~|/|to|bis|au|al|until|through|thru|tot|至|到)\s*", re.IGNORECASE)
_FULL = re.compile(r"\d{4}-\d\d-\d\d")
_PLAUSIBLE = (1995, 2060)
"""Plausible years; constant, so that results do not depend on the current date."""
_ABOVE = 60
"""Maximum length of a row that can label the dates below it."""


class _Dated(NamedTuple):
    row: Row
    entity: Entity
    label: str
    timed: bool
    ranged: bool
    """Whether it is the begin or end of a period."""


def find_date(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The document's date as ISO, from the DATE entities of its page; `None` without a full one.

    A label and a time next to a date raise its score; the label of another date, a period or an implausible year
    lowers it. Contradicting dates and a second reading lower the confidence.
    """
    scores: dict[str, float] = {}
    best: dict[str, tuple[float, _Dated]] = {}
    clear: set[str] = set()
    for place, dated in enumerate(_dates(rows, entities)):
        value = str(dated.entity.value)
        if dated.entity.other is None:
            clear.add(value)
        score = _score(dated) - 0.01 * min(place, 5)
        if value not in best:
            scores[value], best[value] = score, (score, dated)
            continue
        if score > best[value][0]:
            best[value] = (score, dated)
        # printed more than once: a little more evidence, however often
        scores[value] = best[value][0] + 0.05
    if not scores:
        return None
    first, *others = sorted(scores, key=lambda value: -scores[value])
    # the only date on the page needs no label
    sure = scores[first] + (0.15 if not others else 0.0)
    entity, checks = best[first][1].entity, []
    if others and scores[first] - scores[others[0]] < 0.08:
        sure *= 0.8
        checks.append("contradiction")
    other = entity.other if first not in clear else None
    if other is not None:
        checks.append("ambiguous_date")
    if sure < 0.3:
        return None
    found = field("date", rows[0].page, [(entity.start, entity.end)], first, sure, checks=checks)
    return structs.replace(found, other=other)


def _score(dated: _Dated) -> float:
    score = 0.62 * dated.entity.confidence
    score += 0.25 if _OWN.search(dated.label) else 0.0
    score += 0.12 if dated.timed else 0.0
    score -= 0.3 if dated.ranged or _OTHERS.search(dated.label) else 0.0
    plausible = _PLAUSIBLE[0] <= int(str(dated.entity.value)[:4]) <= _PLAUSIBLE[1]
    return score if plausible else score * 0.4


def _dates(rows: Sequence[Row], entities: Sequence[Entity]) -> Iterator[_Dated]:
    """The full dates in the order of the rows, with what is printed around them."""
    dates = by_row(rows, [e for e in entities if e.type == "DATE" and e.value and _FULL.fullmatch(e.value)])
    times = by_row(rows, [e for e in entities if e.type == "TIME"])
    above = ""
    for row, inside, clocks in zip(rows, dates, times, strict=True):
        at = row.start
        for place, entity in enumerate(inside):
            label = row.text[max(at, entity.start - 40) - row.start : entity.start - row.start]
            if not place and above and not re.search(r"[^\W\d_]{2}", row.text[: entity.start - row.start]):
                label = above
            before, after = inside[place - 1 : place], inside[place + 1 : place + 2]
            ranged = any(
                _RANGE.fullmatch(row.text[a.end - row.start : b.start - row.start])
                for a, b in [*((one, entity) for one in before), *((entity, one) for one in after)]
            )
            yield _Dated(row, entity, label, bool(clocks), ranged)
            at = entity.end
        above = row.text[-40:] if len(row.text) <= _ABOVE and not inside else ""
