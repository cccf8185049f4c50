"""The rows of the table `items`: the line items of a document."""

from __future__ import annotations

from typing import Any

from pipeline.models import DocumentResult, LineItem, Page
from pipeline.tables.places import date_of, decimal_of, place_columns

_NUMBERS = {
    "quantity": (18, 4),
    "unit_price": (18, 4),
    "amount": (18, 2),
    "tax_rate": (7, 4),
    "balance": (18, 2),
}
"""Digits and decimals of each column of numbers."""


def item_rows(result: DocumentResult) -> list[dict[str, Any]]:
    """A row for each line item of a document."""
    pages = {page.number: page for page in result.pages}
    items = result.extraction.items if result.extraction else ()
    return [
        _row(item, result) | _size(pages.get(item.page)) | {"description": item.description or None}
        for item in items
    ]


def _row(item: LineItem, result: DocumentResult) -> dict[str, Any]:
    assert result.extraction is not None
    numbers = {name: decimal_of(getattr(item, name), *size) for name, size in _NUMBERS.items()}
    columns = place_columns(item.boxes) | numbers
    return columns | {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "document_type": result.extraction.document_type,
        "page": item.page,
        "row": item.row,
        "unit": item.unit,
        "date": date_of(item.date),
        "confidence": item.confidence,
        "ocr_digest": result.ocr.digest if result.ocr else None,
        "ner_digest": result.ner.digest if result.ner else None,
        "fields_digest": result.fields.digest if result.fields else None,
        "pipeline_version": result.pipeline_version,
    }


def _size(page: Page | None) -> dict[str, int | None]:
    return {"page_width": page.width if page else None, "page_height": page.height if page else None}
