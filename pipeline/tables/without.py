"""A night's tables without the rows of some tasks."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import Damaged, NotFound
from pipeline.storage import Store, keys
from pipeline.tables.names import TABLES


def remove_rows(store: Store, run_date: str, task_ids: Collection[str]) -> dict[str, int]:
    """Rewrite the tables of a night without these tasks; returns the rows removed by table. Raises `Damaged`.

    Tables are read as they are, not written again from the results, which may be gone. One that has no such row is not
    touched.
    """
    removed: dict[str, int] = {}
    gone = pa.array(sorted(task_ids), pa.string())
    for table in TABLES:
        for key in store.list(keys.summary_parts(table, run_date)):
            try:
                removed[table] = removed.get(table, 0) + _rewrite(store, key, gone)
            except NotFound:
                continue
            except (pa.ArrowException, OSError, KeyError) as error:
                raise Damaged(
                    f"{key} is not readable ({type(error).__name__}): write it again with "
                    f"`nightshift summarise {run_date}`."
                ) from error
    return removed


def _rewrite(store: Store, key: str, task_ids: pa.Array) -> int:
    """One table, row group by row group; returns how many rows were removed.

    It is read by this thread: Arrow's pool aborts a process that exits while it starts.
    """
    with pq.ParquetFile(pa.BufferReader(store.get(key))) as file:
        column = file.read(["task_id"], use_threads=False)["task_id"]
        count = int(pc.sum(pc.is_in(column, task_ids)).as_py() or 0)
        if not count:
            return 0
        with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
            path = Path(folder) / "table.parquet"
            with pq.ParquetWriter(path, file.schema_arrow, compression="zstd") as writer:
                for number in range(file.num_row_groups):
                    group = file.read_row_group(number, use_threads=False)
                    kept = group.filter(pc.invert(pc.is_in(group["task_id"], task_ids)))
                    if kept.num_rows:
                        writer.write_table(kept, row_group_size=kept.num_rows)
            store.put_file(key, path)
    return count
