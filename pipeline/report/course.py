"""The course of a night: its window, and what the samples of it tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise, zip_longest
from typing import NamedTuple

from pipeline.ledger.timeline import Sample
from pipeline.night.window import OffPeakWindow

SILENCE = timedelta(minutes=16)
"""Without a sample for longer than this, something was wrong: one is due every five minutes."""

UNTIL = timedelta(minutes=5)
"""How long a trouble lasts of which the last sample tells."""

_SILENT = "Housekeeping did not run, or could not reach the store."

Outage = tuple[datetime, datetime, str]


class Bounds(NamedTuple):
    """When the window of a night opened first, and closed last (UTC); `None`: never."""

    opened: datetime | None
    closed: datetime | None


def bounds(window: OffPeakWindow, run_date: str) -> Bounds:
    """The window of a night by the schedule: an override of an operator shows in the samples."""
    day = date.fromisoformat(run_date)
    at = datetime.combine(day, datetime.min.time(), window.zone) - timedelta(seconds=1)
    opened = closed = None
    for _ in range(2 * 24 * 60):  # openings of one day, at most
        opens = window.next_open(at)
        if opens is None or window.run_date(opens) > day:
            break
        if window.run_date(opens) == day:
            opened, closed = opened or opens, window.next_close(opens)
        at = opens
    return Bounds(opened, closed)


def opened(scheduled: Bounds, samples: Sequence[Sample]) -> Bounds:
    """The window as it was: an operator who opens it outside the schedule is seen in the samples."""
    seen = [one.at for one in samples if one.window_open]
    if not seen:
        return scheduled
    first, last = scheduled
    if first is None or first - seen[0] > UNTIL:
        first = seen[0]
    if last is not None and seen[-1] - last > UNTIL:
        last = seen[-1] + UNTIL
    return Bounds(first, last)


def outages(samples: Sequence[Sample]) -> tuple[Outage, ...]:
    """What was wrong, and when: troubles that follow each other joined, and silence inside the window."""
    found: list[Outage] = []
    for one, after in zip_longest(samples, samples[1:]):
        end = after.at if after else one.at + UNTIL
        silent = one.window_open and end - one.at > SILENCE
        if one.trouble:
            begin = one.at
            if found and found[-1][2] == one.trouble and found[-1][1] == one.at:
                begin = found.pop()[0]
            found.append((begin, one.at + UNTIL if silent else end, one.trouble))
        if silent:
            found.append((one.at + UNTIL, end, _SILENT))
    return tuple(found)


def device_share(samples: Sequence[Sample]) -> float | None:
    """Seconds that models computed over seconds that their processes were there, inside the window."""
    busy = there = 0.0
    for one, after in pairwise(samples):
        seconds = (after.at - one.at).total_seconds()
        if one.window_open and one.processes and after.busy_seconds >= one.busy_seconds:
            busy += after.busy_seconds - one.busy_seconds
            there += seconds * one.processes
    return round(min(busy / there, 1.0), 4) if there else None


def workers_lost(samples: Sequence[Sample]) -> int:
    """By how many workers fewer served at the end of the window than at its best, while there was work left."""
    working = [one for one in samples if one.window_open and one.backlog_documents]
    return max((one.workers for one in working), default=0) - working[-1].workers if working else 0
