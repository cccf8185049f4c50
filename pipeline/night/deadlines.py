"""Deadlines: documents whose time runs out move to the urgent lane, as late as is safe.

Ingest leaves a note per document; its key has all that `pipeline.forecast.slack` needs, so that housekeeping lists and
reads nothing else. The note goes with the document, or when its deadline has passed: then it is too late to hurry, and
the document is counted as overdue until it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import islice, takewhile

from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, Newer
from pipeline.forecast.model import kind_of
from pipeline.ledger import counting, pending
from pipeline.ledger.counters import is_overdue
from pipeline.messages import URGENT, Message, is_backfill, is_urgent
from pipeline.models import Task
from pipeline.night.dispatch import resume
from pipeline.night.night import Night
from pipeline.night.pace import noted
from pipeline.storage import Store, keys

LOOKED_AT = 10_000
"""Notes that one step of housekeeping looks at: those of the earliest deadlines."""

AHEAD = 240.0
"""Seconds of work that the urgent lane is filled with; housekeeping comes every 30 seconds."""

_MOVED = 500  # documents that one step of housekeeping moves at most


def note(store: Store, task: Task, *, first: bool) -> None:
    """Note an ingested task that has a deadline to come; backfill is never hurried, as it may exceed a quota.

    One whose deadline has passed already is counted, if this is the `first` time.
    """
    due = clock.moment(task.deadline) if task.deadline else None
    if due and due > clock.utc() and not is_backfill(task.priority):
        store.put(_key(task, due, moved=is_urgent(task.priority)), b"")
    elif first and is_overdue(task, clock.utc()):
        counting.of(store).opened("overdue")


def forget(store: Store, task: Task) -> bool:
    """Remove the note of a task that has ended; returns whether it was counted as overdue, instead of noted."""
    due = clock.moment(task.deadline) if task.deadline else None
    if due is None:
        return False
    names = [_key(task, due, moved=moved) for moved in (False, True)]
    overdue = is_overdue(task, clock.utc()) and not any(map(store.exists, names))
    for name in names:
        store.delete(name)
    return overdue


def hurry(night: Night, now: datetime, publish: Callable[[list[Message]], None]) -> None:
    """Move to the urgent lane what must start now to be done by its deadline; while the window is open.

    Published first, then marked: a process that dies in between leaves a second message, which does nothing.
    At any time, count those whose deadlines have passed.
    """
    override = night.schedule.override()
    is_open = night.schedule.window.contains(now, override)
    found = islice(night.store.list(keys.DEADLINES), LOOKED_AT)
    noted_ones = ((key, name) for key in found if (name := keys.deadline_name(key)))
    named = list(noted_ones if is_open else takewhile(lambda one: one[1].at <= now, noted_ones))
    for key, name in [one for one in named if one[1].at <= now][:_MOVED]:
        _pass(night.store, key, name, now)
    if not is_open:
        return
    waiting = [one for one in named if one[1].at > now]
    if all(name.moved for _, name in waiting):
        return
    from pipeline.forecast.slack import Due, starting

    rates = noted(night.store).rates(night.schedule.run_date())
    first = starting(
        now,
        [Due(name.at, name.kind, name.pages) for _, name in waiting],
        rates,
        night.schedule.ahead(now, override),
        spread=night.settings.spread_pages,
        most=AHEAD,
    )
    for key, name in [waiting[index] for index in first if not waiting[index][1].moved][:_MOVED]:
        _move(night, key, name, publish)


def _pass(store: Store, key: str, name: keys.DeadlineName, now: datetime) -> None:
    """Count a document whose deadline has passed, unless it has ended."""
    store.delete(key)
    with suppress(Damaged, Newer):
        task = pending.newest(store, name.task_id)
        if task and is_overdue(task, now):
            counting.of(store).opened("overdue")


def _move(night: Night, key: str, name: keys.DeadlineName, publish: Callable[[list[Message]], None]) -> None:
    try:
        task = pending.newest(night.store, name.task_id)
    except (
        Damaged,
        Newer,
    ):  # reported by `status`; it cannot be processed before someone repairs it, or upgrades
        return
    if task is not None and not is_urgent(task.priority):
        before, task = task, structs.replace(task, priority=URGENT, turn=1)
        publish(resume(task, night.settings.spread_pages))
        if pending.update(night.store, task):
            counting.of(night.store).moved(before, task)
        else:
            task = None
    if task is not None:
        night.store.put(keys.deadline(name.at, name.kind, name.pages, name.task_id, moved=True), b"")
    night.store.delete(key)


def _key(task: Task, due: datetime, *, moved: bool) -> str:
    return keys.deadline(due, kind_of(task.media_type), max(task.pages, 1), task.task_id, moved=moved)
