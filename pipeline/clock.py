"""The time. All of Nightshift asks here, so that a simulation can set it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple


def _of_this_machine() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _of_this_machine


def utc() -> datetime:
    """The time, aware, in UTC."""
    return _source()


def now() -> str:
    """The time in UTC in the format of results: ISO 8601 with milliseconds."""
    return utc().isoformat(timespec="milliseconds")


_steady: Callable[[], float] = time.monotonic


class Mark(NamedTuple):
    """A moment from which this process measures: seconds of a clock that nobody sets, and the time."""

    steady: float
    time: datetime

    @classmethod
    def now(cls) -> Mark:
        """This moment."""
        return cls(_steady(), utc())

    @property
    def age(self) -> float:
        """Seconds since then, by the clock that says more: one stops with a machine that is suspended."""
        return max(_steady() - self.steady, (utc() - self.time).total_seconds())


SKEW = timedelta(minutes=5)
"""By how much the clocks of two machines may differ; more is a clock that was wrong."""


def moment(text: str) -> datetime | None:
    """The moment that an ISO date-time with an offset names; `None` for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def age(stamp: datetime | None, now: datetime) -> timedelta | None:
    """How old a stamp is, at least 0; `None` for one ahead of `now` by more than `SKEW`, and for one without an offset.

    One that is ahead was left by a clock that has been set right since: it counts as no stamp at all, or whatever waits
    for it to become old would wait until the wrong time comes.
    """
    if stamp is None or stamp.tzinfo is None:
        return None
    return None if stamp - now > SKEW else max(now - stamp, timedelta())


def take_from(source: Callable[[], datetime] | None) -> None:
    """Take the time of this process from `source`, which returns aware datetimes in UTC; `None`: from the machine."""
    global _source  # noqa: PLW0603 - one clock per process is the point
    _source = source or _of_this_machine
