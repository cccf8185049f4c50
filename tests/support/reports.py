"""Nights for the morning report: tables of any size without their records, and small nights with them."""

import io
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import structs
from PIL import Image, ImageDraw

from pipeline.ledger import pending, receipts, records
from pipeline.ledger.timeline import Sample
from pipeline.models import Box, DocumentResult, Extraction, Field, ModelInfo, Page, Task, TextLine
from pipeline.night.night import Night
from pipeline.night.schedule import Schedule
from pipeline.settings import Settings
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


PHONE = "13812345678"
WIDTH, HEIGHT, LINE = 800, 1100, 40


def box(top: int, left: int = 60, right: int = 700) -> Box:
    """The box of a line that begins so many pixels from the top."""
    return ((left, top), (right, top), (right, top + LINE), (left, top + LINE))


def paper(lines: Iterable[tuple[int, int]] = ((100, 100), (160, 100))) -> bytes:
    """A PNG of a page with bars in place of lines: where each begins, and its shade."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    for top, shade in lines:
        draw.rectangle((60, top, 700, top + LINE), fill=(shade,) * 3)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def result(
    task_id: str,
    sha256: str | None = None,
    *,
    run_date: str = "2026-11-22",
    total: float = 0.35,
    texts: Sequence[str] = ("Total 12.50", f"Phone {PHONE}"),
    document_type: str = "receipt",
    done_at: str = "2026-11-23T04:52:00.000+00:00",
    **more: Any,
) -> DocumentResult:
    """A receipt with a total that nobody is sure of, next to a phone number."""
    text = "\n".join(texts)
    lines, at = [], 0
    for number, one in enumerate(texts):
        lines.append(TextLine(text=one, box=box(100 + 60 * number), confidence=0.9, start=at))
        at += len(one) + 1
    fields = (
        Field(name="total", value="12.50", text="12.50", confidence=total, page=1, boxes=(box(100),), start=6, end=11),
        Field(name="phone", value=PHONE, text=PHONE, confidence=0.5, page=1, boxes=(box(160),), start=18, end=29),
    )  # fmt: skip
    info = ModelInfo(engine="fake-ocr", name="fake", digest="0" * 16)
    known: dict[str, Any] = {
        "task_id": task_id,
        "sha256": sha256,
        "source": f"file:///inbox/{task_id}.png",
        "status": "done",
        "run_date": run_date,
        "media_type": "image/png",
        "pages": (Page(number=1, width=WIDTH, height=HEIGHT, text=text, lines=tuple(lines), seconds=0.5),),
        "extraction": Extraction(document_type=document_type, confidence=0.9, fields=fields),
        "ocr": info,
        "fields": ModelInfo(engine="rules", name="older", digest="f" * 16),
        "seconds": {"ocr": 0.5, "ner": 0.1},
        "done_at": done_at,
        "first_seen": f"{run_date}T12:00:00.000+00:00",
        "pipeline_version": "0.1.0",
    }
    return DocumentResult(**(known | more))


def receive(store: Store, run_date: str, *task_ids: str, data: bytes | None = None) -> list[Task]:
    """Accept documents on a run date: receipts, markers and bytes."""
    tasks = [
        Task(
            task_id=task_id,
            sha256=pending.store_document(store, data if data is not None else task_id.encode()),
            source=f"file:///inbox/{task_id}.png",
            submitted_at=f"{run_date}T12:00:00.000+00:00",
            run_date=run_date,
        )
        for task_id in task_ids
    ]
    key = receipts.write(store, run_date, tasks)
    tasks = [structs.replace(task, receipt=key) for task in tasks]
    for task in tasks:
        pending.mark(store, task)
    return tasks


def finish(store: Store, task: Task, **more: Any) -> None:
    """End a task well."""
    known = {"sha256": task.sha256, "receipt": task.receipt, "run_date": task.run_date} | more
    records.finish(store, result(task.task_id, **known))


def sample(at_: str, **more: Any) -> Sample:
    """A sample of an open window, with work left."""
    known = {"window_open": True, "backlog_documents": 5, "backlog_pages": 9, "workers": 2, "processes": 4}
    return Sample(at=at(at_), **(known | more))


def night_of(store: Store, **settings: str) -> Night:
    """A night with the usual window in UTC."""
    given = Settings.from_env({}, store_url="memory://unused", ocr_engine="fake-ocr", **settings)
    return Night(given, store, Schedule(given, store))
