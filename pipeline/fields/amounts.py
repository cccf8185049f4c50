"""The amounts of a page with the text before them in their row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from pipeline.fields.rows import Row, Span
from pipeline.models import Entity

_RINGGIT = re.compile(r"\(?\bRM\b|\bMYR\b")
_MISREAD = re.compile(r"(?<=[a-z])[01]|[01](?=[a-z])")
_YUAN = re.compile(r"[¥元圆]|人民币")

_LABEL = 40
"""Maximum length of a row that can label the amounts below it."""


class Amount(NamedTuple):
    """An amount: its value, position and label (squashed text before it in the row, or of the row above)."""

    value: Decimal
    entity: Entity
    row: int
    label: str
    last: bool
    """Whether it is the last amount of its row."""

    @property
    def span(self) -> Span:
        """Its position in the page's text."""
        return self.entity.start, self.entity.end


def squash(text: str) -> str:
    """Only letters, lower case; digits that OCR confused with letters are corrected (T0TA1)."""
    repaired = _MISREAD.sub(lambda match: "ol"[int(match[0])], text.lower())
    return re.sub(r"[^a-z\u4e00-\u9fff]", "", repaired)


def amounts_of(rows: Sequence[Row], entities: Iterable[Entity]) -> list[Amount]:
    """Every MONEY entity with a value, in the order of the rows.

    An amount at the start of its row takes its label from the row above, if that has letters and no amount.
    """
    moneys = [e for e in entities if e.type == "MONEY" and e.value is not None]
    found: list[Amount] = []
    above = ""
    for number, row in enumerate(rows):
        inside = sorted((e for e in moneys if row.start <= e.start < row.end), key=lambda e: e.start)
        label, at = "", row.start
        for place, entity in enumerate(inside):
            label = squash(row.text[at - row.start : entity.start - row.start]) or label
            if not place and not re.search(r"[a-z]{3}|[\u4e00-\u9fff]", label):
                label = above
            at = entity.end
            found.append(Amount(_decimal(entity), entity, number, label, place == len(inside) - 1))
        above = "" if inside or len(row.text) > _LABEL else squash(row.text)
    return found


def _decimal(entity: Entity) -> Decimal:
    try:
        return Decimal(entity.value or "")
    except InvalidOperation:  # a third-party engine
        return Decimal(0)


def currency_of(amount: Amount, amounts: Sequence[Amount], rows: Sequence[Row]) -> str | None:
    """The amount's own currency, else that of an equal amount, else the only one on the page."""
    if amount.entity.currency:
        return amount.entity.currency
    printed = Counter(a.entity.currency for a in amounts if a.entity.currency)
    same = {a.entity.currency for a in amounts if a.value == amount.value and a.entity.currency}
    if len(same) == 1:
        return same.pop()
    if len(printed) == 1:
        return next(iter(printed))
    if not printed:
        text = "\n".join(row.text for row in rows)
        return "MYR" if _RINGGIT.search(text) else "CNY" if _YUAN.search(text) else None
    return None
