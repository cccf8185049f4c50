"""The kinds of paper that have fields: the names of the fields of each, and the function that finds them on a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pipeline.fields import receipt, vat_invoice
from pipeline.models import Entity, Field, Page

Find = Callable[[Page, Sequence[Entity]], list[Field]]
"""Finds the fields of one page (or of a part of it: the page with fewer lines) with the entities on it."""


class Kind(NamedTuple):
    """A kind of paper: its fields, in the order of the record, and how they are found."""

    names: tuple[str, ...]
    find: Find


KINDS: Mapping[str, Kind] = {
    "receipt": Kind(receipt.NAMES, receipt.find),
    "vat_invoice": Kind(vat_invoice.NAMES, vat_invoice.find),
}
"""By document type; a document of another type has no fields."""

AMOUNTS = frozenset({"net", "tax", "total"})
"""Names of the fields whose value is an amount."""
DATES = frozenset({"date"})
"""Names of the fields whose value is a date."""
