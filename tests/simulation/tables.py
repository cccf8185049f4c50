"""The night's tables: the documents' alone, with few columns, as whole tables take longer than a simulated night."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.models import DocumentResult
from pipeline.storage.memory import MemoryStore
from pipeline.tables.names import TABLES
from pipeline.tables.schemas import SCHEMAS
from tests.simulation.checker import day_of

_COLUMNS = ("task_id", "source", "sha256", "receipt", "digest", "tenant", "status", "pipeline_version")
_PART = 4
"""Rows of a part."""
_SCHEMA = pa.schema([*(SCHEMAS["documents"].field(name) for name in (*_COLUMNS, "pages"))])


def rows_of(results: list[DocumentResult], _: str | bool) -> dict[str, list[dict[str, Any]]]:
    """In place of `pipeline.tables.rows.rows_of`."""
    documents = [
        {name: getattr(result, name) for name in _COLUMNS} | {"pages": len(result.pages)}
        for result in results
    ]
    return {table: documents if table == "documents" else [] for table in TABLES}


class ThinTable:
    """In place of `pipeline.tables.parts.Parts`, in parts of few rows; tables without rows are empty files."""

    def __init__(self, folder: Path, table: str, _: pa.Schema) -> None:
        self._folder, self._table = folder, table
        self._rows: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Keep the rows until `close`."""
        self._rows += rows

    def close(self) -> list[Path]:
        """Write them."""
        parts = range(0, max(1, len(self._rows)), _PART)
        return [self._written(n, self._rows[first : first + _PART]) for n, first in enumerate(parts)]

    def _written(self, number: int, rows: list[dict[str, Any]]) -> Path:
        path = self._folder / f"{self._table}-{number}.parquet"
        if self._table != "documents":
            path.touch()
            return path
        columns = {name: [row[name] for row in rows] for name in _SCHEMA.names}
        pq.write_table(
            pa.table(columns, schema=_SCHEMA),
            path,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        )
        return path


def statuses(store: MemoryStore) -> dict[str, dict[str, str]]:
    """What the documents' tables say: status by run date and task id."""
    found: dict[str, dict[str, str]] = {}
    for key in store.list("summary/documents/"):
        rows = pq.read_table(io.BytesIO(store.get(key)), columns=["task_id", "status"]).to_pylist()
        found.setdefault(day_of(key), {}).update({row["task_id"]: row["status"] for row in rows})
    return found
