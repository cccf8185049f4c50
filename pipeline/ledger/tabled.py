"""What the tables of a night say about its records, and whether these are still the same."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import Damaged, NotFound
from pipeline.storage import Store, keys

_REQUIRED = ("task_id", "source", "sha256")
_COLUMNS = (*_REQUIRED, "receipt", "digest", "tenant", "status")


class Row(NamedTuple):
    """A document in the tables of its night. Tables of older versions have neither receipts nor digests."""

    source: str
    sha256: str | None
    receipt: str
    digest: str
    tenant: str = ""
    status: str = ""

    def is_of(self, key: str) -> bool:
        """Whether it says how the task of this record ended; not if it ended otherwise, or in an older version."""
        ends = ("failed",) if key.startswith(keys.FAILED) else ("done", "partial")
        return bool(self.digest) and not key.startswith(keys.PENDING) and self.status in ends


def rows(store: Store, run_date: str) -> Mapping[str, Row]:
    """The documents in the tables of a night, by task id; none before they are written. Raises `Damaged`."""
    task_ids, source, sha256, *more = _read(store, run_date, _COLUMNS)
    return dict(zip(task_ids, map(Row, source, sha256, *more), strict=True))


def receipts(store: Store, run_date: str) -> dict[str, str]:
    """The receipts in the tables of a night, by task id: the same, and much less work. Raises `Damaged`."""
    return dict(zip(*_read(store, run_date, ("task_id", "receipt")), strict=True))


def _read(store: Store, run_date: str, columns: Sequence[str]) -> list[list[Any]]:
    """Some columns of the table of a night's documents; empty ones before it is written."""
    key = keys.summary("documents", run_date)
    try:
        with pq.ParquetFile(io.BytesIO(store.get(key))) as file:
            return [_column(file, name) for name in columns]
    except NotFound:
        return [[] for _ in columns]
    except (pa.ArrowException, OSError, KeyError) as error:  # KeyError: it is another table
        raise Damaged(
            f"{key} is not readable ({type(error).__name__}): write it again with `nightshift summarise {run_date}`."
        ) from error


def _column(file: Any, name: str) -> list[Any]:
    """The values of one column: one after the other, as a table of them all takes as much memory as the rows.

    Texts of tables of older versions may be missing. Raises `KeyError` for another table.
    """
    if name not in file.schema_arrow.names:
        if name in _REQUIRED:
            raise KeyError(name)
        return [""] * file.metadata.num_rows
    # without threads: a pool that still starts at exit aborts the process
    values: list[Any] = file.read([name], use_threads=False)[name].to_pylist()
    if name in _REQUIRED:
        return values
    same: dict[str, str] = {}  # few different tenants and states
    return [same.setdefault(value or "", value or "") for value in values]


def marked(store: Store, run_date: str) -> set[str]:
    """Task ids whose records were replaced since the tables of a night were written."""
    return {keys.changed_task(key) for key in store.list(keys.changes(run_date))}
