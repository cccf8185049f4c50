"""The tables of a night from which retention has removed records: only the rows of what changed since are replaced.

They can't be written from the records, as most are gone. So the rows of the tasks that a note names are removed, and
those of the records that they have now follow in parts of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import msgspec

from pipeline import clock
from pipeline.errors import NotFound
from pipeline.ledger import forgotten, records, removed, tabled
from pipeline.ledger.ends import End
from pipeline.ledger.removed import Removed
from pipeline.ledger.tabled import Row
from pipeline.models import DocumentResult, Status
from pipeline.storage import Store, keys, objects
from pipeline.tables.masking import IDS
from pipeline.tables.names import TABLES
from pipeline.tables.parts import Parts
from pipeline.tables.rows import rows_of
from pipeline.tables.schemas import SCHEMAS
from pipeline.tables.without import remove_rows
from pipeline.threads import in_threads


class _Differences(msgspec.Struct):
    """Between tables and records.

    `late`: keys of records whose rows are to be written. `gone`: tasks that have a row and no record of this night any
    more. `void`: late failures of tasks whose good results retention has removed, with what the rows say of these: a
    failure does not replace a good result, and these found none.
    """

    late: list[str] = msgspec.field(default_factory=list)
    gone: set[str] = msgspec.field(default_factory=set)
    void: list[tuple[str, str]] = msgspec.field(default_factory=list)


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
    found = _compare(store, run_date, {keys.changed_task(key) for key in notes})
    is_forgotten = forgotten.sweeper(store)
    read = in_threads(lambda key: _record(store, key), found.late, batch=4)
    late = [record for record in read if record and not is_forgotten(record)]
    replaced = found.gone | {record.task_id for record in late}
    if not is_latest():
        return 0
    notes += _noted(store, run_date, late, {keys.changed_task(key) for key in notes})
    for key, status in found.void:
        _remove_void(store, key, status)
    if replaced:
        remove_rows(store, run_date, replaced)
    if late:
        _append(store, run_date, late, masked)
        _begin_again(store, run_date)
    if forgotten.last_stamp(store) != before:  # what was read may have been forgotten meanwhile
        store.put(keys.changed(run_date, "tables", clock.now()), b"")
        remove_rows(store, run_date, replaced)
    for note in notes:
        store.delete(note)
    return len(replaced)


def _noted(store: Store, run_date: str, late: list[DocumentResult], known: set[str]) -> list[str]:
    """Note late records that left no note: a process that dies once one table has their rows would not begin again."""
    notes = [
        keys.changed(run_date, record.task_id, record.done_at)
        for record in late
        if record.task_id not in known
    ]
    for key in notes:
        store.put(key, b"")
    return notes


def _compare(store: Store, run_date: str, changed: set[str]) -> _Differences:
    there: dict[str, list[str]] = {}
    for key in chain(store.list(keys.results(run_date)), store.list(keys.failures(run_date))):
        there.setdefault(keys.task_id_of(key), []).append(key)
    found, late, known = _Differences(), set(there), removed.of(store, run_date)
    for task_id, row in tabled.each(store, run_date):
        was_removed = _was_removed(row, known)
        if task_id not in there:
            if not was_removed:
                found.gone.add(task_id)
        elif task_id not in changed:
            late.discard(task_id)
        elif row.status != "failed" and was_removed and all(map(_is_failure, there[task_id])):
            late.discard(task_id)
            found.void += [(key, row.status) for key in there[task_id]]
    found.late += [key for task_id in sorted(late) for key in there[task_id]]
    return found


def _is_failure(key: str) -> bool:
    return key.startswith(keys.FAILED)


def _remove_void(store: Store, key: str, status: str) -> None:
    """Delete a failure that does not count: the result that it should have found is only in the tables."""
    run_date, task_id = keys.run_date_of(key), keys.task_id_of(key)
    failure = End(task_id=task_id, status="failed", run_date=run_date, generation=keys.generation_of(key))
    good: Status = "partial" if status == "partial" else "done"
    records.remove(store, failure, End(task_id=task_id, status=good, run_date=run_date))


def _was_removed(row: Row, known: Removed) -> bool:
    """Whether retention has removed the records that end like this one, so that the row is all there is of it."""
    return ("failures" if row.status == "failed" else "results") in known.at


def _record(store: Store, key: str) -> DocumentResult | None:
    try:
        return objects.read(store, key, DocumentResult)
    except NotFound:
        return None  # redriven meanwhile, of which there is a note


def _append(store: Store, run_date: str, late: list[DocumentResult], masked: str | bool) -> None:
    parts = (key for table in TABLES for key in store.list(keys.summary_parts(table, run_date)))
    first = max(map(_number, parts), default=-1) + 1
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        for table, rows in rows_of(late, masked).items():
            part = Parts(Path(folder), table, SCHEMAS[table])
            part.add(rows)
            for number, path in enumerate(part.close()):
                store.put_file(keys.summary(table, run_date, first + number), path)


def _number(key: str) -> int:
    return int(key.rpartition("-")[2].partition(".")[0])


def _begin_again(store: Store, run_date: str) -> None:
    """Have retention remove these records, too, now that the tables have them."""
    for kind in sorted({"results", "failures"} & removed.of(store, run_date).at.keys()):
        removed.note(store, run_date, kind, clock.now(), begun=True)
