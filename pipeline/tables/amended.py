"""The tables of a night from which retention has removed records: only the rows of what changed since are replaced.

They can't be written from the records, as most are gone. So the rows of the tasks that a note names are removed, and
those of the records that they have now follow in parts of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from pipeline import clock
from pipeline.errors import NotFound
from pipeline.ledger import forgotten, removed, tabled
from pipeline.ledger.removed import Removed
from pipeline.ledger.tabled import Row
from pipeline.models import DocumentResult
from pipeline.storage import Store, keys, objects
from pipeline.tables.masking import IDS
from pipeline.tables.names import TABLES
from pipeline.tables.parts import Parts
from pipeline.tables.rows import rows_of
from pipeline.tables.schemas import SCHEMAS
from pipeline.tables.without import remove_rows
from pipeline.threads import in_threads


def amend(
    store: Store,
    run_date: str,
    *,
    masked: str | bool = IDS,
    is_latest: Callable[[], bool] = lambda: True,
) -> int:
    """Put the rows of what changed in place of the old ones, and delete the notes; returns how many tasks it was.

    `masked`, `is_latest`: as of `summarise`. A row goes whose record was redriven, and stays where retention has
    removed the record. A process that dies leaves the notes, so that this is done once more. Raises `Damaged`.
    """
    before = forgotten.last_stamp(store)
    notes = list(store.list(keys.changes(run_date)))
    late, gone = _compare(store, run_date, {keys.changed_task(key) for key in notes})
    is_forgotten = forgotten.sweeper(store)
    read = in_threads(lambda key: _record(store, key), late, batch=4)
    records = [record for record in read if record and not is_forgotten(record)]
    replaced = gone | {record.task_id for record in records}
    if not is_latest():
        return 0
    if replaced:
        remove_rows(store, run_date, replaced)
    if records:
        _append(store, run_date, records, masked)
        _begin_again(store, run_date)
    if forgotten.last_stamp(store) != before:  # what was read may have been forgotten meanwhile
        store.put(keys.changed(run_date, "tables", clock.now()), b"")
        remove_rows(store, run_date, replaced)
    for note in notes:
        store.delete(note)
    return len(replaced)


def _compare(store: Store, run_date: str, changed: set[str]) -> tuple[list[str], set[str]]:
    """Keys of the records whose rows are to be written, and the tasks that have a row of this night no more."""
    there: dict[str, list[str]] = {}
    for key in chain(store.list(keys.results(run_date)), store.list(keys.failures(run_date))):
        there.setdefault(keys.task_id_of(key), []).append(key)
    known, gone, new = removed.of(store, run_date), set(), set(there)
    for task_id, row in tabled.each(store, run_date):
        new.discard(task_id)
        if task_id in changed and task_id not in there and not _was_removed(row, known):
            gone.add(task_id)
    return [key for task_id in sorted(new | changed & there.keys()) for key in there[task_id]], gone


def _was_removed(row: Row, known: Removed) -> bool:
    """Whether retention has removed the records that end like this one, so that the row is all there is of it."""
    return ("failures" if row.status == "failed" else "results") in known.at


def _record(store: Store, key: str) -> DocumentResult | None:
    try:
        return objects.read(store, key, DocumentResult)
    except NotFound:
        return None  # redriven meanwhile, of which there is a note


def _append(store: Store, run_date: str, records: list[DocumentResult], masked: str | bool) -> None:
    parts = (key for table in TABLES for key in store.list(keys.summary_parts(table, run_date)))
    first = max(map(_number, parts), default=-1) + 1
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        for table, rows in rows_of(records, masked).items():
            part = Parts(Path(folder), table, SCHEMAS[table])
            part.add(rows)
            for number, path in enumerate(part.close()):
                store.put_file(keys.summary(table, run_date, first + number), path)


def _number(key: str) -> int:
    return int(key.rpartition("-")[2].partition(".")[0])


def _begin_again(store: Store, run_date: str) -> None:
    """Have retention remove these records, too, now that the tables have them."""
    for kind in {"results", "failures"} & removed.of(store, run_date).at.keys():
        removed.note(store, run_date, kind, clock.now(), begun=True)
