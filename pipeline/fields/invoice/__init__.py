"""Fields of an invoice or a credit note of any country, from all its pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import structs

from pipeline.documents.layout import boxes_of
from pipeline.fields.invoice.amounts import find_amounts
from pipeline.fields.invoice.head import find_dates, find_number, find_order, numbers_of
from pipeline.fields.invoice.ids import find_bank, find_tax_ids
from pipeline.fields.invoice.parties import find_parties
from pipeline.fields.records import find_one
from pipeline.fields.sheet import Sheet
from pipeline.models import Entity, Field, Page

NAMES = (
    "number",
    "date",
    "due_date",
    "delivery_date",
    "order_number",
    "seller",
    "seller_address",
    "seller_tax_id",
    "buyer",
    "buyer_address",
    "buyer_tax_id",
    "iban",
    "bic",
    "net",
    "tax",
    "total",
    "due",
    "currency",
    "company",
)
"""`company` is the seller again, named as on receipts. Fields by rate, such as `tax_19`, come after these."""

_HEAD, _FOOT = 5, 3
"""Numbers of an invoice's first and last pages that are searched."""
_OWN = 0.85
"""Minimum score of a number that tells one invoice from another."""
_LINES = 1000
"""A page with more lines does not show several invoices next to each other."""
_LATER = re.compile(
    r"(?<![a-z])(?:seite|page|blatt|pagina|pag|p)[. :]{0,2}(?:[2-9]|[1-9][0-9])\s?(?:von|of|de|di|van|sur|/)\s?[0-9]"
)
"""The number of a page that is not the first."""
_TOGETHER = "Page {page} shows several invoices: only one of them is described."


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    return _found([Sheet(page, entities)])


def find_all(pages: Sequence[Page], entities: Sequence[Entity]) -> tuple[list[Field], list[str]]:
    """The fields of a document's first invoice, and a warning about the pages of others."""
    by_page: dict[int, list[Entity]] = {page.number: [] for page in pages}
    for entity in entities:
        if entity.page in by_page:
            by_page[entity.page].append(entity)
    sheets = [Sheet(page, by_page[page.number]) for page in pages]
    first, others = _split(sheets)
    if first and len(first[0].page.lines) < _LINES and len(_own_numbers(first[0])) > 1:
        page = first[0].page
        fields, several = find_one(page, by_page[page.number], find)
        if several:
            return fields, [_TOGETHER.format(page=page.number), *_warnings(others)]
    chosen = first if len(first) <= _HEAD + _FOOT else [*first[:_HEAD], *first[-_FOOT:]]
    return _found(chosen), _warnings(others)


def _found(sheets: Sequence[Sheet]) -> list[Field]:
    number = find_number(sheets)
    parties = find_parties(sheets)
    seller = next((f for f in parties.fields if f.name == "seller"), None)
    found = [
        number,
        *find_dates(sheets, number),
        find_order(sheets),
        *parties.fields,
        *find_tax_ids(sheets, parties.blocks),
        *find_bank(sheets),
        *find_amounts(sheets),
        structs.replace(seller, name="company") if seller else None,
    ]
    return [field for field in found if field is not None]


def _split(sheets: Sequence[Sheet]) -> tuple[list[Sheet], dict[str, list[int]]]:
    """The pages of the first invoice, and those of the others by their number.

    A page that shows no number goes on with the invoice before it, and so does one that begins no paper: its numbers
    may be of deliveries or of papers that are listed.
    """
    first: list[Sheet] = []
    others: dict[str, list[int]] = {}
    own: set[str] = set()
    current: str | None = None
    for sheet in sheets:
        numbers = _own_numbers(sheet)
        if numbers and not own and current is None:
            own = set(numbers)
        elif numbers and own.intersection(numbers):
            current = None
        elif numbers and _begins(sheet):
            current = numbers[0]
        if current is None:
            first.append(sheet)
        else:
            others.setdefault(current, []).append(sheet.page.number)
    return first, others


def _begins(sheet: Sheet) -> bool:
    """Whether a page looks like the first of a paper: a number and a date at its top, and no later page number."""
    if any(_LATER.search(text) for text in sheet.simple):
        return False
    top = [found for found in numbers_of(sheet) if found.score >= _OWN]
    half = sheet.page.height / 2
    high = any(boxes_of(sheet.page.lines, *found.span)[0][0][1] < half for found in top[:5])
    return high and any(found.name == "date" for found in find_dates([sheet], None))


def _own_numbers(sheet: Sheet) -> list[str]:
    """The different numbers of papers on a page."""
    return list(dict.fromkeys(found.value for found in numbers_of(sheet) if found.score >= _OWN))


def _warnings(others: dict[str, list[int]]) -> list[str]:
    if not others:
        return []
    pages = sorted(page for numbers in others.values() for page in numbers)
    listed = ", ".join(map(str, pages[:20])) + (", …" if len(pages) > 20 else "")
    several = "other invoices" if len(others) > 1 else "another invoice"
    return [
        f"The document contains {several} on page{'s' * (len(pages) > 1)} {listed}: only the first is described."
    ]
