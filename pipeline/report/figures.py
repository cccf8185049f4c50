"""The figures of one night from its tables: what is compared between nights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.models import REVIEW
from pipeline.report import columns
from pipeline.storage import Store

BINS = 20
UNREAD = "unread"
"""Kind of documents of which nothing could be read."""

DOCUMENTS = (
    "status",
    "task_type",
    "document_type",
    "tenant",
    "media_type",
    "pages",
    "gpu_seconds",
    "seconds_ocr",
    "seconds_ner",
    "seconds_fields",
    "done_at",
    "deadline",
)
FIELDS = ("value", "confidence", "verified", "needs_review")


class Figures(msgspec.Struct, kw_only=True):
    """What the tables of a night say: counts of documents, `review` of fields, `confidence` in `BINS` bins.

    `step_seconds`: of all documents together, by step. `ended`: when the last document ended (UTC). `due`: documents
    with a deadline; `late`: those of them that ended after it.
    """

    documents: int = 0
    pages: int = 0
    done: int = 0
    partial: int = 0
    failed: int = 0
    review: int = 0
    kinds: dict[str, int] = {}
    tenants: dict[str, int] = {}
    media: dict[str, int] = {}
    confidence: tuple[int, ...] = (0,) * BINS
    gpu_seconds: float = 0.0
    step_seconds: dict[str, float] = {}
    ended: datetime | None = None
    due: int = 0
    late: int = 0


def of_night(store: Store, run_date: str) -> Figures | None:
    """The figures of a night; `None` before its tables are written. Raises `Damaged`."""
    table = columns.documents(store, run_date, DOCUMENTS)
    if table is None:
        return None
    found = of_documents(table)
    add_fields(found, columns.fields(store, run_date, FIELDS))
    return found


def of_documents(table: Any) -> Figures:
    """The figures of the documents table, which has at least the columns `DOCUMENTS`."""
    states = columns.counts(table["status"])
    last = pc.max(table["done_at"]).as_py()
    return Figures(
        documents=table.num_rows,
        pages=int(total(table["pages"])),
        done=states.get("done", 0),
        partial=states.get("partial", 0),
        failed=states.get("failed", 0),
        kinds=columns.counts(kinds(table)),
        tenants=columns.counts(table["tenant"]),
        media=columns.counts(table["media_type"]),
        gpu_seconds=total(table["gpu_seconds"]),
        step_seconds={step: total(table[f"seconds_{step}"]) for step in ("ocr", "ner", "fields")},
        ended=last,
        due=table.num_rows - table["deadline"].null_count,
        late=int(pc.sum(pc.greater(table["done_at"], table["deadline"])).as_py() or 0),
    )


def kinds(table: Any) -> Any:
    """The kind of each document: its type, else its task type; of one that could not be read `UNREAD`."""
    kind = pc.coalesce(table["document_type"], table["task_type"])
    return pc.if_else(pc.fill_null(pc.equal(table["status"], "failed"), False), UNREAD, kind)


def add_fields(found: Figures, groups: Any) -> None:
    """Add what the fields table says, group by group; its columns are at least `FIELDS`."""
    bins = np.zeros(BINS, np.int64)
    for group in groups:
        sure = group["confidence"].filter(pc.is_valid(group["value"])).drop_null()
        bins += np.histogram(np.clip(sure.to_numpy(), 0, 1), BINS, (0.0, 1.0))[0]
        found.review += int(total(needs_review(group)))
    found.confidence = tuple(int(n) for n in bins)


def needs_review(group: Any) -> Any:
    """Whether each field needs review; by its value and confidence where an older version did not write that."""
    low = pc.and_(pc.is_valid(group["value"]), pc.less(group["confidence"], pa.scalar(REVIEW, pa.float32())))
    guess = pc.and_(low, pc.invert(pc.fill_null(group["verified"], False)))
    return pc.fill_null(pc.coalesce(group["needs_review"], guess), False)


def total(column: Any) -> float:
    """The sum of a column, 0 of none."""
    return float(pc.sum(column).as_py() or 0)


def drift(tonight: Sequence[int], before: Sequence[int]) -> float | None:
    """Population stability index between two distributions in the same bins; `None` without any counts.

    The sum of (a - b) ln(a / b) over the shares a and b of each bin: Siddiqi, Credit Risk Scorecards, Wiley 2006,
    pages 136 and 137, who calls less than 0.1 no and more than 0.25 a significant change. It is Jeffreys' divergence;
    half a count more in each bin keeps an empty one from making it infinite.
    """
    if not sum(tonight) or not sum(before):
        return None
    pairs = zip(_shares(tonight), _shares(before), strict=True)
    return round(sum((a - b) * math.log(a / b) for a, b in pairs), 4)


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) + 0.5 * len(counts)
    return [(n + 0.5) / whole for n in counts]
