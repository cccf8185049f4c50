"""What the tables of a night say about its records, and whether these are still the same."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import Damaged, NotFound
from pipeline.storage import Store, keys

_COLUMNS = ("task_id", "source", "sha256", "receipt", "digest", "tenant", "status")
_ALWAYS = ("task_id", "source", "sha256")  # in tables of all versions


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
    table = _read(store, run_date, _COLUMNS)
    if table is None:
        return {}
    unknown = [""] * table.num_rows
    task_ids, source, sha256, *more = (
        table[name].to_pylist() if name in table.column_names else unknown for name in _COLUMNS
    )
    texts = ([value or "" for value in column] for column in more)
    return dict(zip(task_ids, map(Row, source, sha256, *texts), strict=True))


def receipts(store: Store, run_date: str) -> dict[str, str]:
    """The receipts in the tables of a night, by task id: the same, and much less work. Raises `Damaged`."""
    table = _read(store, run_date, ("task_id", "receipt"))
    if table is None or "receipt" not in table.column_names:
        return {}
    columns = (table[name].to_pylist() for name in ("task_id", "receipt"))
    return {task_id: receipt or "" for task_id, receipt in zip(*columns, strict=True)}


def _read(store: Store, run_date: str, columns: tuple[str, ...]) -> pa.Table | None:
    """Some columns of the table of a night's documents, those that it has; `None` before it is written."""
    key = keys.summary("documents", run_date)
    try:
        with pq.ParquetFile(io.BytesIO(store.get(key))) as file:
            names = [name for name in columns if name in file.schema_arrow.names]
            if missing := {*_ALWAYS} & {*columns} - {*names}:
                raise KeyError(*missing)
            return file.read(names, use_threads=False)  # a pool that still starts at exit aborts the process
    except NotFound:
        return None
    except (pa.ArrowException, OSError, KeyError) as error:  # KeyError: it is another table
        raise Damaged(
            f"{key} is not readable ({type(error).__name__}): write it again with `nightshift summarise {run_date}`."
        ) from error


def marked(store: Store, run_date: str) -> set[str]:
    """Task ids whose records were replaced since the tables of a night were written."""
    return {keys.changed_task(key) for key in store.list(keys.changes(run_date))}
