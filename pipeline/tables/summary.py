"""Results -> Arrow -> parquet: five tables per run date, in parts that are written atomically, replaced by a re-run.

The tables are hive-partitioned by `run_date`: the column comes from the path
(`summary/entities/run_date=2026-11-22/part-00000.parquet`), so `pd.read_parquet(".../summary/entities")`
reads all nights. docs/reference/parquet.md describes each column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from pipeline import clock
from pipeline.errors import NotFound, RunError
from pipeline.ledger import forgotten, removed
from pipeline.models import DocumentResult
from pipeline.storage import Store, keys, objects
from pipeline.tables.masking import IDS
from pipeline.tables.names import TABLES
from pipeline.tables.parts import Parts
from pipeline.tables.rows import rows_of
from pipeline.tables.schemas import SCHEMAS

_CHUNK = 256  # results held in memory at once ...
_THREADS = 8
_PAGES = 1024  # ... or fewer, where they have about so many pages


def summarise(
    store: Store,
    run_date: str,
    *,
    masked: str | bool = IDS,
    each: Callable[[DocumentResult], None] = lambda _: None,
    is_latest: Callable[[], bool] = lambda: True,
) -> dict[str, int]:
    """Write the tables of one run date from its results and failures; returns rows by table.

    `masked`: by which policy (`pipeline.mask_policy`). `each` is called with every record that is read. `is_latest`:
    whether no later summary has begun meanwhile, asked once all records are read: else the tables are left to that.

    Idempotent: the same results give the same tables under the same keys. The notes of what was replaced before are
    deleted; what is replaced meanwhile leaves notes of its own. It is repeated where documents are forgotten meanwhile.
    Raises `RunError` (`results_removed`) where retention has removed records: the tables would lose their rows. Then a
    note has housekeeping amend them.
    """
    _check_kept(store, run_date)
    again = False
    while True:
        before = forgotten.last_stamp(store)
        counts = _summarise(store, run_date, masked, each, is_latest)
        if forgotten.last_stamp(store) == before:
            break
        again = True
    if again:
        _purge(store, run_date)
    return counts


def _purge(store: Store, run_date: str) -> None:
    """Delete the earlier versions of a night's tables: those of a moment ago may have what was being forgotten."""
    with suppress(RunError):  # a user who may not do that still gets tables
        for table in TABLES:
            store.purge_below(keys.summary_parts(table, run_date))


def _check_kept(store: Store, run_date: str) -> None:
    if removed.of(store, run_date).records:
        store.put(keys.changed(run_date, "tables", clock.now()), b"")
        raise RunError(
            f"Results of {run_date} were removed by retention (NIGHTSHIFT_KEEP_DAYS), so its tables can't be written "
            "from them: housekeeping replaces the rows of what has changed since.",
            code="results_removed",
        )


def _summarise(
    store: Store,
    run_date: str,
    masked: str | bool,
    each: Callable[[DocumentResult], None],
    is_latest: Callable[[], bool],
) -> dict[str, int]:
    notes, is_forgotten = list(store.list(keys.changes(run_date))), forgotten.sweeper(store)
    counts = dict.fromkeys(TABLES, 0)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        parts = {table: Parts(Path(folder), table, SCHEMAS[table]) for table in TABLES}
        for read in _chunks(store, run_date):
            chunk = [record for record in read if not is_forgotten(record)]
            for record in chunk:
                each(record)
            for table, rows in rows_of(chunk, masked).items():
                counts[table] += len(rows)
                parts[table].add(rows)
        _check_kept(store, run_date)  # again: what was read may have been removed meanwhile
        paths = {table: parts[table].close() for table in TABLES}
        if not is_latest():
            return counts
        for table in TABLES:
            notes += _replace(store, table, run_date, paths[table])
    for note in notes:
        store.delete(note)
    return counts


def _replace(store: Store, table: str, run_date: str, paths: list[Path]) -> list[str]:
    """Put the parts of a table in place of what is there; returns notes to be deleted once all tables are written.

    Old parts are deleted before new ones are put, so that no row is there twice, whenever a process dies: rows may be
    missing then, and the note has the tables written again.
    """
    old = [
        key for key in store.list(keys.summary_parts(table, run_date)) if key != keys.summary(table, run_date)
    ]
    notes = []
    if old or paths[1:]:
        notes.append(keys.changed(run_date, "tables", clock.now()))
        store.put(notes[0], b"")
    for key in old:
        store.delete(key)
    for number, path in enumerate(paths):
        store.put_file(keys.summary(table, run_date, number), path)
    return notes


def _chunks(store: Store, run_date: str) -> Iterator[list[DocumentResult]]:
    """Results and failures of a run date, fetched in parallel to hide the store's latency.

    Long documents come few at a time: a chunk has as many as have `_PAGES`, by those before them.
    """
    names = chain(store.list(keys.results(run_date)), store.list(keys.failures(run_date)))
    size = _THREADS
    with ThreadPoolExecutor(_THREADS) as threads:
        while chunk := list(islice(names, size)):
            found = [r for r in threads.map(lambda key: _result(store, key), chunk) if r is not None]
            pages = sum(len(record.pages) for record in found)
            size = max(1, min(_CHUNK, size * 2, _PAGES * len(chunk) // max(pages, 1)))
            yield found


def _result(store: Store, key: str) -> DocumentResult | None:
    try:
        return objects.read(store, key, DocumentResult)
    except NotFound:
        return None  # removed in the meantime: a failed document was retried
