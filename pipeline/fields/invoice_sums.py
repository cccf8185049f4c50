"""Amounts of an invoice with what their labels say they are: next to the label, below it, or in its column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import NamedTuple

from pipeline.fields.invoice_sum_words import LABELS
from pipeline.fields.rows import Span
from pipeline.fields.sheet import Rect, Sheet
from pipeline.models import Entity

_ANY = re.compile(
    "|".join(f"(?P<k{number}>{pattern.pattern})" for number, (_, _, pattern) in enumerate(LABELS))
)
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.,'/-])(?P<minus>[-–−]\s{0,2})?(?:[$€£]\s?)?"
    r"(?P<all>[0-9]{1,3}(?P<mark>[.,' ])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?P<sign>[.,])[0-9]{2}"
    r"|[0-9]+(?P<bare>[.,])[0-9]{2})(?![0-9]|[.,'/-][0-9]|\s?%)(?P<after>-)?"
)
_RATE = re.compile(r"(?<![0-9.,])(?P<rate>[0-9]{1,2}(?:[.,][0-9]{1,2})?)\s?%")
_PLAIN_RATE = re.compile(r"(?<![0-9.,])(?P<rate>[0-9]{1,2}(?:[.,][0-9]{1,2})?)(?![0-9.,])")
_ONLY_FIGURE = re.compile(r"[^a-z]*(?:[a-z]{3})?[^a-z]*")
_HIGHEST = 30
"""Tax rates in per cent are below it."""
_MOST_IN_ROW = 40
"""A row with more labels or amounts is none of an invoice, and is not searched."""
_TABLE = 40
"""Maximum number of rows of a table of sums."""


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


def sums_of(sheet: Sheet, index: int) -> tuple[list[Sum], list[Taxed]]:
    """The labelled amounts of a page, and its rows of taxes by rate, from top to bottom; `index` of the page."""
    found: list[Sum] = []
    taxed: list[Taxed] = []
    figures = [_figures(sheet, number) for number in range(len(sheet.rows))]
    skip = -1
    for number in range(len(sheet.rows)):
        labels = _labels(sheet.simple[number])
        if not labels:
            continue
        if (
            not figures[number]
            and len(labels) > 1
            and {kind for kind, *_ in labels} & {"net", "tax", "total"}
        ):
            if number > skip:
                skip = _table(sheet, index, number, labels, figures, found, taxed)
            continue
        found += _beside(sheet, index, number, labels, figures)
        if line := _taxed(sheet, index, number, labels, figures[number]):
            taxed.append(line)
    return found, taxed


def _labels(text: str) -> list[tuple[str, float, int, int]]:
    """Kind, weight and position of each label in a row."""
    found = []
    for match in islice(_ANY.finditer(text), _MOST_IN_ROW):
        group = match.lastgroup
        assert group is not None
        kind, weight, _ = LABELS[int(group[1:])]
        found.append((kind, weight, match.start(), match.end()))
    return found


def _figures(sheet: Sheet, number: int) -> list[Figure]:
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
    decimal = sheet.page.locale.decimal if sheet.page.locale else None
    for match in islice(_NUMBER.finditer(row.text), _MOST_IN_ROW):
        span = row.span(match.start(), match.end())
        if any(start < span[1] and span[0] < end for start, end in taken):
            continue
        sign = match["sign"] or match["bare"]
        if decimal and sign != decimal:
            continue
        digits = re.sub("[^0-9]", "", match["all"])
        value = Decimal(f"{digits[:-2]}.{digits[-2:]}")
        found.append(Figure(-value if match["minus"] or match["after"] else value, None, span))
    return sorted(found, key=lambda figure: figure.span)


def _decimal(entity: Entity) -> Decimal | None:
    try:
        return Decimal(entity.value or "")
    except InvalidOperation:
        return None


def _beside(
    sheet: Sheet,
    index: int,
    number: int,
    labels: Sequence[tuple[str, float, int, int]],
    figures: Sequence[Sequence[Figure]],
) -> Iterator[Sum]:
    """Each label's amount: the last one before the next label, else a lone one in the row above or below."""
    row = sheet.rows[number]
    ends = [start for _, _, start, _ in labels[1:]] + [len(row.text)]
    for (kind, weight, start, _), end in zip(labels, ends, strict=True):
        inside = [f for f in figures[number] if start <= f.span[0] - row.start < end]
        if inside:
            yield Sum(kind, inside[-1], index, number, weight)
        elif len(labels) == 1 and not figures[number]:
            for near in (number + 1, number - 1):
                if not 0 <= near < len(sheet.rows) or len(figures[near]) != 1:
                    continue
                if _ONLY_FIGURE.fullmatch(sheet.simple[near]):
                    yield Sum(kind, figures[near][0], index, number, weight - 0.3, alone=near > number)


def _table(
    sheet: Sheet,
    index: int,
    number: int,
    labels: Sequence[tuple[str, float, int, int]],
    figures: Sequence[Sequence[Figure]],
    found: list[Sum],
    taxed: list[Taxed],
) -> int:
    """Read the rows under column headings; returns the number of the last row."""
    columns = [
        (kind, weight, sheet.rect(number, start, end))
        for kind, weight, start, end in labels
        if kind in ("net", "tax", "total", "other")
    ]
    last = number
    for below in range(number + 1, min(number + 1 + _TABLE, len(sheet.rows))):
        if not figures[below]:
            if last > number and len(sheet.rows[below].text) > 60:
                break
            continue
        own = _labels(sheet.simple[below])
        if {kind for kind, *_ in own} & {"net", "total", "due", "prepaid", "carried"}:
            break
        last = below
        cells = _in_columns(sheet, below, figures[below], columns)
        for kind, (figure, weight) in cells.items():
            found.append(Sum(kind, figure, index, below, weight - 0.2, alone=False))
        if "tax" in cells and (line := _rate_row(sheet, index, below, cells, figures[below])):
            taxed.append(line)
    return last


def _in_columns(
    sheet: Sheet,
    number: int,
    figures: Sequence[Figure],
    columns: Sequence[tuple[str, float, Rect]],
) -> dict[str, tuple[Figure, float]]:
    """The amount of each kind in a row, by the column heading that it is under or nearest to."""
    row = sheet.rows[number]
    found: dict[str, tuple[Figure, float]] = {}
    for figure in figures:
        # a currency before the number may be in another column
        start, end = figure.span[0] - row.start, figure.span[1] - row.start
        digits = re.search(r"[-0-9]", row.text[start:end])
        rect = sheet.rect(number, start + (digits.start() if digits else 0), end)
        kind, weight, heading = min(columns, key=lambda column: _distance(rect, column[2]))
        if _distance(rect, heading) < 4 * rect.height and kind != "other":
            found[kind] = figure, weight
    return found


def _distance(one: Rect, other: Rect) -> float:
    """0 where they overlap from left to right, else a little more for those that share an edge."""
    if min(one.right, other.right) > max(one.left, other.left):
        return min(abs(one.right - other.right), abs(one.left - other.left)) / 1000
    return min(abs(one.left - other.right), abs(other.left - one.right))


def _rate_row(
    sheet: Sheet,
    index: int,
    number: int,
    cells: dict[str, tuple[Figure, float]],
    figures: Sequence[Figure],
) -> Taxed | None:
    """A row of the table of taxes: a rate, and a tax that is that share of another amount of the row."""
    row = sheet.rows[number]
    tax = cells["tax"][0]
    masked = list(row.text)
    for start, end in (figure.span for figure in figures):
        masked[start - row.start : end - row.start] = " " * (end - start)
    text = "".join(masked)
    others = [figure for figure in figures if figure is not tax]
    rates = (
        [_rate(match["rate"]) for match in _RATE.finditer(text)]
        or [_rate(match["rate"]) for match in _PLAIN_RATE.finditer(text)]
        or [figure.value for figure in others if 0 < figure.value < _HIGHEST]
    )
    return _matched(index, rates, others, tax)


def _taxed(
    sheet: Sheet,
    index: int,
    number: int,
    labels: Sequence[tuple[str, float, int, int]],
    figures: Sequence[Figure],
) -> Taxed | None:
    """A row such as `MwSt 19 % auf 100,00  19,00`, or without the taxed amount."""
    if not any(kind == "tax" for kind, *_ in labels) or not 0 < len(figures) <= 3:
        return None
    rates = [_rate(match["rate"]) for match in _RATE.finditer(sheet.rows[number].text)]
    if len(rates) != 1:
        return None
    if matched := _matched(index, rates, figures[:-1], figures[-1]):
        return matched
    return Taxed(rates[0], None, figures[-1], index) if len(figures) == 1 else None


def _matched(index: int, rates: Sequence[Decimal], nets: Sequence[Figure], tax: Figure) -> Taxed | None:
    for rate in rates:
        for net in reversed(nets):
            if (
                net.value
                and abs(net.value * rate / 100 - tax.value) <= Decimal("0.02")
                and (rate or not tax.value)
            ):
                return Taxed(rate, net, tax, index)
    return None


def _rate(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
