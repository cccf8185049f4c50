"""Columns of a night's tables as the report needs them; what an older version did not write is null.

All is read by this thread: Arrow's pool aborts a process that exits while it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import Damaged, NotFound
from pipeline.storage import Store, keys
from pipeline.tables.schemas import SCHEMAS


def documents(store: Store, run_date: str, names: Sequence[str]) -> pa.Table | None:
    """Columns of the documents table; `None` before it is written. Raises `Damaged`."""
    found = []
    for key in store.list(keys.summary_parts("documents", run_date)):
        with _opened(store, key) as file:
            if file is not None:
                read = file.read(_there(file, names), use_threads=False)
                found.append(_whole(read, "documents", names, file.metadata.num_rows))
    return pa.concat_tables(found) if found else None


def fields(store: Store, run_date: str, names: Sequence[str]) -> Iterator[pa.Table]:
    """Columns of the fields table, row group by row group; none before it is written. Raises `Damaged`."""
    for key in store.list(keys.summary_parts("fields", run_date)):
        with _opened(store, key) as file:
            for number in range(file.num_row_groups) if file is not None else ():
                rows = file.metadata.row_group(number).num_rows
                group = file.read_row_group(number, _there(file, names), use_threads=False)
                yield _whole(group, "fields", names, rows)


@contextmanager
def _opened(store: Store, key: str) -> Iterator[Any]:
    """A part of a table; `None` where it was replaced since it was listed."""
    try:
        with pq.ParquetFile(pa.BufferReader(store.get(key))) as file:
            yield file
    except NotFound:
        yield None
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:  # the latter: columns of another type
        raise Damaged(
            f"{key} is not readable ({type(error).__name__}): write it again with "
            f"`nightshift summarise {keys.run_date_of(key)}`."
        ) from error


def _there(file: Any, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in file.schema_arrow.names]


def _whole(read: pa.Table, table: str, names: Sequence[str], rows: int) -> pa.Table:
    schema = SCHEMAS[table]
    columns = [
        read[name].cast(schema.field(name).type)
        if name in read.column_names
        else pa.nulls(rows, schema.field(name).type)
        for name in names
    ]
    return pa.table(columns, names=list(names))


def counts(column: Any) -> dict[str, int]:
    """How often each value of a column occurs, most frequent first; null is empty."""
    found: dict[str, int] = {}
    for one in pc.value_counts(column).to_pylist():
        name = one["values"] or ""
        found[name] = found.get(name, 0) + one["counts"]
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
