"""Fields of a receipt: company, date and time, address, phone, the sums and how they were paid."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.dates import find_date
from pipeline.fields.receipt.address import find_address
from pipeline.fields.receipt.company import find_company
from pipeline.fields.receipt.contact import find_phone, find_time
from pipeline.fields.receipt.parts import find_subtotal, find_tip
from pipeline.fields.receipt.payment import find_payment
from pipeline.fields.receipt.tax import find_tax
from pipeline.fields.receipt.total import read_total
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "company",
    "date",
    "time",
    "address",
    "phone",
    "subtotal",
    "tax",
    "tip",
    "total",
    "payment_method",
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    reading = read_total(rows, entities)
    day = find_date(rows, entities)
    found = (
        find_company(rows, entities),
        day,
        find_time(rows, entities, day),
        find_address(rows, entities),
        find_phone(rows, entities),
        find_subtotal(reading),
        find_tax(reading),
        find_tip(reading),
        reading.total,
        find_payment(reading),
    )
    return [field for field in found if field is not None]
