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


def rows(store: Store, run_date: str) -> Mapping[str, Row]:
    """The documents in the tables of a night, by task id; none before they are written. Raises `Damaged`."""
    key = keys.summary("documents", run_date)
    try:
        with pq.ParquetFile(io.BytesIO(store.get(key))) as file:
            columns = [name for name in _COLUMNS if name in file.schema_arrow.names]
            table = file.read(
                columns, use_threads=False
            )  # a pool that still starts at exit aborts the process
        return {
            row["task_id"]: Row(
                row["source"],
                row["sha256"],
                row.get("receipt") or "",
                row.get("digest") or "",
                row.get("tenant") or "",
                row.get("status") or "",
            )
            for row in table.to_pylist()
        }
    except NotFound:
        return {}
    except (pa.ArrowException, OSError, KeyError) as error:  # KeyError: it is another table
        raise Damaged(
            f"{key} is not readable ({type(error).__name__}): write it again with `nightshift summarise {run_date}`."
        ) from error


def marked(store: Store, run_date: str) -> set[str]:
    """Task ids whose records were replaced since the tables of a night were written."""
    return {keys.changed_task(key) for key in store.list(keys.changes(run_date))}
