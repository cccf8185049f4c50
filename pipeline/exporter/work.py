"""The work that is left and when it will be done, from what counts it and forecasts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from pipeline import clock
from pipeline.forecast.model import Forecast
from pipeline.ledger.counters import Amount, Backlog
from pipeline.night.night import Night
from pipeline.telemetry.exposition import Readings

Values = dict[tuple[str, tuple[str, ...]], float]

LANES = ("urgent", "normal", "backfill")


class Sources(NamedTuple):
    """What counts the backlog, and what forecasts its end; `None`: nothing does, and its metrics are absent.

    The forecast is given the backlog, so that it does not list the store.
    """

    backlog: Callable[[Night], Backlog | None] | None = None
    forecast: Callable[[Night, datetime, Backlog], Forecast] | None = None


def left(night: Night, sources: Sources) -> Readings:
    """Backlog and forecast; raises `StoreUnavailable`."""
    now = clock.utc()
    found: Values = {}
    backlog = sources.backlog(night) if sources.backlog else None
    if backlog:
        found |= _backlog(backlog, now)
        if sources.forecast:
            found |= _forecast(sources.forecast(night, now, backlog), now)
    return found


def _backlog(backlog: Backlog, now: datetime) -> Values:
    lanes = {lane: Amount() for lane in LANES}
    for name, amount in backlog.by.items():
        total = lanes.setdefault(name.partition("|")[0], Amount())
        total.documents += amount.documents
        total.pages += amount.pages
    found: Values = {}
    for lane, total in lanes.items():
        found["nightshift_pending_documents", (lane,)] = float(total.documents)
        found["nightshift_pending_pages", (lane,)] = float(total.pages)
        oldest = clock.moment(getattr(backlog, "oldest", {}).get(lane, "")) if total.documents else None
        if oldest or not total.documents:
            age = (now - oldest).total_seconds() if oldest else 0.0
            found["nightshift_oldest_pending_seconds", (lane,)] = max(age, 0.0)
    return found


def _forecast(forecast: Forecast, now: datetime) -> Values:
    found: Values = {}
    for quantile, done, remaining in (
        ("0.5", forecast.p50, forecast.left_p50),
        ("0.9", forecast.p90, forecast.left_p90),
    ):
        found["nightshift_forecast_left_documents", (quantile,)] = float(remaining)
        if done:  # else not within a year
            seconds = max((done - now).total_seconds(), 0.0)
            found["nightshift_forecast_done_in_seconds", (quantile,)] = seconds
    return found
