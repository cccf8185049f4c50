"""Values at places in an XML invoice, as the values of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.fields.rows import fold

if TYPE_CHECKING:
    from lxml.etree import _Element

_MAX_TEXT = 500  # characters of a value

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,12})?")
_ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T Z+-].{0,20})?")


def local(element: _Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def each(element: _Element, path: str) -> Iterator[_Element]:
    """The elements at a path of names, in any namespace."""
    yield from element.iterfind("/".join("{*}" + name for name in path.split("/")))


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


def by_rate(
    taxes: Iterable[_Element], rates: Sequence[str], net: str, tax: str
) -> dict[str, tuple[str, ...]]:
    """Net amounts and taxes by rate, as `net_19` and `tax_19`; those of rates that occur twice are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for one in taxes:
        rate = amount(text(one, *rates), 0)
        for name, path in (("net", net), ("tax", tax)):
            key = f"{name}_{rate}"
            found[key] = () if key in found or not rate else (amount(text(one, path)),)
    return found


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
