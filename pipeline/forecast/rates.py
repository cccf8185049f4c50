"""From what was measured to the speed to expect tonight: the last nights say how nights differ, tonight says how it is.

Each quantity (seconds a page of a kind, processes that work at once) varies from night to night by a factor. The past
nights give its distribution, tonight's own documents a measurement of it, and both are weighted by how sure they are
(a normal prior and a normal measurement, of the logarithm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.forecast.measure import Measured, Tally, added
from pipeline.forecast.model import UNKNOWN, Pace, Rates

DEFAULT_PACE, DEFAULT_PAGES, DEFAULT_PROCESSES = 2.0, 3.0, 1.0
"""Before anything was measured: seconds a page, pages a document, and processes at work."""

_GUESS = 0.7  # relative deviation of a default: half or twice as much is likely
_NIGHTLY = 0.15  # relative deviation between nights while fewer than three are known ...
_LEAST, _MOST = 0.03, 0.7  # ... and its limits: nights are never all alike
_AT_WORK, _IN_PROGRESS = 0.05, 1.5  # the same for the processes at work; what is not done yet does not count
_WITHIN = 0.03  # by how much a part of a night differs from the rest of it
_STOPS, _HOURS, _STOP = (
    0.5,
    100.0,
    1200.0,
)  # outages before any was seen: so many in so many hours, seconds each
_ENOUGH = 30  # documents of a kind, below which its pace is taken from all kinds together


def rates(nights: Sequence[Measured], tonight: Measured | None, past_errors: Sequence[float] = ()) -> Rates:
    """The speed to expect, from past nights and from what tonight has measured so far.

    `past_errors`: of the forecasts of past nights.
    """
    known = [night for night in nights if night.all.pages]
    now = tonight if tonight and tonight.all.pages else Measured()
    sums: dict[str, Tally] = {}
    for night in known:
        sums = added(sums, night.kinds)
    kinds = [
        kind
        for kind in {**sums, **now.kinds}
        if (sums.get(kind, Tally()) + now.kinds.get(kind, Tally())).documents >= _ENOUGH
    ]
    paces = [_pace(UNKNOWN, [night.all for night in known], now.all)]
    paces += [
        _pace(kind, [n.kinds[kind] for n in known if kind in n.kinds], now.kinds.get(kind, Tally()))
        for kind in sorted(kinds)
    ]
    processes, uncertainty = _processes(known, now)
    everything = [*known, now]
    hours = sum(one.working for one in everything) / 3600
    stops = sum(one.stops for one in everything)
    return Rates(
        paces=tuple(paces),
        processes=processes,
        uncertainty=uncertainty,
        outages_an_hour=(stops + _STOPS) / (hours + _HOURS),
        outage=(sum(one.stopped for one in everything) + _STOP * _STOPS) / (stops + _STOPS),
        measured=any(one.all.pages for one in everything),
        basis=_basis(known, now),
        first=sum(night.first for night in known) / len(known) if known else 0.0,
        errors=tuple(past_errors),
    )


def _pace(kind: str, nights: Sequence[Tally], now: Tally) -> Pace:
    past = sum(nights, Tally())
    whole = past + now
    if not whole.pages or not whole.mean:
        return Pace(
            kind=kind,
            mean=DEFAULT_PACE,
            deviation=DEFAULT_PACE,
            pages=0,
            pages_each=DEFAULT_PAGES,
            pages_deviation=DEFAULT_PAGES,
            uncertainty=_GUESS,
        )
    if past.mean:
        levels = [(night.level, night.level_error) for night in nights if night.documents]
        between = _between([math.exp(level) for level, _ in levels], [error for _, error in levels])
        prior = past.mean, math.hypot(between, min(past.error, _GUESS))
        seen, error = (
            past.mean * math.exp(now.level - past.level),
            math.hypot(now.level_error, past.level_error),
        )
    else:
        prior, seen, error = (whole.mean, _GUESS), now.mean, now.error
    mean, uncertainty = _weighed(*prior, seen if now.documents else 0.0, math.hypot(error, _WITHIN))
    return Pace(
        kind=kind,
        mean=mean,
        deviation=whole.deviation * mean / whole.mean,
        pages=whole.pages,
        pages_each=whole.pages_each,
        pages_deviation=whole.pages_deviation,
        uncertainty=uncertainty,
    )


def _processes(nights: Sequence[Measured], now: Measured) -> tuple[float, float]:
    """Processes that work at once, and the relative deviation of that."""
    past = [night.processes for night in nights if night.processes > 0]
    working = sum(night.working for night in nights)
    if past and working > 0:
        mean = sum(night.all.seconds for night in nights) / working
        deviation = _between(past, [0.0] * len(past), _AT_WORK)
    else:
        mean, deviation = DEFAULT_PROCESSES, _GUESS
    documents = now.all.documents
    error = math.hypot(_AT_WORK, _IN_PROGRESS / math.sqrt(documents)) if documents else math.inf
    return _weighed(mean, deviation, now.processes, error)


def _between(values: Sequence[float], errors: Sequence[float], usual: float = _NIGHTLY) -> float:
    """Relative deviation between nights, their own errors deducted; few nights lean on what is usual."""
    logs = [math.log(value) for value in values if value > 0]
    if not logs:
        return usual
    centre = sum(logs) / len(logs)
    own = [min(error, 1.0) ** 2 for error in errors]
    found = max(sum((one - centre) ** 2 for one in logs) - sum(own) * (len(logs) - 1) / len(own), 0.0)
    own_nights = 2  # nights that the usual deviation counts for
    return min(max(math.sqrt((found + own_nights * usual**2) / (len(logs) - 1 + own_nights)), _LEAST), _MOST)


def _weighed(prior: float, spread: float, seen: float, error: float) -> tuple[float, float]:
    """A prior and a measurement of the same positive quantity, weighed by their relative deviations."""
    if seen <= 0 or not math.isfinite(error):
        return prior, spread
    a, b = 1 / spread**2, 1 / error**2
    return math.exp((a * math.log(prior) + b * math.log(seen)) / (a + b)), math.sqrt(1 / (a + b))


def _basis(nights: Sequence[Measured], now: Measured) -> str:
    past, tonight = sum((night.all for night in nights), Tally()), now.all
    if not past.pages and not tonight.pages:
        return (
            f"Nothing was measured yet: assumes {DEFAULT_PACE:g} s per page, {DEFAULT_PAGES:g} pages per document and "
            f"{DEFAULT_PROCESSES:g} process."
        )
    parts = []
    if past.pages:
        parts.append(f"{past.documents:,} documents of {len(nights)} night{'s' if len(nights) > 1 else ''}")
    if tonight.pages:
        parts.append(f"{tonight.documents:,} of tonight")
    return f"Measured on {' and '.join(parts)}: {(past + tonight).mean:.3g} s per page of one process."
