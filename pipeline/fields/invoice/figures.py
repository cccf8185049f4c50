"""Amounts and labels of the rows of an invoice."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import NamedTuple

from pipeline.fields.invoice.sum_words import LABELS
from pipeline.fields.rows import Span
from pipeline.fields.sheet import Sheet
from pipeline.models import Entity, PageLocale

_ANY = re.compile(
    "|".join(f"(?P<k{number}>{pattern.pattern})" for number, (_, _, pattern) in enumerate(LABELS))
)
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.,'/-])(?P<minus>[-–−]\s{0,2})?(?:[$€£]\s?)?"
    r"(?P<all>[0-9]{1,3}(?P<mark>[.,' ])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?P<sign>[.,])[0-9]{2}"
    r"|[0-9]+(?P<bare>[.,])[0-9]{2})(?![0-9]|[.,'/-][0-9]|\s?%)(?P<after>-)?"
)
_RATE = re.compile(r"(?<![0-9.,])(?P<rate>[0-9]{1,2}(?:[.,][0-9]{1,2})?)\s?%")
_NO_AMOUNTS = ("DATE", "TIME", "PHONE", "IBAN", "TAX_ID")
"""Entities that explain digits."""
_MOST_IN_ROW = 40
"""A row with more labels or amounts is none of an invoice, and is not searched."""


class Label(NamedTuple):
    """What a label says an amount is, how sure, and where it is in its row."""

    kind: str
    weight: float
    start: int
    end: int


class Figure(NamedTuple):
    """An amount in a row: its value, currency and position in the page text."""

    value: Decimal
    currency: str | None
    span: Span
    confidence: float = 1.0


class Sum(NamedTuple):
    """An amount with the kind that its label gives it; `alone`: it counts without the others."""

    kind: str
    figure: Figure
    page: int
    row: int
    weight: float
    alone: bool = True


class Taxed(NamedTuple):
    """What is taxed at a rate: the row of a table of taxes."""

    rate: Decimal
    net: Figure | None
    tax: Figure
    page: int


def labels_of(text: str) -> list[Label]:
    """The labels of a row, from left to right."""
    found = []
    for match in islice(_ANY.finditer(text), _MOST_IN_ROW):
        group = match.lastgroup
        assert group is not None
        kind, weight, _ = LABELS[int(group[1:])]
        found.append(Label(kind, weight, match.start(), match.end()))
    return found


def figures_of(sheet: Sheet, number: int) -> list[Figure]:
    """The amounts of a row: MONEY entities, and plain numbers with two decimals."""
    row = sheet.rows[number]
    moneys = sheet.inside("MONEY", row.start, row.end)
    if len(moneys) > _MOST_IN_ROW:
        return []
    found = [
        Figure(value, entity.currency, (entity.start, entity.end), entity.confidence)
        for entity in moneys
        if (value := _decimal(entity)) is not None
    ]
    taken = [figure.span for figure in found]
    for kind in _NO_AMOUNTS:
        taken += [(e.start, e.end) for e in sheet.inside(kind, row.start, row.end)[:_MOST_IN_ROW]]
    locale = sheet.page.locale or PageLocale()
    for match in islice(_NUMBER.finditer(row.text), _MOST_IN_ROW):
        span = row.span(match.start(), match.end())
        if any(start < span[1] and span[0] < end for start, end in taken):
            continue
        sign = match["sign"] or match["bare"]
        if locale.decimal and sign != locale.decimal:
            continue
        if match["mark"] == " " and locale.grouping != " ":
            continue  # a quantity and an amount, or one number: the page does not tell
        digits = re.sub("[^0-9]", "", match["all"])
        value = Decimal(f"{digits[:-2]}.{digits[-2:]}")
        found.append(Figure(-value if match["minus"] or match["after"] else value, None, span))
    return sorted(found, key=lambda figure: figure.span)


def _decimal(entity: Entity) -> Decimal | None:
    try:
        return Decimal(entity.value or "")
    except InvalidOperation:
        return None


def rates_of(text: str) -> list[Decimal]:
    """The percentages in a row."""
    return [rate_of(match["rate"]) for match in islice(_RATE.finditer(text), _MOST_IN_ROW)]


def rate_of(text: str) -> Decimal:
    """A percentage."""
    return Decimal(text.replace(",", "."))
