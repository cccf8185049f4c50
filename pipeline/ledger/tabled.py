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
    key = keys.summary("documents", run_date)
    try:
        with pq.ParquetFile(io.BytesIO(store.get(key))) as file:
            columns = [name for name in _COLUMNS if name in file.schema_arrow.names]
            table = file.read(
                columns, use_threads=False
            )  # a pool that still starts at exit aborts the process
        unknown = [""] * table.num_rows
        task_ids, source, sha256, *more = (
            table[name].to_pylist() if name in table.column_names else unknown for name in _COLUMNS
        )
        missing = {"task_id", "source", "sha256"} - {*table.column_names}
        if missing:
            raise KeyError(*missing)
        texts = ([value or "" for value in column] for column in more)
        return dict(zip(task_ids, map(Row, source, sha256, *texts), strict=True))
    except NotFound:
        return {}
    except (pa.ArrowException, OSError, KeyError) as error:  # KeyError: it is another table
        raise Damaged(
            f"{key} is not readable ({type(error).__name__}): write it again with `nightshift summarise {run_date}`."
        ) from error


def marked(store: Store, run_date: str) -> set[str]:
    """Task ids whose records were replaced since the tables of a night were written."""
    return {keys.changed_task(key) for key in store.list(keys.changes(run_date))}
