"""Results -> Arrow -> parquet: four tables per run date, written atomically, replaced by a re-run.

The tables are hive-partitioned by `run_date`: the column comes from the path
(`summary/entities/run_date=2026-11-22/part-00000.parquet`), so `pd.read_parquet(".../summary/entities")`
reads all nights. docs/reference/parquet.md describes each column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from pipeline.errors import NotFound
from pipeline.models import DocumentResult
from pipeline.storage import Store, keys, objects
from pipeline.tables.rows import rows_of
from pipeline.tables.schemas import SCHEMAS, TABLES

_CHUNK = 256  # results held in memory at once
_ROWS = 50_000  # maximum size of a row group


def summarise(store: Store, run_date: str, *, masked: bool = True) -> dict[str, int]:
    """Write the tables of one run date from its results and failures; returns rows by table.

    Idempotent: the same results give the same tables under the same keys.
    """
    counts = dict.fromkeys(TABLES, 0)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        paths = {table: Path(folder) / f"{table}.parquet" for table in TABLES}
        writers = {t: pq.ParquetWriter(paths[t], SCHEMAS[t], compression="zstd") for t in TABLES}
        for chunk in _chunks(store, run_date):
            for table, rows in rows_of(chunk, masked).items():
                counts[table] += len(rows)
                for first in range(0, len(rows), _ROWS):
                    writers[table].write_table(_arrow(rows[first : first + _ROWS], SCHEMAS[table]))
        for table in TABLES:
            writers[table].close()
            store.put_file(keys.summary(table, run_date), paths[table])
    return counts


def _arrow(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table, via JSON lines: faster than `from_pylist`, which also imports pandas."""
    data = b"\n".join(map(msgspec.json.encode, rows))
    return pj.read_json(
        pa.BufferReader(data),
        pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _chunks(store: Store, run_date: str) -> Iterator[list[DocumentResult]]:
    """Results and failures of a run date, fetched in parallel to hide the store's latency."""
    names = iter([*store.list(keys.results(run_date)), *store.list(keys.failures(run_date))])
    with ThreadPoolExecutor(8) as threads:
        while chunk := list(islice(names, _CHUNK)):
            yield [r for r in threads.map(lambda key: _result(store, key), chunk) if r is not None]


def _result(store: Store, key: str) -> DocumentResult | None:
    try:
        return objects.read(store, key, DocumentResult)
    except NotFound:
        return None  # removed in the meantime: a failed document was retried
