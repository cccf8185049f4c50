"""Results -> Arrow -> parquet: five tables per run date, written atomically, replaced by a re-run.

The tables are hive-partitioned by `run_date`: the column comes from the path
(`summary/entities/run_date=2026-11-22/part-00000.parquet`), so `pd.read_parquet(".../summary/entities")`
reads all nights. docs/reference/parquet.md describes each column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from pipeline.errors import NotFound, RunError
from pipeline.ledger import forgotten, removed
from pipeline.models import DocumentResult
from pipeline.storage import Store, keys, objects
from pipeline.tables.masking import IDS
from pipeline.tables.rows import rows_of
from pipeline.tables.schemas import SCHEMAS, TABLES

_CHUNK = 256  # results held in memory at once
_ROWS = 131_072  # rows of a row group, so that a reader can skip groups, and is not slowed down by many ...
_BYTES = 64 << 20  # ... or fewer where this size is reached: groups are held in memory


def summarise(
    store: Store,
    run_date: str,
    *,
    masked: str | bool = IDS,
    each: Callable[[DocumentResult], None] = lambda _: None,
) -> dict[str, int]:
    """Write the tables of one run date from its results and failures; returns rows by table.

    `masked`: by which policy (`pipeline.mask_policy`). `each` is called with every record that is read.

    Idempotent: the same results give the same tables under the same keys. The notes of what was replaced before are
    deleted; what is replaced meanwhile leaves notes of its own. It is repeated where documents are forgotten meanwhile.
    Raises `RunError` (`results_removed`) where retention has removed records: the tables would lose their rows.
    """
    _check_kept(store, run_date)
    while True:
        before = forgotten.last_stamp(store)
        counts = _summarise(store, run_date, masked, each)
        if forgotten.last_stamp(store) == before:
            return counts


def _check_kept(store: Store, run_date: str) -> None:
    if removed.of(store, run_date).records:
        raise RunError(
            f"Results of {run_date} were removed by retention (NIGHTSHIFT_KEEP_DAYS): its tables stay as they are.",
            code="results_removed",
        )


def _summarise(
    store: Store, run_date: str, masked: str | bool, each: Callable[[DocumentResult], None]
) -> dict[str, int]:
    notes, is_forgotten = list(store.list(keys.changes(run_date))), forgotten.sweeper(store)
    counts = dict.fromkeys(TABLES, 0)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        paths = {table: Path(folder) / f"{table}.parquet" for table in TABLES}
        groups = {table: _Groups(paths[table], SCHEMAS[table]) for table in TABLES}
        for read in _chunks(store, run_date):
            chunk = [record for record in read if not is_forgotten(record)]
            for record in chunk:
                each(record)
            for table, rows in rows_of(chunk, masked).items():
                counts[table] += len(rows)
                groups[table].add(rows)
        _check_kept(store, run_date)  # again: what was read may have been removed meanwhile
        for table in TABLES:
            groups[table].close()
            store.put_file(keys.summary(table, run_date), paths[table])
    for note in notes:
        store.delete(note)
    return counts


class _Groups:
    """Writes a table in row groups of about `_ROWS`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[pa.Table] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        for first in range(0, len(rows), _ROWS):
            self._waiting.append(_arrow(rows[first : first + _ROWS], self._schema))
            if (
                sum(t.num_rows for t in self._waiting) >= _ROWS
                or sum(t.nbytes for t in self._waiting) >= _BYTES
            ):
                self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=2 * _ROWS)
            self._waiting = []


def _arrow(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table, via JSON lines: faster than `from_pylist`, which also imports pandas."""
    data = b"\n".join(map(msgspec.json.encode, rows))
    # a reader of JSON knows dates as numbers only
    read_as = pa.schema([(f.name, pa.string() if f.type == pa.date32() else f.type) for f in schema])
    table = pj.read_json(
        pa.BufferReader(data),
        pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        pj.ParseOptions(explicit_schema=read_as, unexpected_field_behavior="ignore"),
    )
    return table.cast(schema)


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
