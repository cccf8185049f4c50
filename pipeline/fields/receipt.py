"""Fields of a receipt: company, date, address, total."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.dates import find_date
from pipeline.fields.receipt_head import find_address, find_company
from pipeline.fields.receipt_total import find_total
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = ("company", "date", "address", "total")


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    found = (
        find_company(rows, entities),
        find_date(rows, entities),
        find_address(rows, entities),
        find_total(rows, entities),
    )
    return [field for field in found if field is not None]
