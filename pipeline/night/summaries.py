"""Which nights' tables are due, and writing them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import structs

from pipeline.errors import Damaged
from pipeline.models import to_json
from pipeline.night.flow import Flow
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.tables.summary import summarise

_PATIENCE = timedelta(hours=1)
_LEASE = timedelta(minutes=30)


_UNDER_WAY = -1  # records of a night whose summary was begun: another tick does it, or it failed


_GLANCE = timedelta(minutes=5)  # between looks at nights that are over


_NIGHTS = 3  # how many past nights may still get late results


class Summarised(msgspec.Struct, frozen=True):
    """What was seen when a night was last looked at: how many results and failures, and whether tasks were left."""

    records: int
    at: datetime
    left: bool = False


def summarise_due(flow: Flow, now: datetime) -> list[str]:
    """Summarise the nights whose records changed since; returns their run dates.

    These are the last few, told by the number of their records, and any with records that were replaced, redriven
    or discarded, told by the notes that this left. A night is summarised when its window has closed or nothing
    is left to do, and hourly till then; counting a night's records is much work for a store, so that is done now
    and then. Raises `Damaged` for a night with a damaged record, when the others are done.
    """
    done, damaged, changed = [], [], replaced(flow.store)
    left = any(True for _ in flow.store.list(keys.PENDING))
    working = left and flow.window.contains(now, flow.override())
    for run_date in sorted({*nights(flow.store)[-_NIGHTS:], *changed}):
        last = _summarised(flow.store, run_date)
        if last and now - last.at < _pace(last, left, working, run_date in changed):
            if left and not last.left:  # so that their end is noticed
                _note_look(flow.store, run_date, structs.replace(last, left=True))
            continue
        count = records(flow.store, run_date)
        if not last or last.records != count or run_date in changed:
            try:
                _write(flow, run_date, now, left)
            except Damaged as error:  # of this night alone
                damaged.append(error)
                continue
            done.append(run_date)
        _note_look(flow.store, run_date, Summarised(count, now, left))
        for key in changed.get(run_date, ()):  # what was replaced meanwhile has left notes of its own
            flow.store.delete(key)
    if damaged:
        raise damaged[0]
    return done


def _pace(last: Summarised, left: bool, working: bool, changed: bool) -> timedelta:
    """How long after its last look a night is to be looked at again."""
    if last.records == _UNDER_WAY:
        return _LEASE
    if working:
        return _PATIENCE
    return timedelta(0) if changed or (last.left and not left) else _GLANCE


def _write(flow: Flow, run_date: str, now: datetime, left: bool) -> None:
    """Summarise a night, noted first so that the next tick does not begin it too; one that breaks off is made anew."""
    _note_look(flow.store, run_date, Summarised(_UNDER_WAY, max(now, datetime.now(UTC)), left))
    try:
        summarise(flow.store, run_date, masked=flow.settings.mask)
    except Damaged:  # would be damaged the next time, too
        raise
    except Exception:
        flow.store.delete(keys.night(run_date, "summarised"))
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
    return sorted({name.removeprefix("run_date=") for prefix in prefixes for name in store.folders(prefix)})


def records(store: Store, run_date: str) -> int:
    """Number of results and failures of a night."""
    return sum(1 for prefix in (keys.results(run_date), keys.failures(run_date)) for _ in store.list(prefix))


def _summarised(store: Store, run_date: str) -> Summarised | None:
    return read_or_none(store, keys.night(run_date, "summarised"), Summarised)


def _note_look(store: Store, run_date: str, what: Summarised) -> None:
    store.put(keys.night(run_date, "summarised"), to_json(what))
