"""The rows of the table `items`: the line items of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.models import DocumentResult, LineItem
from pipeline.tables.masking import Spans, masked_description, sensitive_texts
from pipeline.tables.places import date_of, decimal_of, place_columns

_NUMBERS = {
    "quantity": (18, 4),
    "unit_price": (18, 4),
    "amount": (18, 2),
    "tax_rate": (7, 4),
    "balance": (18, 2),
}
"""Digits and decimals of each column of numbers."""


def item_rows(result: DocumentResult, hidden: Mapping[int, Spans] | None) -> list[dict[str, Any]]:
    """A row for each line item of a document; `hidden`: sensitive spans by page, `None` where nothing is masked."""
    if result.extraction is None or not result.extraction.items:
        return []
    pages = {page.number: page for page in result.pages}
    texts = (
        {page.number: sensitive_texts(page, hidden.get(page.number, ())) for page in result.pages}
        if hidden is not None
        else {}
    )
    rows = []
    for item in result.extraction.items:
        page = pages.get(item.page)
        description = item.description
        if hidden is not None:
            description = masked_description(description, texts.get(item.page, {}))
        rows.append(
            _row(item)
            | {
                "task_id": result.task_id,
                "sha256": result.sha256,
                "document_type": result.extraction.document_type,
                "description": description or None,
                "page_width": page.width if page else None,
                "page_height": page.height if page else None,
                "ocr_digest": result.ocr.digest if result.ocr else None,
                "ner_digest": result.ner.digest if result.ner else None,
                "fields_digest": result.fields.digest if result.fields else None,
                "pipeline_version": result.pipeline_version,
            }
        )
    return rows


def _row(item: LineItem) -> dict[str, Any]:
    numbers = {name: decimal_of(getattr(item, name), *size) for name, size in _NUMBERS.items()}
    return (
        place_columns(item.boxes)
        | numbers
        | {
            "page": item.page,
            "row": item.row,
            "unit": item.unit,
            "date": date_of(item.date),
            "confidence": item.confidence,
        }
    )
