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
from pipeline.forecast.model import Rates
from pipeline.forecast.windows import Interval

_SURE = 1.3
"""Standard deviations of what is expected that are added to it: in nine of ten cases the time is enough."""

_SAFE = 120.0
"""Seconds until housekeeping has looked and the message is delivered; the work in progress comes on top."""


Numbers = NDArray[np.float64]


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
) -> list[int]:
    """Which of `waiting` must start now, as indices. They are in the order of their deadlines, all after `now`.

    One that can hardly be done in time any more gets no precedence, as others would be late because of it.
    `spread`: pages a document must exceed to be divided among processes. `most`: seconds of work of all processes
    that are enough for now, since this is asked again before they are done.
    """
    if not waiting:
        return []
    seconds, variance = _seconds(waiting, rates)
    parts = np.array([max(math.ceil(one.pages / spread), 1) for one in waiting])
    at_once = np.minimum(parts, max(rates.processes, 1.0))
    speed = math.hypot(rates.uncertainty, max(pace.uncertainty for pace in rates.paces))
    room = _open_until(now, waiting, intervals)
    alone = seconds / at_once
    possible = np.nonzero(alone * math.exp(-_SURE * speed) - _SURE * np.sqrt(variance) / at_once <= room)[0]
    if not len(possible):
        return []
    behind = np.cumsum(seconds[possible]) / rates.processes
    before = behind - seconds[possible] / rates.processes
    spare = np.maximum(
        np.sqrt(np.cumsum(variance[possible])) / rates.processes,
        np.sqrt(variance[possible]) / at_once[possible],
    )
    needed = np.maximum(behind, before + alone[possible]) * (1 + _SURE * speed) + _SURE * spare
    tight = np.nonzero(room[possible] < needed + _SAFE + _in_progress(rates, spread))[0]
    if not len(tight):
        return []
    enough = int(np.searchsorted(behind, most)) + 1
    return [int(index) for index in possible[: min(int(tight[-1]) + 1, enough)]]


def _in_progress(rates: Rates, spread: int) -> float:
    """Seconds until a process has finished what it is at, which is not interrupted."""
    pace = max(rates.paces, key=lambda one: one.mean)
    return pace.mean * min(pace.pages_of_page, spread)


def _seconds(waiting: Sequence[Due], rates: Rates) -> tuple[Numbers, Numbers]:
    """Seconds that each takes one process, in the mean, and their variance."""
    paces = {kind: rates.pace(kind) for kind in {one.kind for one in waiting}}
    pages = np.array([one.pages or paces[one.kind].pages_each for one in waiting])
    unknown = np.array([0.0 if one.pages else paces[one.kind].pages_deviation for one in waiting])
    mean, deviation, overhead = (
        np.array([getattr(paces[one.kind], name) for one in waiting])
        for name in ("mean", "deviation", "overhead")
    )
    return overhead + mean * pages, (deviation * pages) ** 2 + (mean * unknown) ** 2


def _open_until(now: datetime, waiting: Sequence[Due], intervals: Sequence[Interval]) -> Numbers:
    """Open seconds from `now` until each deadline."""
    times, opened = [0.0], [0.0]
    for start, end in windows.ahead(now, intervals):
        begin, stop = (start - now).total_seconds(), (end - now).total_seconds()
        times += [begin, stop]
        opened += [opened[-1], opened[-1] + stop - begin]
        if end >= waiting[-1].deadline:
            break
    return np.interp([(one.deadline - now).total_seconds() for one in waiting], times, opened)
