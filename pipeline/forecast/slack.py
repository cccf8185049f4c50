"""Which documents must start now to be done by their deadlines.

In the order of their deadlines, the documents up to one need together a certain time. Slack is what remains of the
open time until its deadline. Where a document has none left, it and all that are due before it must start now. While
there is slack they wait their turn like all others: a deadline alone does not put a document before another one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.forecast import windows
from pipeline.forecast.forecast import expected_seconds
from pipeline.forecast.model import Rates
from pipeline.forecast.windows import Interval

_SURE = 1.3  # standard deviations of the speed
_SAFE = 300.0  # seconds for the work in progress and the step of housekeeping that looks


class Due(msgspec.Struct, frozen=True):
    """A document with a deadline (UTC); `pages`: 0 where they are not known."""

    deadline: datetime
    kind: str
    pages: int


def starting(
    now: datetime,
    waiting: Sequence[Due],
    rates: Rates,
    intervals: Sequence[Interval],
    *,
    spread: int,
    most: float = math.inf,
) -> int:
    """How many of the first of `waiting` must start now. They are in the order of their deadlines, all after `now`.

    `spread`: pages a document must exceed to be divided among processes. `most`: seconds of work of all processes
    that are enough for now, since this is asked again before they are done.
    """
    if not waiting:
        return 0
    seconds = np.array([expected_seconds(one.kind, one.pages, rates) for one in waiting])
    parts = np.array([max(math.ceil(one.pages / spread), 1) for one in waiting])
    alone = seconds / np.minimum(parts, max(rates.processes, 1.0))
    behind = np.cumsum(seconds) / rates.processes
    speed = math.hypot(rates.uncertainty, max(pace.uncertainty for pace in rates.paces))
    needed = np.maximum(behind, behind - seconds / rates.processes + alone) * (1 + _SURE * speed) + _SAFE
    deviation = np.sqrt(np.cumsum([_variance(one, rates) for one in waiting])) / rates.processes
    tight = np.nonzero(_open_until(now, waiting, intervals) - needed - _SURE * deviation < 0)[0]
    if not len(tight):
        return 0
    enough = int(np.searchsorted(behind, most)) + 1
    return min(int(tight[-1]) + 1, enough)


def _variance(one: Due, rates: Rates) -> float:
    pace = rates.pace(one.kind)
    pages = one.pages or pace.pages_each
    unknown = 0.0 if one.pages else (pace.mean * pace.pages_deviation) ** 2
    return (pace.deviation * pages) ** 2 + unknown


def _open_until(now: datetime, waiting: Sequence[Due], intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """Open seconds from `now` until each deadline."""
    found, before, total = [], now, 0.0
    for one in waiting:  # ascending, so that each part of the time is looked at once
        if one.deadline > before:
            total += windows.open_seconds(before, intervals, one.deadline)
            before = one.deadline
        found.append(total)
    return np.array(found, dtype=np.float64)
