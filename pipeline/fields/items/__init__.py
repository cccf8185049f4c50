"""Line items: the rows of the table of an invoice, a receipt, a delivery note, or a statement.

A table is found by its headings (`columns`, `heading_words`); the words below belong to the column above them (`words`,
`table`, `goods`, `statement`). Receipts without headings are read row by row (`receipt`). What rows add up to decides
how sure they are (`sums`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby, product
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.items import goods, receipt, statement, vat_rows
from pipeline.fields.items.days import Order
from pipeline.fields.items.search import Sheet, find_table, printed_sums, sheets_of
from pipeline.fields.items.sums import adds_up, decimal_of, known_sums, sum_of
from pipeline.fields.items.table import Group, Table
from pipeline.fields.items.values import decimal_sign, number_of
from pipeline.fields.items.words import WordRow
from pipeline.fields.rows import rows_of
from pipeline.models import Box, Entity, Field, LineItem, Page, PageLocale, TextLine

__all__ = ["WITH_ITEMS", "Found", "find_items"]

STATEMENT, DELIVERY, VAT = "bank_statement", "delivery_note", "vat_invoice"
WITH_ITEMS = frozenset(
    {
        "invoice",
        "credit_note",
        "receipt",
        "vat_invoice",
        "delivery_note",
        "medical_bill",
        "ride_list",
        STATEMENT,
    }
)
"""Types of documents whose rows are read."""

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HIGH, _LOW, _UNBALANCED = 0.17, -0.1, -0.25
"""What it adds to the confidence of each row that they add up, that they don't, that a statement does not."""


Choice = tuple[list[LineItem], bool | None]
"""Items, and whether they add up."""


class Found(NamedTuple):
    """The rows of a document, and a sentence where the balances and amounts of a statement disagree."""

    items: tuple[LineItem, ...] = ()
    warnings: tuple[str, ...] = ()


def find_items(
    kind: str, pages: Sequence[Page], entities: Sequence[Entity], fields: Sequence[Field]
) -> Found:
    """The rows of a document of one type."""
    if kind not in WITH_ITEMS:
        return Found()
    sheets = sheets_of(pages)
    table = find_table(sheets, statement=kind == STATEMENT, unpaid=kind == DELIVERY)
    known = _period(fields) or _days(entities)
    locale = pages[0].locale or PageLocale() if pages else PageLocale()
    if kind == STATEMENT:
        return _statement(table, locale, known, fields) if table else Found()
    choices: list[Choice] = []
    if table is not None:
        sums = known_sums(fields, _printed(sheets, table, locale))
        choices.append(_goods(table, locale, known, sums))
    if kind == "receipt":
        choices += [found for page, rows in sheets[:1] for found in _receipts(page, rows, fields)]
    elif kind == VAT:
        choices.append(_vat(sheets, fields))
    elif not any(fits for _, fits in choices):  # a letter with names and amounts, if they add up
        least = max((len(items) for items, _ in choices), default=1)
        listed = (found for page, rows in sheets for found in _receipts(page, rows, fields))
        choices += [found for found in listed if found[1] and len(found[0]) >= least][:1]
    best = max(choices, key=lambda one: (one[1] or False, len(one[0])), default=([], None))
    return Found(_numbered(best[0]))


def _goods(table: Table, locale: PageLocale, known: Sequence[date], sums: frozenset[Decimal]) -> Choice:
    sign = _sign(table, locale)
    found = goods.items_of(table, sign, _order(locale), known)
    items = [_placed(item, group.rows) for item, group in found]
    fits = adds_up(items, sums | {value for group in table.sums for value in _figures(group, sign)})
    return _judged(items, fits), fits


def _printed(sheets: Sequence[Sheet], table: Table, locale: PageLocale) -> list[Decimal]:
    sign = _sign(table, locale)
    return [n.value for text in printed_sums(sheets) if (n := number_of(text, sign)) is not None]


def _vat(sheets: Sequence[Sheet], fields: Sequence[Field]) -> Choice:
    items = [
        _placed(item, own) for page, rows in sheets for item, own in vat_rows.items_of(rows, page.number)
    ]
    fits = adds_up(items, known_sums(fields, ()))
    return _judged(items, fits), fits


def _receipts(page: Page, geometric: Sequence[WordRow], fields: Sequence[Field]) -> Iterator[Choice]:
    """The items in the rows of the page's text; then in those by place, where a column was cut off."""
    first = _receipt(page, rows_of(page), fields)
    yield first
    if not first[1]:
        yield _receipt(page, geometric, fields)


def _receipt(page: Page, rows: Sequence[receipt.AnyRow], fields: Sequence[Field]) -> Choice:
    locale = page.locale or PageLocale()
    reader = receipt.Reader(decimal_sign((row.text for row in rows), locale.decimal))
    reader.read(rows)
    items = [
        _with_boxes(receipt.item(line, page.number), [row.lines for row in line.rows])
        for line in reader.lines
    ]
    fits = adds_up(items, known_sums(fields, reader.sums))
    return _judged(items, fits), fits


def _statement(table: Table, locale: PageLocale, known: Sequence[date], fields: Sequence[Field]) -> Found:
    sign = _sign(table, locale)
    entries = statement.entries_of(table, sign, _order(locale), known)
    items = [_placed(statement.transaction(entry, 0), entry.group.rows) for entry in entries]
    if table.several:
        return Found(_numbered(_judged(items, None)))
    opening, fits = _balanced(table, items, sign, fields)
    chained = statement.chained(items, opening)
    warning = _warning(items, fits, chained)
    judged = _judged(items, fits[0] if fits else chained, _UNBALANCED)
    return Found(_numbered(judged), (warning,) if warning else ())


def _balanced(
    table: Table, items: Sequence[LineItem], sign: str | None, fields: Sequence[Field]
) -> tuple[Decimal | None, tuple[bool, Decimal, Decimal] | None]:
    """The opening balance; and whether it and the amounts make the closing balance, with both of them.

    Each may be in the table and in the record; they are right if any of them fit.
    """
    named = {field.name: value for field in fields if (value := decimal_of(field)) is not None}
    first = [v for v in (statement.opening_of(table, sign), named.get("opening")) if v is not None]
    last = [v for v in (statement.closing_of(table, sign), named.get("closing")) if v is not None]
    opening = first[0] if first else None
    if not (first and last and items):
        return opening, None
    total = sum_of(items)
    for before, after in product(first, last):
        if before + total == after:
            return before, (True, before, after)
    return opening, (False, first[0], last[0])


def _warning(
    items: Sequence[LineItem], fits: tuple[bool, Decimal, Decimal] | None, chained: bool | None
) -> str | None:
    if fits and not fits[0]:
        return (
            f"The statement does not add up as read: opening balance {fits[1]} + transactions {sum_of(items)} is not "
            f"the closing balance {fits[2]}."
        )
    if chained is False:
        return "The statement does not add up as read: balances of its rows do not follow from their amounts."
    return None


def _sign(table: Table, locale: PageLocale) -> str | None:
    texts = (word.text for group in table.groups for words in group.cells.values() for word in words)
    return decimal_sign(texts, locale.decimal)


def _order(locale: PageLocale) -> Order | None:
    return locale.date_order


def _figures(group: Group, decimal: str | None) -> list[Decimal]:
    words = [word for words in group.cells.values() for word in words]
    return [n.value for n in (number_of(word.text, decimal) for word in words) if n is not None]


def _period(fields: Sequence[Field]) -> list[date]:
    """First and last day of a statement, where both are in its record."""
    named = {field.name: field.value for field in fields if field.value}
    days = [_day(named.get(name, "")) for name in ("period_start", "period_end")]
    return [day for day in days if day] if all(days) else []


def _days(entities: Sequence[Entity]) -> list[date]:
    """The first and the last date of each year on the paper."""
    values = {e.value for e in entities if e.type == "DATE" and e.value and _ISO.fullmatch(e.value)}
    days = sorted(found for value in values if (found := _day(value)) is not None)
    return [day for _, year in groupby(days, key=lambda day: day.year) for day in _ends(list(year))]


def _ends(days: Sequence[date]) -> list[date]:
    return [days[0], days[-1]]


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:  # of a third-party engine
        return None


def _judged(items: list[LineItem], fits: bool | None, low: float = _LOW) -> list[LineItem]:
    by = 0.0 if fits is None else _HIGH if fits else low
    return [
        structs.replace(item, confidence=round(min(max(item.confidence + by, 0.05), 0.99), 3))
        for item in items
    ]


def _placed(item: LineItem, rows: Sequence[WordRow]) -> LineItem:
    return _with_boxes(item, [row.lines for row in rows])


def _with_boxes(item: LineItem, rows: Sequence[Sequence[TextLine]]) -> LineItem:
    """With one rectangle for each row of text, and the confidence lowered by that of the lines."""
    sure = [line.confidence for row in rows for line in row]
    boxes = tuple(_around(row) for row in rows if row)
    return structs.replace(item, boxes=boxes, confidence=item.confidence * sum(sure) / max(len(sure), 1))


def _around(lines: Sequence[TextLine]) -> Box:
    xs = [x for line in lines for x, _ in line.box]
    ys = [y for line in lines for _, y in line.box]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _numbered(items: Sequence[LineItem]) -> tuple[LineItem, ...]:
    return tuple(structs.replace(item, row=number) for number, item in enumerate(items, 1))
