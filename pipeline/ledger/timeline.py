"""The course of a night: a sample every five minutes, written by housekeeping, for the report and its plots.

`timeline/run_date=…/<HHMM>.json` (UTC, rounded down), so that a sample that is taken twice is one object.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.threads import in_threads

PERIOD = timedelta(minutes=5)
"""Between two samples."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a night; times are UTC, counts are of this run date since its beginning.

    `backlog_documents`, `backlog_pages`: accepted and not ended. `pages`: pages read so far. `step_seconds`: seconds
    that steps took so far, by step. `busy_seconds`: seconds that models computed so far, of all processes together.
    `processes`: processes whose models computed. `memory_mib`: of each device, see `counters.State.memory`. `p50`,
    `p90`: when the backlog will be done, as forecast at that moment; `spread`: of its model (`Forecast.spread`).
    `trouble`: one sentence about an outage, a brake or an alarm; empty in quiet times.
    """

    at: datetime
    window_open: bool
    backlog_documents: int
    backlog_pages: int
    done: int = 0
    partial: int = 0
    failed: int = 0
    pages: int = 0
    step_seconds: dict[str, float] = {}
    busy_seconds: float = 0.0
    processes: int = 0
    workers: int = 0
    memory_mib: dict[str, float] = {}
    p50: datetime | None = None
    p90: datetime | None = None
    spread: float = 0.0
    trouble: str = ""


def slot(run_date: str, at: datetime) -> str:
    """Key of the sample of a moment: one for each five minutes, in UTC."""
    at = at.astimezone(UTC)
    return keys.timeline(run_date, f"{at.hour:02}{at.minute - at.minute % 5:02}")


def write(store: Store, run_date: str, sample: Sample) -> None:
    """Write or replace the sample of its moment; raises what the store raises."""
    store.put(slot(run_date, sample.at), to_json(sample))


def samples(store: Store, run_date: str) -> list[Sample]:
    """The samples of a run date, in order; one that can't be read is left out. Raises what the store raises."""
    names = list(store.list(keys.timeline(run_date)))
    found = in_threads(lambda key: read_or_none(store, key, Sample), names, batch=8)
    return sorted((one for one in found if one), key=lambda one: one.at)


def dates(store: Store) -> list[str]:
    """The run dates that have samples, in order."""
    return keys.run_dates(store.folders(keys.TIMELINE))


def remove(store: Store, before: str) -> None:
    """Delete the samples of all run dates before one; raises what the store raises."""
    for run_date in dates(store):
        if run_date < before:
            for key in list(store.list(keys.timeline(run_date))):
                store.delete(key)
