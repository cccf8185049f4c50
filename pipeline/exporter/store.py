"""What the store says: the window, housekeeping, paused steps, the last audit, and whether its clock is ours.

Only small objects are read, and few are listed: however large the store is, this takes a moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from pipeline import clock, storage
from pipeline.errors import RunError
from pipeline.ledger import counters
from pipeline.night import brake
from pipeline.night.checks import Checked
from pipeline.night.delivery import ACCEPT
from pipeline.night.night import Night
from pipeline.night.status import window
from pipeline.night.summaries import NIGHTS, Look
from pipeline.report.facts import AuditLine
from pipeline.steps.task_types import BUILT_IN_STEPS, further_steps
from pipeline.storage import Store, keys
from pipeline.storage.clocks import ahead
from pipeline.storage.objects import read_or_none
from pipeline.telemetry.exposition import Readings
from pipeline.version import __version__

Values = dict[tuple[str, tuple[str, ...]], float]

_OPEN = {
    "nightshift_failures_open": "failed",
    "nightshift_reprocessing_failures_open": "failed_again",
    "nightshift_callbacks_undelivered": "undelivered",
    "nightshift_overdue_documents": "overdue",
}
"""What a person must look at, as the counters call it."""


class _Reported(msgspec.Struct):
    """The only part that is read of a report."""

    audit: AuditLine | None = None


def vitals(night: Night) -> Readings:
    """What changes from moment to moment; raises `StoreUnavailable`, and `RunError` where there is no such store."""
    if not storage.exists(night.store):  # a share that is not mounted looks like an empty store
        raise RunError(f"No store found at {night.store.url}.", code="store_missing")
    now = clock.utc()
    found: Values = {("nightshift_build_info", (__version__,)): 1.0}
    found |= _window(night, now)
    found |= _housekeeping(night.store)
    found |= _brakes(night.store, now)
    skew = ahead(night.store)
    if skew is not None:
        found["nightshift_clock_skew_seconds", ()] = skew
    return found


def open_cases(night: Night) -> Readings:
    """What waits for a person, of all nights, as it was counted; nothing until beat has counted the store once.

    Raises `StoreUnavailable`.
    """
    found: Values = {}
    state = counters.read(night.store)
    if state.recounted is not None:
        found = {(name, ()): float(state.open(what)) for name, what in _OPEN.items()}
    for run_date in _newest(night.store, keys.REPORTS, NIGHTS):
        report = read_or_none(night.store, keys.report(run_date, "report.json"), _Reported)
        if report and report.audit:
            found["nightshift_ledger_discrepancies", ()] = float(sum(report.audit.discrepancies.values()))
            break
    return found


def _window(night: Night, now: datetime) -> Values:
    state = window(night.schedule)
    found: Values = {("nightshift_window_open", ()): float(state.open)}
    closes, opens = ("nightshift_window_closes_in_seconds", ()), ("nightshift_window_opens_in_seconds", ())
    found[opens if state.open else closes] = 0.0
    following = state.next_close if state.open else state.next_open
    if following:  # else never
        found[closes if state.open else opens] = max((following - now).total_seconds(), 0.0)
    return found


def _housekeeping(store: Store) -> Values:
    found: Values = {}
    tick = read_or_none(store, keys.control("tick"), Checked)
    if tick and tick.done:
        found["nightshift_last_tick_timestamp_seconds", ()] = tick.at.timestamp()
    looks = [
        look.at.timestamp()
        for run_date in _newest(store, keys.NIGHTS, NIGHTS)
        if (look := read_or_none(store, keys.night(run_date, "summarised"), Look)) and not look.begun
    ]
    if looks:
        found["nightshift_last_summary_timestamp_seconds", ()] = max(looks)
    return found


def _brakes(store: Store, now: datetime) -> Values:
    """Each step with 0 or 1, so that an alert ends with the pause."""
    paused = {note.step: note.pauses(now) for note in brake.notes(store)}
    return {("nightshift_brake", (step,)): float(paused.get(step, False)) for step in {*_steps(), *paused}}


def _steps() -> Iterable[str]:
    return (ACCEPT, "ingest", *BUILT_IN_STEPS, *further_steps(), "result")


def _newest(store: Store, prefix: str, count: int) -> list[str]:
    """The last run dates that have something under this prefix, the newest first."""
    return keys.run_dates(store.folders(prefix))[: -count - 1 : -1]
