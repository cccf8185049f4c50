"""Tasks whose acceptance or refusal was interrupted after its receipt: housekeeping resumes them, hourly.

The receipt is written before the marker, or before the record of a refusal. A process that dies in between leaves a
task that was received and is nowhere, unless its message comes again or its producer asks again.

Tables and markers name the receipts of their tasks, so only receipts that neither of them names are read: of the last
run dates, and of these only those that were not named at the check before either. By then an acceptance that was in
progress has its marker, and most records are in a table.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import structs

from pipeline.ledger import forgetting, places, receipts, redaction, restoring, tabled
from pipeline.ledger.sheets import Sheets
from pipeline.models import Task, to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.threads import in_threads

_DATES = 4
"""Run dates whose receipts are looked at: the current one, and the nights whose tables may still change."""


class _Unnamed(msgspec.Struct, frozen=True):
    """Receipts that neither a table nor a marker named at the last check."""

    receipts: tuple[str, ...] = ()


def resume(store: Store, markers: Mapping[str, str]) -> list[Task]:
    """Mark such tasks as pending, and return them: the caller publishes them.

    `markers`: the receipt of each pending task, by id. Raises what the store raises, and `Damaged` for a table that
    can't be read.
    """
    dates = keys.run_dates(store.folders(keys.RECEIPTS))[-_DATES:]
    nights = keys.run_dates(store.folders(f"{keys.SUMMARY}documents/"))
    nights = [night for night in nights if dates and night >= dates[0]]
    named = Sheets().new(str)
    for receipt in markers.values():
        named[receipt] = ""
    for night in nights:
        for _, receipt in tabled.receipts(store, night):
            named[receipt] = ""
    noted = keys.control("unnamed-receipts")
    before = read_or_none(store, noted, _Unnamed) or _Unnamed()
    unnamed = {key for date in dates for key in store.list(keys.receipts(date)) if key not in named}
    store.put(noted, to_json(_Unnamed(tuple(sorted(unnamed)))))
    found: dict[str, list[Task]] = {}
    for one in in_threads(
        lambda key: receipts.read(store, key, Task), sorted(unnamed & set(before.receipts))
    ):
        if name := keys.receipt_name(one.key):
            tasks = [structs.replace(task, receipt=one.key) for task in one.tasks]
            found.setdefault(name.run_date, []).extend(tasks)
    known = _known({task.task_id for tasks in found.values() for task in tasks}, store, nights, markers)
    return [
        task
        for date, tasks in sorted(found.items())
        for task in _resumed(store, date, [task for task in tasks if task.task_id not in known])
    ]


def _known(task_ids: set[str], store: Store, nights: list[str], markers: Mapping[str, str]) -> set[str]:
    """Those of the tasks that have a marker, or are in a table."""
    known = task_ids & markers.keys()
    for night in nights if task_ids else ():
        known |= {task_id for task_id, _ in tabled.receipts(store, night) if task_id in task_ids}
    return known


def _resumed(store: Store, run_date: str, tasks: list[Task]) -> list[Task]:
    """Those of the tasks that are really nowhere, and could be marked."""
    received: dict[str, list[Task]] = {}
    for task in tasks:
        received.setdefault(task.task_id, []).append(task)
    there = places.find(store, received, places.nights(store, run_date))
    lost = [received[gap.task_id][-1] for gap in places.missing(store, received, there.received)]
    going = forgetting.task_ids(store)
    # before it is marked, too: this process may have been paused, and may die before it looks again
    named = (t for t in lost if t.task_id not in going and redaction.names(store, t.receipt, t.task_id))
    marked = [restoring.mark(store, task, run_date) for task in named]
    return restoring.still_received(store, [task for task in marked if task], run_date)
