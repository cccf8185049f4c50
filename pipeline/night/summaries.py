"""Which nights' tables are due, and writing them.

A night is looked at when something may have changed: which night, and how often, `is_due` decides from the note that
the last look left in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, Newer
from pipeline.ledger import healing, removed, reported
from pipeline.ledger.records import without_pages
from pipeline.models import DocumentResult, to_json
from pipeline.night import pace, remnants
from pipeline.night.night import Night
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

NIGHTS = 3
"""How many past nights may still get late results."""

WHILE_WORKING = timedelta(hours=1)
"""Between two looks at a night while work continues: counting its records is much work for a store."""

WHEN_OVER = timedelta(minutes=5)
"""Between two looks at nights that are over."""

LEASE = timedelta(minutes=30)
"""After which a summary that was begun and not ended is taken to have died: longer than a tick may live."""

Activity = Literal["working", "waiting", "idle"]
"""Tasks are pending and the window is open; tasks are pending and it is closed; none is pending."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen when a night was last looked at.

    `records`: as many as its tables have. `begun`: its summary was begun and has not ended.
    """

    at: datetime
    records: int = 0
    activity: Activity = "idle"
    begun: bool = False


def is_due(last: Look | None, now: datetime, activity: Activity, *, changed: bool) -> bool:
    """Whether a night is to be looked at; `changed`: records of it were replaced, redriven or discarded since."""
    age = clock.age(last.at, now) if last else None
    if last is None or age is None:
        return True
    if last.begun:
        return age >= LEASE
    if activity == "working":
        return age >= WHILE_WORKING
    just_ended = activity == "idle" and last.activity != "idle"
    return changed or just_ended or age >= WHEN_OVER


def summarise_due(night: Night, now: datetime) -> list[str]:
    """Summarise the nights whose records changed since; returns their run dates.

    These are the last few, recognised by the number of their records, and any with records that were replaced,
    redriven or discarded, recognised by the notes that this left. Raises `Damaged` or `Newer` for a night with a record
    that can't be read, after the others are done.
    """
    store, done, damaged, changed = night.store, [], [], replaced(night.store)
    activity = activity_of(night, now)
    for run_date in sorted(
        {*_recent(nights(store), max(night.schedule.run_date(), f"{now:%Y-%m-%d}")), *changed}
    ):
        last = _last_look(store, run_date)
        if not is_due(last, now, activity, changed=run_date in changed):
            if last and last.activity == "idle" != activity:  # so that the end of it is noticed
                _note(store, run_date, structs.replace(last, activity=activity))
            continue
        count = records(store, run_date)
        ahead = (
            last is not None and clock.age(last.at, now) is None
        )  # written with another clock: not known to be whole
        changed_now = not last or ahead or last.begun or last.records != count or run_date in changed
        if changed_now:
            try:
                if removed.of(store, run_date).records:
                    _amend(night, run_date, now, activity)
                else:
                    count = _write(night, run_date, now, activity)
            except (Damaged, Newer) as error:  # of this night alone
                damaged.append(error)
                continue
            done.append(run_date)
        _note(store, run_date, Look(at=now, records=count, activity=activity))
    if damaged:
        raise damaged[0]
    return done


def _recent(found: list[str], current: str) -> list[str]:
    """The last few nights up to the current one, and any that a clock that was ahead has begun."""
    return [*[n for n in found if n <= current][-NIGHTS:], *[n for n in found if n > current]]


def activity_of(night: Night, now: datetime) -> Activity:
    """What is going on in the store and the window."""
    if not any(True for _ in night.store.list(keys.PENDING)):
        return "idle"
    return "working" if night.schedule.window.contains(now, night.schedule.override()) else "waiting"


def _write(night: Night, run_date: str, now: datetime, activity: Activity) -> int:
    """Summarise a night, noted first so that the next tick does not begin it too; one that fails is due again.

    What processes that died have left in it is put right before and after. Returns how many records the tables have:
    some that there were before may have been deleted, so that others would take their place in the count.
    """
    # with the rules for masking and with pyarrow: two seconds of which processes that write no table have no use
    from pipeline.tables.summary import summarise

    partial: dict[str, DocumentResult] = {}

    def keep(record: DocumentResult) -> None:
        if record.status == "partial":
            partial[record.task_id] = without_pages(record)

    with _begun(night, run_date, now, activity) as is_latest:
        healing.failures(night.store, run_date, lambda end: remnants.notify_again(night.store, end))
        rows = summarise(night.store, run_date, masked=night.settings.mask, each=keep, is_latest=is_latest)[
            "documents"
        ]
        healing.notes(night.store, run_date, partial)
        reported.mark(night.store, run_date)
    pace.note_night(night, run_date)
    if not is_latest():  # this process was paused: newer tables may have been replaced
        night.store.put(keys.changed(run_date, "tables", clock.now()), b"")
    return rows


def _amend(night: Night, run_date: str, now: datetime, activity: Activity) -> None:
    """Write what changed into the tables of a night from which retention has removed records."""
    from pipeline.tables.amended import amend

    with _begun(night, run_date, now, activity) as is_latest:
        amend(night.store, run_date, masked=night.settings.mask, is_latest=is_latest)
    if not is_latest():
        night.store.put(keys.changed(run_date, "tables", clock.now()), b"")


@contextmanager
def _begun(night: Night, run_date: str, now: datetime, activity: Activity) -> Iterator[Callable[[], bool]]:
    """Note that the tables of a night are being written; gives whether no later process has begun meanwhile.

    Where it fails they are due again, but not for records that can't be read: those fail the next time as well.
    """
    begun = Look(at=max(now, clock.utc()), activity=activity, begun=True)
    _note(night.store, run_date, begun)
    try:
        yield lambda: _last_look(night.store, run_date) == begun
    except (Damaged, Newer):
        raise
    except Exception:
        night.store.delete(keys.night(run_date, "summarised"))
        raise


def replaced(store: Store) -> dict[str, list[str]]:
    """Notes of records that were replaced since the last summary, by run date."""
    found: dict[str, list[str]] = {}
    for key in store.list(keys.CHANGED):
        found.setdefault(keys.run_date_of(key), []).append(key)
    return found


def nights(store: Store) -> list[str]:
    """Run dates that have records, in order."""
    prefixes = (keys.NIGHTS, keys.RESULTS, keys.FAILED)
    return keys.run_dates(name for prefix in prefixes for name in store.folders(prefix))


def records(store: Store, run_date: str) -> int:
    """Number of results and failures of a night."""
    return sum(1 for prefix in (keys.results(run_date), keys.failures(run_date)) for _ in store.list(prefix))


def _last_look(store: Store, run_date: str) -> Look | None:
    return read_or_none(store, keys.night(run_date, "summarised"), Look)


def _note(store: Store, run_date: str, look: Look) -> None:
    store.put(keys.night(run_date, "summarised"), to_json(look))
