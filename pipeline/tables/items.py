"""The rows of the table `items`: the line items of a document."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from pipeline.models import DocumentResult, LineItem, Page
from pipeline.tables.masking import NO_SPANS, Spans, masked_descriptions
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
    rows = []
    for number, of_page in groupby(result.extraction.items, key=lambda item: item.page):
        items, page = list(of_page), pages.get(number)
        texts = [item.description for item in items]
        if hidden is not None:
            texts = masked_descriptions(texts, page, hidden.get(number, NO_SPANS))
        for item, text in zip(items, texts, strict=True):
            rows.append(_row(item, result) | _size(page) | {"description": text or None})
    return rows


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
