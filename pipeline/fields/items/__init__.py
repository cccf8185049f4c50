"""Line items: the rows of the table of an invoice, a receipt, a delivery note, or a statement.

A table is found by its headings (`headings`, `columns`, `search`); the words below belong to the column above them
(`words`, `cells`), and rows become items (`table`, `goods`, `statement`). Receipts without headings are read row by row
(`receipt`). What rows add up to decides how sure they are (`sums`, `balances`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from pipeline.fields.items import goods, receipt, statement, vat_rows
from pipeline.fields.items.balances import Balances, balances_of, warning_of
from pipeline.fields.items.cells import Group
from pipeline.fields.items.days import Order
from pipeline.fields.items.placed import UNBALANCED, judged, numbered, placed, with_boxes
from pipeline.fields.items.search import Sheet, find_table, printed_sums, sheets_of
from pipeline.fields.items.sums import adds_up, known_sums
from pipeline.fields.items.table import Table
from pipeline.fields.items.values import decimal_sign, number_of
from pipeline.fields.items.words import WordRow
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, LineItem, Page, PageLocale

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


Choice = tuple[list[LineItem], bool | None]
"""Items, and whether they add up."""


class Found(NamedTuple):
    """The rows of a document, and a sentence where the balances and amounts of a statement disagree."""

    items: tuple[LineItem, ...] = ()
    warnings: tuple[str, ...] = ()
    balances: Balances = Balances()


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
    return Found(numbered(best[0]))


def _goods(table: Table, locale: PageLocale, known: Sequence[date], sums: frozenset[Decimal]) -> Choice:
    sign = _sign(table, locale)
    found = goods.items_of(table, sign, _order(locale), known)
    items = [placed(item, group.rows) for item, group in found]
    fits = adds_up(items, sums | {value for group in table.sums for value in _figures(group, sign)})
    return judged(items, fits), fits


def _printed(sheets: Sequence[Sheet], table: Table, locale: PageLocale) -> list[Decimal]:
    sign = _sign(table, locale)
    return [n.value for text in printed_sums(sheets) if (n := number_of(text, sign)) is not None]


def _vat(sheets: Sequence[Sheet], fields: Sequence[Field]) -> Choice:
    items = [placed(item, own) for page, rows in sheets for item, own in vat_rows.items_of(rows, page.number)]
    fits = adds_up(items, known_sums(fields, ()))
    return judged(items, fits), fits


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
        with_boxes(receipt.item(line, page.number), [row.lines for row in line.rows]) for line in reader.lines
    ]
    fits = adds_up(items, known_sums(fields, reader.sums))
    return judged(items, fits), fits


def _statement(table: Table, locale: PageLocale, known: Sequence[date], fields: Sequence[Field]) -> Found:
    sign = _sign(table, locale)
    entries = statement.entries_of(table, sign, _order(locale), known)
    items = [placed(statement.transaction(entry, 0), entry.group.rows) for entry in entries]
    if table.several:
        return Found(numbered(judged(items, None)))
    printed = statement.opening_of(table, sign), statement.closing_of(table, sign)
    balances = balances_of(items, *printed, fields)
    chained = statement.chained(items, balances.opening)
    warning = warning_of(items, balances, chained)
    fits = chained if balances.fit is None else balances.fit
    return Found(numbered(judged(items, fits, UNBALANCED)), (warning,) if warning else (), balances)


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
