"""Read the line items of test sheets."""

from collections.abc import Sequence

from pipeline.fields.items import Found, find_items
from pipeline.models import Field, LineItem
from pipeline.ner.locale import localised
from tests.unit.fields.paper import entities, page


def read(*sheets: str, kind: str = "invoice", fields: Sequence[Field] = ()) -> Found:
    pages = localised([page(sheet, number) for number, sheet in enumerate(sheets, 1)])
    return find_items(kind, pages, entities(*pages), fields)


def rows(items: Sequence[LineItem], *names: str) -> list[tuple[object, ...]]:
    return [tuple(getattr(item, name) for name in names) for item in items]
