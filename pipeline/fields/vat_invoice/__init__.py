"""Fields of a Chinese VAT invoice: special, ordinary, electronic, and the fully digital one without a code."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.dates import find_date
from pipeline.fields.rows import field, rows_of
from pipeline.fields.vat_invoice.amounts import find_amounts
from pipeline.fields.vat_invoice.flat import find_unlabelled
from pipeline.fields.vat_invoice.parties import find_parties
from pipeline.models import Entity, Field, Page

NAMES = (
    "code",
    "number",
    "date",
    "buyer",
    "seller",
    "buyer_tax_id",
    "seller_tax_id",
    "net",
    "tax",
    "total",
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    labelled = [
        _entity("code", page, entities, "INVOICE_CODE"),
        _entity("number", page, entities, "INVOICE_NUMBER"),
        find_date(rows, entities),
        *find_parties(rows, entities),
        *find_amounts(rows, entities),
    ]
    found = [field for field in labelled if field is not None]
    return [*found, *find_unlabelled(rows, entities, found)]


def _entity(name: str, page: Page, entities: Sequence[Entity], kind: str) -> Field | None:
    """The entity of a type with the highest confidence; an equal rival with another value lowers it."""
    found = sorted(
        (e for e in entities if e.type == kind and e.value), key=lambda e: (-e.confidence, e.start)
    )
    if not found:
        return None
    best = found[0]
    rivals = any(e.value != best.value and e.confidence > best.confidence - 0.05 for e in found)
    assert best.value is not None
    return field(name, page, [(best.start, best.end)], best.value, best.confidence * (0.6 if rivals else 1.0))
