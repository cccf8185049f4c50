"""Results -> Arrow -> parquet: four tables a run date, written whole, replaced by a re-run.

The tables are hive-partitioned by `run_date`: the column comes from the path
(`summary/entities/run_date=2026-11-22/part-00000.parquet`), so `pd.read_parquet(".../summary/entities")`
reads all nights. docs/parquet.md describes each column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from pipeline.errors import NotFound
from pipeline.ledger import records as ledger
from pipeline.models import SCHEMA_VERSION, Box, DocumentResult, Entity, Field, Page
from pipeline.storage import Store, keys
from pipeline.tables.masking import Spans, mask_spans, masked_entity, masked_field, sensitive_spans

TABLES = ("documents", "pages", "entities", "fields")
_BOX = pa.list_(pa.list_(pa.float32()))
_UTC = pa.timestamp("ms", tz="UTC")
_CHUNK = 256  # results held in memory at once
_ROWS = 50_000  # in a row group at most


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()), metadata={"nightshift_schema_version": str(SCHEMA_VERSION)})


SCHEMAS = {
    "documents": _schema(
        task_id=pa.string(),
        sha256=pa.string(),
        source=pa.string(),
        task_type=pa.string(),
        status=pa.string(),
        error_code=pa.string(),
        error=pa.string(),
        media_type=pa.string(),
        language=pa.string(),
        pages=pa.int32(),
        characters=pa.int64(),
        entities=pa.int32(),
        mean_confidence=pa.float32(),
        seconds_ocr=pa.float64(),
        seconds_ner=pa.float64(),
        gpu_seconds=pa.float64(),
        attempts=pa.int32(),
        first_seen=_UTC,
        done_at=_UTC,
        ocr_engine=pa.string(),
        ocr_model=pa.string(),
        ocr_digest=pa.string(),
        ner_engine=pa.string(),
        ner_model=pa.string(),
        ner_digest=pa.string(),
        pipeline_version=pa.string(),
        settings_digest=pa.string(),
        settings=pa.string(),
        tenant=pa.string(),
        trace_id=pa.string(),
        document_type=pa.string(),
        document_type_confidence=pa.float32(),
        fields_engine=pa.string(),
        fields_model=pa.string(),
        fields_digest=pa.string(),
        seconds_fields=pa.float64(),
    ),
    "pages": _schema(
        task_id=pa.string(),
        sha256=pa.string(),
        page=pa.int32(),
        width=pa.int32(),
        height=pa.int32(),
        rotation=pa.int16(),
        source=pa.string(),
        text=pa.string(),
        lines=pa.int32(),
        confidence=pa.float32(),
        seconds=pa.float64(),
    ),
    "entities": _schema(
        task_id=pa.string(),
        sha256=pa.string(),
        page=pa.int32(),
        type=pa.string(),
        text=pa.string(),
        value=pa.string(),
        currency=pa.string(),
        confidence=pa.float32(),
        start=pa.int32(),
        end=pa.int32(),
        box=_BOX,
        boxes=pa.list_(_BOX),
        page_width=pa.int32(),
        page_height=pa.int32(),
        engine=pa.string(),
        ocr_digest=pa.string(),
        ner_digest=pa.string(),
        pipeline_version=pa.string(),
        model=pa.string(),
        model_digest=pa.string(),
    ),
    "fields": _schema(
        task_id=pa.string(),
        sha256=pa.string(),
        document_type=pa.string(),
        field=pa.string(),
        value=pa.string(),
        currency=pa.string(),
        text=pa.string(),
        confidence=pa.float32(),
        page=pa.int32(),
        start=pa.int32(),
        end=pa.int32(),
        box=_BOX,
        boxes=pa.list_(_BOX),
        page_width=pa.int32(),
        page_height=pa.int32(),
        ocr_digest=pa.string(),
        ner_digest=pa.string(),
        fields_digest=pa.string(),
        pipeline_version=pa.string(),
    ),
}


def summarise(store: Store, run_date: str, *, masked: bool = True) -> dict[str, int]:
    """Write the tables of one run date from its results and failures; returns rows by table.

    Runs again at will: the same results give the same tables in the same places.
    """
    counts = dict.fromkeys(TABLES, 0)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        paths = {table: Path(folder) / f"{table}.parquet" for table in TABLES}
        writers = {t: pq.ParquetWriter(paths[t], SCHEMAS[t], compression="zstd") for t in TABLES}
        for chunk in _chunks(store, run_date):
            for table, rows in _rows(chunk, masked).items():
                counts[table] += len(rows)
                for first in range(0, len(rows), _ROWS):
                    writers[table].write_table(_arrow(rows[first : first + _ROWS], SCHEMAS[table]))
        for table in TABLES:
            writers[table].close()
            store.put_file(keys.summary(table, run_date), paths[table])
    return counts


def _arrow(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table, by way of JSON lines: faster than `from_pylist`, which imports pandas besides."""
    data = b"\n".join(map(msgspec.json.encode, rows))
    return pj.read_json(
        pa.BufferReader(data),
        pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _chunks(store: Store, run_date: str) -> Iterator[list[DocumentResult]]:
    """Results and failures of a run date, fetched several at once: a store answers slowly, but in parallel."""
    names = iter([*store.list(keys.results(run_date)), *store.list(keys.failures(run_date))])
    with ThreadPoolExecutor(8) as threads:
        while chunk := list(islice(names, _CHUNK)):
            yield [r for r in threads.map(lambda key: _result(store, key), chunk) if r is not None]


def _result(store: Store, key: str) -> DocumentResult | None:
    try:
        return ledger.read(store, key, DocumentResult)
    except NotFound:
        return None  # taken back while we read: a failed document was tried again


def _rows(results: list[DocumentResult], masked: bool) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for result in results:
        rows["documents"].append(_document_row(result))
        found_fields = result.record.fields if result.record else ()
        rows["fields"].extend(_field_row(result, field, masked) for field in found_fields)
        by_page: dict[int, list[Entity]] = {}
        for entity in result.entities:
            by_page.setdefault(entity.page, []).append(entity)
        for page in result.pages:
            found = by_page.get(page.number, [])
            hide = sensitive_spans(page.text, found) if masked else ()
            rows["pages"].append(_page_row(result, page, hide))
            shown = [masked_entity(entity, hide) for entity in found] if masked else found
            rows["entities"].extend(_entity_row(result, page, entity) for entity in shown)
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
        "characters": sum(len(line.text) for page in result.pages for line in page.lines),
        "entities": len(result.entities),
        "mean_confidence": result.confidence,
        "seconds_ocr": result.seconds.get("ocr"),
        "seconds_ner": result.seconds.get("ner"),
        "gpu_seconds": result.seconds.get("gpu", 0.0),
        "attempts": result.attempts,
        "first_seen": result.first_seen or None,
        "done_at": result.done_at or None,
        "pipeline_version": result.pipeline_version,
        "settings_digest": result.settings_digest or None,
        "settings": msgspec.json.encode(result.settings).decode() if result.settings else None,
        "tenant": result.tenant,
        "trace_id": result.trace_id,
        "document_type": result.record.document_type if result.record else None,
        "document_type_confidence": result.record.confidence if result.record else None,
        "seconds_fields": result.seconds.get("fields"),
    }


def _page_row(result: DocumentResult, page: Page, hide: Spans) -> dict[str, Any]:
    return {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "page": page.number,
        "width": page.width,
        "height": page.height,
        "rotation": page.rotation,
        "source": page.source,
        "text": mask_spans(page.text, hide),
        "lines": len(page.lines),
        "confidence": page.confidence,
        "seconds": page.seconds,
    }


def _entity_row(result: DocumentResult, page: Page, entity: Entity) -> dict[str, Any]:
    return msgspec.structs.asdict(entity) | {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "box": enclosing(entity.boxes),
        "page_width": page.width,
        "page_height": page.height,
        "ocr_digest": result.ocr.digest if result.ocr else None,
        "ner_digest": result.ner.digest if result.ner else None,
        "pipeline_version": result.pipeline_version,
    }


def _field_row(result: DocumentResult, found: Field, masked: bool) -> dict[str, Any]:
    shown = masked_field(result, found) if masked else found
    page = next((page for page in result.pages if page.number == found.page), None)
    assert result.record is not None
    return msgspec.structs.asdict(shown) | {
        "task_id": result.task_id,
        "sha256": result.sha256,
        "document_type": result.record.document_type,
        "field": found.name,
        "text": shown.text or None,
        "box": enclosing(found.boxes),
        "page_width": page.width if page else None,
        "page_height": page.height if page else None,
        "ocr_digest": result.ocr.digest if result.ocr else None,
        "ner_digest": result.ner.digest if result.ner else None,
        "fields_digest": result.fields.digest if result.fields else None,
        "pipeline_version": result.pipeline_version,
    }


def enclosing(boxes: tuple[Box, ...]) -> Box | None:
    """One box around all: the box itself when there is one, else the upright rectangle that holds them."""
    if len(boxes) <= 1:
        return boxes[0] if boxes else None
    xs = [x for box in boxes for x, _ in box]
    ys = [y for box in boxes for _, y in box]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return ((left, top), (right, top), (right, bottom), (left, bottom))
