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


def write_tables(store: Store, run_date: str, documents: int, each: int = 12, seed: int = 1) -> None:
    """Tables `documents` and `fields` of a night: 2 in 100 partial, 1 in 100 failed."""
    random = np.random.default_rng(seed)
    ids = np.char.add("doc-", np.arange(documents).astype(str))
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
        "error_code": np.where(
            status == "done", None, random.choice(["over_limit", "unreadable", "poison"], documents)
        ),
        "error": np.where(
            status == "done", None, "It has 2417 pages, more than the limit of 2000: split it."
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
        "document_type": np.where(failed, None, kind),
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
            "value": np.where(random.random(rows) < 0.8, "2026-11-22", None),
            "confidence": confidence,
            "verified": [False] * rows,
            "needs_review": confidence < 0.8,
        },
    )


def write_table(store: Store, table: str, run_date: str, columns: dict[str, Any]) -> None:
    """One table; columns that are not given are null."""
    schema = SCHEMAS[table]
    rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
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


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
