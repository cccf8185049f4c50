"""The kinds of paper that have fields: the names of the fields of each, and the function that finds them on a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pipeline.fields import invoice, receipt, vat_invoice
from pipeline.fields.records import Find
from pipeline.models import Entity, Field, Page

FindAll = Callable[[Sequence[Page], Sequence[Entity]], tuple[list[Field], list[str]]]
"""Finds the fields of a document from all its pages, and what to warn about."""


class Kind(NamedTuple):
    """A kind of paper: its fields, in the order of the record, and how they are found.

    A kind with `find_all` needs all pages together: an invoice has its number on the first and its total on the last.
    """

    names: tuple[str, ...]
    find: Find
    find_all: FindAll | None = None


KINDS: Mapping[str, Kind] = {
    "invoice": Kind(invoice.NAMES, invoice.find, invoice.find_all),
    "credit_note": Kind(invoice.NAMES, invoice.find, invoice.find_all),
    "receipt": Kind(receipt.NAMES, receipt.find),
    "vat_invoice": Kind(vat_invoice.NAMES, vat_invoice.find),
}
"""By document type; a document of another type has no fields."""

AMOUNTS = frozenset({"net", "subtotal", "tax", "tip", "total", "due"})
"""Names of the fields whose value is an amount; also `net_19`, `tax_19` and the like (`is_amount`)."""
DATES = frozenset({"date", "due_date", "delivery_date"})
"""Names of the fields whose value is a date."""


def is_amount(name: str) -> bool:
    """Whether the value of a field is an amount."""
    return name in AMOUNTS or re.fullmatch(r"(?:net|tax)_[0-9.]+", name) is not None
