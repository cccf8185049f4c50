"""Line items: the rows of the table of an invoice, a receipt, a delivery note, or a statement.

A table is found by its headings (`columns`, `heading_words`); the words below belong to the column above them (`words`,
`table`, `goods`, `statement`). Receipts without headings are read row by row (`receipt`). What rows add up to decides
how sure they are (`sums`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.items import goods, receipt, statement
from pipeline.fields.items.columns import headings_of
from pipeline.fields.items.days import Order
from pipeline.fields.items.sums import adds_up, decimal_of, known_sums, sum_of
from pipeline.fields.items.table import PAID, Group, Table, read_rows
from pipeline.fields.items.values import decimal_sign, number_of
from pipeline.fields.items.words import WordRow, word_rows
from pipeline.fields.rows import rows_of
from pipeline.models import Box, Entity, Field, LineItem, Page, PageLocale, TextLine

__all__ = ["WITH_ITEMS", "Found", "find_items"]

STATEMENT = "bank_statement"
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
_HIGH, _LOW = 0.24, -0.25


class Found(NamedTuple):
    """The rows of a document, and a sentence where a statement's balances and amounts disagree."""

    items: tuple[LineItem, ...] = ()
    warnings: tuple[str, ...] = ()


def find_items(
    kind: str, pages: Sequence[Page], entities: Sequence[Entity], fields: Sequence[Field]
) -> Found:
    """The rows of a document of one type."""
    if kind not in WITH_ITEMS:
        return Found()
    rows = [(page, word_rows(page)) for page in pages]
    table = _table(rows, statement=kind == STATEMENT)
    known = _days(entities)
    locale = pages[0].locale or PageLocale() if pages else PageLocale()
    if kind == STATEMENT:
        return _statement(table, locale, known, fields) if table else Found()
    choices = [_goods(table, locale, known, fields)] if table else []
    if kind == "receipt":
        choices += [_receipt(page, fields) for page in pages[:1]]
    best = max(choices, key=lambda one: (one[1] or False, len(one[0])), default=([], None))
    return Found(_numbered(best[0]))


def _table(pages: Sequence[tuple[Page, Sequence[WordRow]]], *, statement: bool) -> Table | None:
    """The document's table, from page to page; of several tables the one with the most rows in columns counts."""
    tables: list[Table] = []
    table: Table | None = None
    for page, rows in pages:
        headings = headings_of(rows, statement=statement)
        starts = sorted({heading.first for heading in headings} | {len(rows)})
        if table is not None and not table.ended:
            read_rows(table, page.number, rows[: starts[0]], table.heading, free=True)
        for heading in headings:
            if not heading.is_items:
                continue
            if table is None or table.heading.roles != heading.roles:
                table = Table(heading)
                tables.append(table)
            table.ended, table.summed = False, table.summed and statement
            end = starts[bisect_right(starts, heading.first)]
            read_rows(table, page.number, rows[heading.last + 1 : end], heading, free=False)
    filled = [table for table in tables if table.groups]
    paid = [table for table in filled if table.heading.roles & PAID]
    return _joined(paid or filled, every=statement) if filled else None


def _joined(tables: Sequence[Table], *, every: bool) -> Table:
    """Tables with the same roles are one, such as the transactions of two months; of a statement, all are."""
    best = max(tables, key=lambda table: len(table.groups))
    whole = Table(best.heading)
    for table in tables:
        if every or table.heading.roles == best.heading.roles:
            whole.groups += table.groups
            whole.sums += table.sums
            whole.opening = whole.opening or table.opening
            whole.closing = table.closing or whole.closing
    return whole


def _goods(
    table: Table, locale: PageLocale, known: Sequence[date], fields: Sequence[Field]
) -> tuple[list[LineItem], bool | None]:
    sign = _sign(table, locale)
    found = goods.items_of(table, sign, _order(locale), known)
    items = [_placed(item, group.rows) for item, group in found]
    printed = [value for group in table.sums for value in _figures(group, sign)]
    fits = adds_up(items, known_sums(fields, printed))
    return _judged(items, fits), fits


def _receipt(page: Page, fields: Sequence[Field]) -> tuple[list[LineItem], bool | None]:
    rows = rows_of(page)
    locale = page.locale or PageLocale()
    sign = decimal_sign((row.text for row in rows), locale.decimal)
    reader = receipt.Reader(sign)
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
    named = {field.name: decimal_of(field) for field in fields if field.name in ("opening", "closing")}
    opening = _first(statement.opening_of(table, sign), named.get("opening"))
    closing = _first(statement.closing_of(table, sign), named.get("closing"))
    chained = statement.chained(items, opening)
    fits: bool | None = None
    if opening is not None and closing is not None and items:
        fits = opening + sum_of(items) == closing
    warnings = []
    if fits is False and items:
        warnings.append(
            f"The statement does not add up: opening balance {opening} + transactions {sum_of(items)} is not the "
            f"closing balance {closing}."
        )
    elif chained is False:
        warnings.append(
            "The statement does not add up: balances of its rows do not follow from their amounts."
        )
    return Found(_numbered(_judged(items, fits if fits is not None else chained)), tuple(warnings))


def _first(*values: Decimal | None) -> Decimal | None:
    return next((value for value in values if value is not None), None)


def _sign(table: Table, locale: PageLocale) -> str | None:
    texts = (word.text for group in table.groups for words in group.cells.values() for word in words)
    return decimal_sign(texts, locale.decimal)


def _order(locale: PageLocale) -> Order | None:
    return locale.date_order


def _figures(group: Group, decimal: str | None) -> list[Decimal]:
    words = [word for words in group.cells.values() for word in words]
    return [n.value for n in (number_of(word.text, decimal) for word in words) if n is not None]


def _days(entities: Sequence[Entity]) -> list[date]:
    values = {e.value for e in entities if e.type == "DATE" and e.value and _ISO.fullmatch(e.value)}
    return [date.fromisoformat(value) for value in sorted(values)]


def _judged(items: list[LineItem], fits: bool | None) -> list[LineItem]:
    by = 0.0 if fits is None else _HIGH if fits else _LOW
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
