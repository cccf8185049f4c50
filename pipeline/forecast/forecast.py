"""The forecast: the seconds of work that are left, drawn many times from what is known, laid into the windows to come.

The draws come from a fixed seed: the same input gives the same forecast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast import errors, windows
from pipeline.forecast.model import Forecast, Rates, Work
from pipeline.forecast.windows import Interval

DRAWS = 2000
_SEED = 14
_FREEDOM = 5  # degrees of freedom: deviations that were estimated from few nights have longer tails
_MOST_FIRST = 0.8  # share of a night that what is served first takes at most
_DAY = 86400.0

Draws = NDArray[np.float64]


def forecast(
    now: datetime,
    work: Sequence[Work],
    rates: Rates,
    intervals: Sequence[Interval],
    *,
    inflow: float = 0.0,
    spread: int = 40,
) -> Forecast:
    """When this work is done. `intervals`: windows of the year to come; `inflow`: documents a day, for `nights`.

    `spread`: pages a document must exceed to be divided among processes.
    """
    left = [one for one in work if one.documents > 0]
    documents, pages = sum(one.documents for one in left), sum(one.pages for one in left)
    close = windows.next_close(now, intervals)
    room = windows.open_seconds(now, intervals, close or now + windows.HORIZON)
    alone = _open_time(left, rates, spread) if left else np.zeros(1)
    needed = _behind(alone, room, rates, intervals)
    width = errors.width(*np.quantile(needed, (0.5, 0.9)))
    likely, sure = errors.limits(float(np.median(needed)), width, rates.errors)
    p50, p90 = (windows.moment(now, intervals, seconds) if left else now for seconds in (likely, sure))
    left_p50, left_p90 = (_left(documents, room, seconds) for seconds in (likely, sure))
    pace = rates.pace(left[0].kind) if len({one.kind for one in left}) == 1 else rates.paces[0]
    return Forecast(
        at=now,
        documents=documents,
        pages=pages,
        p50=p50,
        p90=p90,
        close=close,
        left_p50=left_p50,
        left_p90=left_p90,
        nights=_nights(now, float(np.median(alone)), _daily(inflow, rates), intervals) if left else 0,
        inflow=inflow,
        pages_a_second=rates.processes / pace.mean,
        basis=rates.basis,
        spread=width,
    )


def _open_time(work: Sequence[Work], rates: Rates, spread: int) -> Draws:
    """Open seconds until all work is done, drawn `DRAWS` times."""
    random = np.random.default_rng(_SEED)
    speed = {pace.kind: np.exp(pace.uncertainty * random.standard_t(_FREEDOM, DRAWS)) for pace in rates.paces}
    seconds = np.zeros(DRAWS)
    for one in work:
        pace = rates.pace(one.kind)
        pages = np.full(DRAWS, float(one.pages))
        if not one.pages:
            noise = pace.pages_deviation * math.sqrt(one.documents) * random.standard_normal(DRAWS)
            pages = np.maximum(one.documents * pace.pages_each + noise, one.documents)
        noise = pace.deviation * np.sqrt(pages * pace.pages_of_page) * random.standard_normal(DRAWS)
        mean = pages * pace.mean * speed[pace.kind] + one.documents * pace.overhead
        seconds += np.maximum(mean + noise, 0.05 * mean)
    processes = rates.processes * np.exp(rates.uncertainty * random.standard_t(_FREEDOM, DRAWS))
    at_once = np.minimum(processes, sum(one.documents for one in work))
    needed = seconds / at_once + _tail(at_once, rates, spread, random)
    stops = random.poisson(np.minimum(needed / 3600 * rates.outages_an_hour, 1e6))
    lost = np.where(stops > 0, random.gamma(np.maximum(stops, 1), rates.outage), 0.0)
    return np.asarray(needed + lost, dtype=np.float64)


def _behind(needed: Draws, room: float, rates: Rates, intervals: Sequence[Interval]) -> Draws:
    """The same where it takes more than one night, as what arrives until then and is served first takes its part.

    `room`: open seconds until the window closes.
    """
    later = next(((end - start).total_seconds() for start, end in intervals[1:2] if end), 0.0)
    if not rates.first or not later:
        return needed
    share = min(rates.first / (rates.processes * later), _MOST_FIRST)
    return np.asarray(np.where(needed > room, room + (needed - room) / (1 - share), needed), dtype=np.float64)


def _left(documents: int, room: float, needed: float) -> int:
    """Documents that are left when the window closes in `room` open seconds, of those that need so many."""
    return math.ceil(documents * max(1.0 - room / max(needed, 1e-9), 0.0) - 1e-9)


def _tail(processes: Draws, rates: Rates, spread: int, random: np.random.Generator) -> Draws:
    """Seconds at the end in which some processes have nothing left to do while the last ones finish their part."""
    pace = max(rates.paces, key=lambda one: one.mean)
    part = (
        pace.mean
        * min(pace.pages_of_page, spread)
        * np.exp(pace.deviation / pace.mean * random.standard_normal(DRAWS))
    )
    return np.asarray(part * np.maximum(processes - 1, 0) / (processes + 1) / 2, dtype=np.float64)


def _daily(inflow: float, rates: Rates) -> float:
    """Open seconds that the documents of one day need."""
    pace = rates.paces[0]
    return inflow * (pace.overhead + pace.mean * pace.pages_each) / rates.processes


def _nights(now: datetime, needed: float, daily: float, intervals: Iterable[Interval]) -> int | None:
    """Windows until nothing is left, if `daily` open seconds of work arrive each day; `None`: not within a year."""
    done, horizon = 0.0, now + windows.HORIZON
    for number, (start, end) in enumerate(((s, e) for s, e in intervals if e is None or e > now), start=1):
        begin, stop = max(start, now), min(end or horizon, horizon)
        if begin >= horizon:
            return None
        done += (stop - begin).total_seconds()
        arrived = daily * max((stop - now) / timedelta(seconds=_DAY), 0.0)
        if done >= needed + arrived:
            return number
    return None
