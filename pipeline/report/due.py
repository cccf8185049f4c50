"""Which reports are due, and writing them: once a night is over, and again when what they show has changed.

Everything that decides is in the store: `control/report-<run date>.json` marks a night whose tables were written, or
whose documents were forgotten; `written.json` next to a report says when it was begun or written last. Two
processes at once write the same; one that dies is followed by another after `LEASE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from pipeline import clock
from pipeline.ledger import removed, reported
from pipeline.models import to_json
from pipeline.night import dead
from pipeline.night.night import Night
from pipeline.night.summaries import Look
from pipeline.report import course, written
from pipeline.storage import keys
from pipeline.storage.objects import read_or_none

LEASE = timedelta(minutes=30)
"""After which a report that was begun and not written is taken to have died."""

AGAIN = timedelta(minutes=5)
"""Between two reports of one night."""

WAIT = timedelta(minutes=30)
"""After close, for tables that are written while nothing works any more."""

SETTLING = timedelta(minutes=1)
"""After close, for work in progress to stop."""

_DAYS = 9  # back to the last window that has closed: it may be a weekly one


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """When a report was written last (`done`), or begun."""

    at: datetime
    done: bool = True


def write_due(
    night: Night, now: datetime, letters: Callable[[], Sequence[dead.Group]] = lambda: ()
) -> str | None:
    """Write the first report that is due; returns its run date, `None` where none is.

    `letters`: asked for the dead letters that a person must look at. Raises what the store raises.
    """
    for run_date, mark in _due(night, now):
        key = keys.report(run_date, reported.WRITTEN)
        night.store.put(key, to_json(Begun(at=now, done=False)))
        try:
            written.write(night, run_date, now, letters=letters())
        except Exception:
            night.store.put(key, to_json(Begun(at=now)))  # the mark stays: it is tried again after `AGAIN`
            if not mark:
                reported.mark(night.store, run_date)
            raise
        night.store.put(key, to_json(Begun(at=max(now, clock.utc()))))
        if mark:
            reported.unmark(night.store, run_date, mark)
        return run_date
    return None


def _due(night: Night, now: datetime) -> Iterator[tuple[str, bytes]]:
    """Nights whose reports are due, the latest first, with their marks; empty for one that never had a report."""
    marks, current = reported.marks(night.store), night.schedule.run_date()
    last = last_closed(night, now)
    for run_date in sorted({*marks, *([last] if last else [])}, reverse=True):
        mark = marks.get(run_date, b"")
        if run_date >= current:
            continue
        gone = removed.of(night.store, run_date)
        if gone.records or {"reports", "all"} & gone.at.keys():
            if mark:
                reported.unmark(night.store, run_date, mark)
            continue
        note = read_or_none(night.store, keys.report(run_date, reported.WRITTEN), Begun)
        age = clock.age(note.at, now) if note else None
        if note is None or age is None:
            waits = False
        elif note.done:
            waits = not mark or age < AGAIN
        else:
            waits = age < LEASE
        if not waits and _is_over(night, run_date, now):
            yield run_date, mark


def _is_over(night: Night, run_date: str, now: datetime) -> bool:
    """Whether nothing works on a night any more and its tables say so, or that was waited for long enough."""
    closed = closed_at(night, run_date)
    if now - closed >= WAIT:
        return True
    look = read_or_none(night.store, keys.night(run_date, "summarised"), Look)
    settled = look is not None and not look.begun and look.activity != "working"
    return settled and look is not None and look.at >= closed + SETTLING


def closed_at(night: Night, run_date: str) -> datetime:
    """When a night was over by the schedule: at close, or, for a window that never closes, with the day."""
    window = night.schedule.window
    if closed := course.bounds(window, run_date).closed:
        return closed
    return datetime.combine(date.fromisoformat(run_date) + timedelta(days=1), time(), window.zone)


def last_closed(night: Night, now: datetime) -> str | None:
    """The run date of the last window that has closed; `None` for a window that never opens."""
    window = night.schedule.window
    today = now.astimezone(window.zone).date()
    for back in range(_DAYS):
        run_date = (today - timedelta(days=back)).isoformat()
        opened, closed = course.bounds(window, run_date)
        if (closed and closed <= now) or (window.spec == "always" and back):
            return run_date
        if opened is None and window.spec == "never":
            return None
    return None
