"""The amounts of a page with the text before them in their row."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from pipeline.fields.rows import Row, Span
from pipeline.models import Entity

_RINGGIT = re.compile(r"\(?\bRM\b|\bMYR\b")
_MISREAD = re.compile(r"(?<=[a-z])[01]|[01](?=[a-z])")
_NO_LETTERS = re.compile(r"[^a-z\u4e00-\u9fff]+")
_YUAN = re.compile(r"[¥元圆]|人民币")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_NAMED = re.compile(r"[a-z]{2}|[\u4e00-\u9fff]")

_LABEL = 40
"""Maximum length of a row that can label the amounts below it."""
_BEFORE = 120
"""Maximum number of characters before an amount that are read as its label."""


class Amount(NamedTuple):
    """An amount: its value, position and label (squashed text before it in the row, or of the row above)."""

    value: Decimal
    entity: Entity
    row: int
    label: str
    last: bool
    """Whether it is the last amount of its row."""
    near: str = ""
    """The part of the label that is next to it, if a wide gap divides the label."""
    behind: str = ""
    """Squashed text behind the last amount of its row."""

    @property
    def span(self) -> Span:
        """Its position in the page's text."""
        return self.entity.start, self.entity.end


def squash(text: str) -> str:
    """Only letters, lower case, without accents; digits that OCR confused with letters are corrected (T0TA1)."""
    text = text.lower()
    if text.isascii() and (not text or text.isalpha()):
        return text
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    if "0" in text or "1" in text:
        text = _MISREAD.sub(lambda match: "ol"[int(match[0])], text)
    return _NO_LETTERS.sub("", text)


def amounts_of(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Amount]:
    """Every MONEY entity with a value, in the order of the rows.

    An amount at the start of its row takes its label from the row above, if that has letters and no amount.
    """
    values = {e.start: value for e in entities if e.type == "MONEY" and (value := _decimal(e)) is not None}
    moneys = [e for e in entities if e.type == "MONEY" and e.start in values]
    found: list[Amount] = []
    above = ""
    for number, (row, inside) in enumerate(zip(rows, by_row(rows, moneys), strict=True)):
        label, near, at = "", "", row.start
        for place, entity in enumerate(inside):
            between = row.text[max(at, entity.start - _BEFORE) - row.start : entity.start - row.start]
            if own := squash(between):
                label, near = own, _last_part(between)
            if above and not place and not re.search(r"[a-z]{3}|[\u4e00-\u9fff]", label):
                label = near = above
            at = entity.end
            last = place == len(inside) - 1
            behind = squash(row.text[at - row.start :][:_LABEL]) if last else ""
            found.append(Amount(values[entity.start], entity, number, label, last, near, behind))
        above = "" if inside or len(row.text) > _LABEL else squash(row.text)
    return found


def by_row(rows: Sequence[Row], entities: Iterable[Entity]) -> Iterator[list[Entity]]:
    """The entities that start in each row, in their order; in one pass over both."""
    ordered = sorted(entities, key=lambda e: e.start)
    starts = [e.start for e in ordered]
    for row in rows:
        yield ordered[bisect_left(starts, row.start) : bisect_left(starts, row.end)]


def _last_part(text: str) -> str:
    """The squashed text after the last wide gap that has a word."""
    for part in reversed(re.split(r" {2,}", text.strip())):
        if _NAMED.search(squashed := squash(part)):
            return squashed
    return ""


def _decimal(entity: Entity) -> Decimal | None:
    try:
        value = Decimal(entity.value or "")
    except InvalidOperation:  # a third-party engine
        return None
    return value if value.is_finite() else None


def currency_of(amount: Amount, amounts: Sequence[Amount], rows: Sequence[Row]) -> str | None:
    """The amount's own currency, else that of an equal amount, else the only one on the page, else the locale's."""
    if amount.entity.currency:
        return amount.entity.currency
    printed = {a.entity.currency for a in amounts if a.entity.currency}
    same = {a.entity.currency for a in amounts if a.value == amount.value and a.entity.currency}
    if len(same) == 1:
        return same.pop()
    if len(printed) == 1:
        return next(iter(printed))
    if printed or not rows:
        return None
    text = "\n".join(row.text for row in rows)
    if _RINGGIT.search(text):
        return "MYR"
    locale = rows[0].page.locale
    return "CNY" if _YUAN.search(text) else locale.currency if locale else None
