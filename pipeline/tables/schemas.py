"""The columns of each parquet table. docs/reference/parquet.md describes them."""

from __future__ import annotations

import pyarrow as pa

from pipeline.models import SCHEMA_VERSION

TABLES = ("documents", "pages", "entities", "fields")


_BOX = pa.list_(pa.list_(pa.float32()))


_UTC = pa.timestamp("ms", tz="UTC")


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
