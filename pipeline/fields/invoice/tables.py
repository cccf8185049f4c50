"""Tables of sums on invoices: amounts below column headings, and taxes by rate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipeline.fields.invoice.figures import Figure, Label, Sum, Taxed, labels_of, rate_of, rates_of
from pipeline.fields.sheet import Rect, Sheet

_PLAIN_RATE = re.compile(r"(?<![0-9.,])(?P<rate>[0-9]{1,2}(?:[.,][0-9]{1,2})?)(?![0-9.,])")
_HIGHEST = 30
"""Tax rates in per cent are below it."""
_TABLE = 40
"""Maximum number of rows of a table of sums."""


def read_table(
    sheet: Sheet,
    index: int,
    number: int,
    labels: Sequence[Label],
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
        own = labels_of(sheet.simple[below])
        # a row of sums may have a label of its own: Total 448.99 70.00 518.99
        if {kind for kind, *_ in own} & {"net", "total", "due", "prepaid", "carried"} and len(
            figures[below]
        ) < len({kind for kind, *_ in columns} - {"other"}):
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
        rates_of(text)
        or [rate_of(match["rate"]) for match in _PLAIN_RATE.finditer(text)]
        or [figure.value for figure in others if 0 < figure.value < _HIGHEST]
    )
    return _matched(index, rates, others, tax)


def taxed_in(
    sheet: Sheet,
    index: int,
    number: int,
    labels: Sequence[Label],
    figures: Sequence[Figure],
) -> Taxed | None:
    """A row such as `MwSt 19 % auf 100,00  19,00`, or without the taxed amount."""
    if not any(kind == "tax" for kind, *_ in labels) or not 0 < len(figures) <= 3:
        return None
    rates = rates_of(sheet.rows[number].text)
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
