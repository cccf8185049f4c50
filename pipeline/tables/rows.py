"""Convert results to table rows, masked."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.fields.values import DATES, is_amount
from pipeline.models import DocumentResult, Entity, Field, Page, PageLocale
from pipeline.tables.items import item_rows
from pipeline.tables.masking import IDS
from pipeline.tables.masking.documents import masked_result
from pipeline.tables.names import TABLES
from pipeline.tables.places import date_of, decimal_of, place_columns


def rows_of(results: list[DocumentResult], masked: str | bool = IDS) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, by its name; `masked`: by which policy (`pipeline.mask_policy`)."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for result in (masked_result(one, str(masked)) for one in results):
        rows["documents"].append(_document_row(result))
        found_fields = result.extraction.fields if result.extraction else ()
        rows["fields"].extend(_field_row(result, field) for field in found_fields)
        by_page: dict[int, list[Entity]] = {}
        for entity in result.entities:
            by_page.setdefault(entity.page, []).append(entity)
        for page in result.pages:
            rows["pages"].append(_page_row(result, page))
            found = by_page.get(page.number, ())
            rows["entities"].extend(_entity_row(result, page, entity) for entity in found)
        rows["items"].extend(item_rows(result))
    return rows


def _document_row(result: DocumentResult) -> dict[str, Any]:
    models = {
        f"{step}_{column}": getattr(info, field) if info else None
        for step, info in (("ocr", result.ocr), ("ner", result.ner), ("fields", result.fields))
        for column, field in (("engine", "engine"), ("model", "name"), ("digest", "digest"))
    }
    return models | {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "source": result.source,
        "task_type": result.task_type,
        "status": result.status,
        "error_code": result.error.code if result.error else None,
        "error": result.error.message if result.error else None,
        "media_type": result.media_type,
        "language": result.language,
        "pages": len(result.pages),
        "pages_unread": sum(page.error is not None for page in result.pages),
        "regions_found": sum(page.regions_found for page in result.pages),
        "regions_unread": sum(page.regions_unread for page in result.pages),
        "warnings": sum(len(page.warnings) for page in result.pages),
        "characters": sum(len(line.text) for page in result.pages for line in page.lines),
        "entities": len(result.entities),
        "mean_confidence": result.confidence,
        "seconds_ocr": result.seconds.get("ocr"),
        "seconds_ner": result.seconds.get("ner"),
        "gpu_seconds": result.seconds.get("gpu", 0.0),
        "attempts": result.attempts,
        "deadline": result.deadline or None,
        "first_seen": result.first_seen or None,
        "done_at": result.done_at or None,
        "pipeline_version": result.pipeline_version,
        "settings_digest": result.settings_digest or None,
        "settings": msgspec.json.encode(result.settings).decode() if result.settings else None,
        "tenant": result.tenant,
        "trace_id": result.trace_id,
        "document_type": result.extraction.document_type if result.extraction else None,
        "document_type_confidence": result.extraction.confidence if result.extraction else None,
        "seconds_fields": result.seconds.get("fields"),
        "items": len(result.extraction.items) if result.extraction else None,
        "record_warnings": list(result.extraction.warnings) if result.extraction else None,
        "needs_review": result.status == "partial"
        or (result.extraction.needs_review if result.extraction else None),
        "receipt": result.receipt or None,
        "digest": result.digest or None,
    }


def _page_row(result: DocumentResult, page: Page) -> dict[str, Any]:
    locale = page.locale or PageLocale()
    return {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "page": page.number,
        "width": page.width,
        "height": page.height,
        "rotation": page.rotation,
        "source": page.text_from,
        "text_from": page.text_from,
        "regions_found": page.regions_found,
        "regions_unread": page.regions_unread,
        "warnings": list(page.warnings),
        "error_code": page.error.code if page.error else None,
        "error": page.error.message if page.error else None,
        "text": page.text,
        "languages": list(locale.languages),
        "country": locale.country,
        "currency": locale.currency,
        "decimal_sign": locale.decimal,
        "grouping_sign": locale.grouping,
        "date_order": locale.date_order,
        "codes": len(page.codes),
        "lines": len(page.lines),
        "confidence": page.confidence,
        "seconds": page.seconds,
    }


def _entity_row(result: DocumentResult, page: Page, entity: Entity) -> dict[str, Any]:
    columns = _columns(entity) | place_columns(entity.boxes)
    return columns | {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "amount": decimal_of(entity.value) if entity.type == "MONEY" else None,
        "date": date_of(entity.value) if entity.type == "DATE" else None,
        "page_width": page.width,
        "page_height": page.height,
        "ocr_digest": result.ocr.digest if result.ocr else None,
        "ner_digest": result.ner.digest if result.ner else None,
        "pipeline_version": result.pipeline_version,
    }


def _field_row(result: DocumentResult, found: Field) -> dict[str, Any]:
    page = next((page for page in result.pages if page.number == found.page), None)
    assert result.extraction is not None
    columns = _columns(found) | place_columns(found.boxes)
    return columns | {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "document_type": result.extraction.document_type,
        "field": found.name,
        "text": found.text or None,
        "amount": decimal_of(found.value) if is_amount(found.name, result.extraction.document_type) else None,
        "date": date_of(found.value) if found.name in DATES else None,
        "needs_review": found.needs_review,
        "page_width": page.width if page else None,
        "page_height": page.height if page else None,
        "ocr_digest": result.ocr.digest if result.ocr else None,
        "ner_digest": result.ner.digest if result.ner else None,
        "fields_digest": result.fields.digest if result.fields else None,
        "pipeline_version": result.pipeline_version,
    }


def _columns(found: Entity | Field) -> dict[str, Any]:
    """What is stored as it is; the boxes are not: `place_columns` has them."""
    columns = msgspec.structs.asdict(found)
    del columns["boxes"]
    return columns
