"""Nights for the morning report: tables of any size, without the records they would be made from."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage import Store, keys
from pipeline.tables.schemas import SCHEMAS

KINDS = ("vat_invoice", "receipt", "bank_statement", "contract", "id_card")
GROUP = 131_072


def write_tables(store: Store, run_date: str, documents: int, *, each: int = 12, seed: int = 1) -> None:
    """Tables `documents` and `fields` of a night: 2 in 100 partial, 1 in 100 failed."""
    random: Any = np.random.default_rng(seed)
    ids: Any = np.char.add("doc-", np.arange(documents).astype(str))
    status = random.choice(["done", "partial", "failed"], documents, p=[0.97, 0.02, 0.01])
    kind = random.choice(KINDS, documents)
    end = datetime.fromisoformat(f"{run_date}T22:00:00+00:00")
    failed = status == "failed"
    columns: dict[str, Any] = {
        "task_id": ids,
        "sha256": ["ab" * 32] * documents,
        "source": np.char.add(np.char.add("file:///inbox/", ids), ".pdf"),
        "task_type": ["document"] * documents,
        "status": status,
        "error_code": unless(
            status == "done", random.choice(["over_limit", "unreadable", "poison"], documents)
        ),
        "error": unless(
            status == "done", ["It has 2417 pages, more than the limit of 2000: split it."] * documents
        ),
        "media_type": random.choice(["application/pdf", "image/jpeg"], documents),
        "pages": random.integers(1, 6, documents).astype(np.int32),
        "mean_confidence": random.random(documents).astype(np.float32),
        "seconds_ocr": random.random(documents) * 2,
        "seconds_ner": random.random(documents) / 2,
        "seconds_fields": random.random(documents) / 20,
        "gpu_seconds": random.random(documents) * 2,
        "done_at": [end + timedelta(seconds=0.5 * n) for n in range(documents)],
        "ocr_engine": ["rapidocr"] * documents,
        "ocr_model": ["PP-OCRv6"] * documents,
        "ocr_digest": ["0123456789abcdef"] * documents,
        "pipeline_version": ["0.1.0"] * documents,
        "settings": ['{"max_pages":"2000"}'] * documents,
        "tenant": random.choice(["archive", "clinic", ""], documents),
        "document_type": unless(failed, kind),
    }
    write_table(store, "documents", run_date, columns)
    rows = documents * each
    confidence = random.beta(8, 1, rows).astype(np.float32)
    write_table(
        store,
        "fields",
        run_date,
        {
            "task_id": np.repeat(ids, each),
            "document_type": np.repeat(kind, each),
            "field": np.tile([f"field_{n}" for n in range(each)], documents),
            "value": unless(random.random(rows) < 0.2, ["2026-11-22"] * rows),
            "confidence": confidence,
            "verified": [False] * rows,
            "needs_review": confidence < 0.8,
        },
    )


def unless(null: Any, values: Any) -> Any:
    """Values, but null where `null` says so."""
    return pa.array(values, pa.string(), mask=null)


def write_table(store: Store, table: str, run_date: str, columns: dict[str, Any]) -> None:
    """One table; columns that are not given are null."""
    schema = SCHEMAS[table]
    rows = len(next(iter(columns.values())))
    arrays = [
        _array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        pq.write_table(
            pa.table(arrays, schema=schema),
            path,
            compression="zstd",
            row_group_size=GROUP,
        )
        store.put_file(keys.summary(table, run_date), path)


def _array(values: Any, kind: pa.DataType) -> Any:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
