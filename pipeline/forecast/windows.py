"""The open time of a window: a moment after so many open seconds, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime | None]
"""When a window opens and closes (UTC); `None`: it never closes."""

HORIZON = timedelta(days=366)
"""How far a forecast looks ahead."""


def moment(now: datetime, intervals: Iterable[Interval], seconds: float) -> datetime | None:
    """When `seconds` of open time have passed; `None` where that is not within a year.

    `intervals`: in order, from the one that is open at `now` or opens next.
    """
    for start, end in ahead(now, intervals):
        room = (end - start).total_seconds()
        if seconds <= room:
            return start + timedelta(seconds=seconds)
        seconds -= room
    return None


def open_seconds(now: datetime, intervals: Iterable[Interval], until: datetime) -> float:
    """Open time from `now` until a moment, in seconds; 0 for one that has passed."""
    total = 0.0
    for start, end in ahead(now, intervals):
        if start >= until:
            break
        total += (min(end, until) - start).total_seconds()
    return total


def next_close(now: datetime, intervals: Iterable[Interval]) -> datetime | None:
    """When the window closes that is open at `now` or opens next; `None` where it never closes or never opens."""
    return next((end for start, end in intervals if end is None or end > now), None)


def ahead(now: datetime, intervals: Iterable[Interval]) -> Iterable[tuple[datetime, datetime]]:
    """What is open from `now` on, within a year."""
    horizon = now + HORIZON
    for start, end in intervals:
        begin, stop = max(start, now), horizon if end is None else min(end, horizon)
        if begin >= horizon:
            return
        if stop > begin:
            yield begin, stop
