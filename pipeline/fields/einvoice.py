"""What the XML of an electronic invoice says, in the names of the fields of an invoice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.fields.rows import fold
from pipeline.fields.stated import Stated
from pipeline.models import LineItem

if TYPE_CHECKING:
    from lxml.etree import _Element

CREDIT_NOTES = frozenset("81 83 261 262 296 308 381 396 420 458 532".split())
"""Type codes of UNTDID 1001 that are credit notes; all others are invoices."""
MAX_ITEMS = 5000
_MAX_TEXT = 500  # characters of a value

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,12})?")
_ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T Z+-].{0,20})?")


def read(xml: str, page: int) -> Stated:
    """The invoice's fields and items; raises `Unreadable` for XML that is broken or no invoice."""
    from pipeline.documents.einvoice import parse
    from pipeline.errors import Unreadable
    from pipeline.fields import einvoice_cii, einvoice_ubl

    root = parse(xml)
    reader = einvoice_cii if local(root).startswith("CrossIndustry") else einvoice_ubl
    kind, values, currency = reader.head(root)
    found = {name: tuple(dict.fromkeys(v for v in several if v)) for name, several in values.items()}
    found = {name: several for name, several in found.items() if several}
    if not found.get("number") and not found.get("total"):
        raise Unreadable("The XML of the invoice has neither a number nor a total.")
    if currency:
        found["currency"] = (currency,)
    items = []
    for row, item in zip(range(1, MAX_ITEMS + 1), reader.items(root), strict=False):
        items.append(LineItem(page=page, row=row, confidence=1.0, **item))
    return Stated(
        source="xml",
        kind="credit_note" if kind in CREDIT_NOTES else "invoice",
        values=found,
        checks=_checks(found),
        currency=currency,
        items=tuple(items),
        page=page,
    )


def _checks(found: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What in the XML contradicts itself: the code of the check by field."""
    from stdnum import iban

    checks = {}
    amounts = [Decimal(found[name][0]) for name in ("net", "tax", "total") if name in found]
    if len(amounts) == 3 and abs(amounts[0] + amounts[1] - amounts[2]) > Decimal("0.01"):
        checks |= dict.fromkeys(("net", "tax", "total"), "sum_mismatch")
    if "iban" in found and not iban.is_valid(found["iban"][0]):
        checks["iban"] = "check_digit"
    return checks


def local(element: _Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def each(element: _Element, path: str) -> Iterator[_Element]:
    """The elements at a path of names, in any namespace."""
    return element.iterfind("/".join("{*}" + name for name in path.split("/")))


def texts(element: _Element, *paths: str) -> tuple[str, ...]:
    """The values at the paths, in that order; empty ones are left out."""
    found = (fold(one.text or "")[:_MAX_TEXT] for path in paths for one in each(element, path))
    return tuple(text for text in found if text)


def text(element: _Element, *paths: str) -> str:
    """The first value at the paths, empty if there is none."""
    return next(iter(texts(element, *paths)), "")


def amount(value: str, places: int = 2) -> str:
    """A plain decimal with at least so many places; empty if it is no number."""
    if not _NUMBER.fullmatch(value):
        return ""
    whole, _, rest = f"{Decimal(value):f}".partition(".")
    rest = rest.rstrip("0").ljust(places, "0")
    return f"{whole}.{rest}" if rest else whole


def amounts(element: _Element, currency: str, *paths: str) -> tuple[str, ...]:
    """The first amount at the paths in that currency."""
    for path in paths:
        for one in each(element, path):
            if not currency or one.get("currencyID", currency) == currency:
                return (amount(fold(one.text or "")),)
    return ()


def days(values: Sequence[str]) -> tuple[str, ...]:
    """ISO dates of `20260401` and `2026-04-01`."""
    found = []
    for value in values:
        if match := _ISO.fullmatch(value):
            try:
                found.append(date(int(match[1]), int(match[2]), int(match[3])).isoformat())
            except ValueError:
                continue
    return tuple(found)


def compact(values: Sequence[str]) -> tuple[str, ...]:
    """Account numbers and bank codes without spaces."""
    return tuple(value.replace(" ", "").upper() for value in values)


def address(element: _Element | None, lines: Sequence[str], code: str, town: str) -> tuple[str, ...]:
    """Lines, postcode and town of an address on one line."""
    if element is None:
        return ()
    place = f"{text(element, code)} {text(element, town)}".strip()
    return (", ".join(part for part in [*(text(element, line) for line in lines), place] if part),)


def unit_price(price: str, per: str) -> str | None:
    """The price of one, where it is given for a number of them."""
    if not amount(price):
        return None
    basis = Decimal(per) if _NUMBER.fullmatch(per) else Decimal(1)
    if basis > 0 and basis != 1:
        price = f"{round(Decimal(price) / basis, 6):f}"
    return amount(price)
