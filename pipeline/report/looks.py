"""Twelve fields to look at: the least sure of those that need review, spread over the types of documents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import Damaged
from pipeline.models import HINTS, REVIEW, DocumentResult, Field
from pipeline.report.facts import Document, Look
from pipeline.report.figures import needs_review
from pipeline.report.pictures import Pictures
from pipeline.report.sentences import short
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.tables.masking import masked_sentence, masked_source
from pipeline.tables.masking.documents import masked_result

SHOWN = 12
FIELDS = ("task_id", "document_type", "field", "value", "confidence", "verified", "needs_review")
DOCUMENTS = (
    "task_id",
    "source",
    "sha256",
    "status",
    "document_type",
    "task_type",
    "pages",
    "mean_confidence",
    "error",
)
_CANDIDATES = 60  # of one type of document: others may be of the same document, or gone


class Candidates:
    """The least sure fields by type of document, as the fields table is read group by group."""

    def __init__(self) -> None:
        self._best: pa.Table | None = None

    def add(self, group: Any) -> None:
        """Add a row group, which has at least the columns `FIELDS`."""
        wanted = group.filter(needs_review(group)).select(["task_id", "document_type", "field", "confidence"])
        whole = wanted if self._best is None else pa.concat_tables([self._best, wanted])
        self._best = _least(whole)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Task id and name of a field, a type of document after the other, the least sure first; a document once."""
        rows = self._best.to_pylist() if self._best is not None else []
        by_type: dict[str, list[tuple[str, str]]] = {}
        seen: set[str] = set()
        for row in rows:
            if row["task_id"] not in seen:
                seen.add(row["task_id"])
                by_type.setdefault(row["document_type"] or "", []).append((row["task_id"], row["field"]))
        for some in zip_longest(*by_type.values()):
            yield from (one for one in some if one is not None)


def _least(whole: Any) -> Any:
    """The `_CANDIDATES` rows of each type with the lowest confidence, in this order."""
    ordered = whole.sort_by([("confidence", "ascending"), ("task_id", "ascending"), ("field", "ascending")])
    parts = []
    for kind in pc.unique(ordered["document_type"]).to_pylist():
        column = ordered["document_type"]
        same = pc.is_null(column) if kind is None else pc.fill_null(pc.equal(column, kind), False)
        parts.append(ordered.filter(same).slice(0, _CANDIDATES))
    return pa.concat_tables(parts) if parts else ordered


def looks(
    store: Store, run_date: str, candidates: Candidates, mask: str, pictures: Pictures
) -> tuple[Look, ...]:
    """The fields to look at, each with its picture where one may be shown."""
    found = (_look(store, run_date, *one, mask, pictures) for one in candidates)
    return tuple(islice((one for one in found if one is not None), SHOWN))


def _look(store: Store, run_date: str, task_id: str, name: str, mask: str, pictures: Pictures) -> Look | None:
    result = _record(store, run_date, task_id)
    true = _field(result, name)
    if result is None or true is None or not true.needs_review:  # replaced since the tables were written
        return None
    masked = masked_result(result, mask)
    shown = _field(masked, name)
    if shown is None:
        return None
    plain = (shown.value, shown.text) == (true.value, true.text)
    return Look(
        task_id=task_id,
        source=short(masked.source),
        field=name,
        value=short(shown.value or ""),
        confidence=round(true.confidence, 4),
        reason=reason(true),
        page=true.page or 0,
        picture=pictures.crop(result, masked, true.page, true.boxes) if plain and true.page else "",
    )


def _record(store: Store, run_date: str, task_id: str) -> DocumentResult | None:
    return read_or_none(store, keys.result(run_date, task_id), DocumentResult)


def _field(result: DocumentResult | None, name: str) -> Field | None:
    fields = result.extraction.fields if result and result.extraction else ()
    return next((field for field in fields if field.name == name), None)


def reason(field: Field) -> str:
    """Why a field needs review: the checks that failed, by their codes, else its confidence."""
    failed = [check for check in field.checks if check not in HINTS]
    return ", ".join(failed or [f"confidence below {REVIEW:g}", *field.checks])


def documents(store: Store, run_date: str, table: Any, mask: str, pictures: Pictures) -> tuple[Document, ...]:
    """All documents of a small night, the unwell and the least sure first."""
    worst = {"failed": 0, "partial": 1}
    rows = sorted(
        table.to_pylist(),
        key=lambda row: (worst.get(row["status"], 2), row["mean_confidence"] or 0.0, row["task_id"]),
    )
    return tuple(_document(store, run_date, row, mask, pictures) for row in rows)


def _document(store: Store, run_date: str, row: dict[str, Any], mask: str, pictures: Pictures) -> Document:
    source, sha256 = row["source"] or "", row["sha256"]
    picture = ""
    try:
        result = _record(store, run_date, row["task_id"]) if row["status"] != "failed" else None
        if result is not None:
            picture = pictures.thumbnail(result, masked_result(result, mask))
    except Damaged:
        pass
    return Document(
        task_id=row["task_id"],
        source=short(masked_source(source, mask, sha256)),
        status=row["status"] or "",
        document_type=row["document_type"] or row["task_type"] or "",
        pages=row["pages"] or 0,
        confidence=round(row["mean_confidence"], 4) if row["mean_confidence"] is not None else None,
        error=short(masked_sentence(row["error"] or "", mask, source=source, sha256=sha256)),
        picture=picture,
    )
