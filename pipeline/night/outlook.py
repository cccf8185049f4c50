"""The forecast of this night: the backlog, the pace and the window, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.forecast.model import Forecast, Work
from pipeline.ledger.counters import Backlog
from pipeline.night import status
from pipeline.night.night import Night
from pipeline.night.pace import noted


def outlook(
    night: Night, now: datetime, *, added: Iterable[Work] = (), backlog: Backlog | None = None
) -> Forecast:
    """When the backlog will be done; raises `StoreUnavailable`.

    `added`: work that is assumed to be there in addition. `backlog`: where the caller has read it already.
    """
    note, run_date = noted(night.store), night.schedule.window.run_date(now).isoformat()
    waiting = backlog or status.read(night)[1]
    from pipeline.forecast.forecast import forecast  # brings numpy

    return forecast(
        now,
        [*work_in(waiting), *added],
        note.rates(run_date),
        night.schedule.ahead(now, night.schedule.override()),
        inflow=note.inflow(run_date),
        spread=night.settings.spread_pages,
    )


def work_in(backlog: Backlog) -> Iterator[Work]:
    """A backlog as work that is left."""
    for place, amount in backlog.by.items():
        lane, _, kind = place.partition("|")
        yield Work(lane=lane, kind=kind, documents=amount.documents, pages=amount.pages)
