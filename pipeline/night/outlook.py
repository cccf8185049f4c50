"""The forecast of this night: the backlog, the pace and the window, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from pipeline.errors import Damaged
from pipeline.forecast.forecast import forecast
from pipeline.forecast.model import Forecast, Work, kind_of
from pipeline.ledger import pending
from pipeline.ledger.counters import Amount, Backlog
from pipeline.messages import is_backfill, is_urgent
from pipeline.models import Task
from pipeline.night.night import Night
from pipeline.night.pace import noted
from pipeline.storage import Store, keys
from pipeline.threads import in_threads


def outlook(
    night: Night, now: datetime, *, added: Iterable[Work] = (), backlog: Backlog | None = None
) -> Forecast:
    """When the backlog will be done; raises `StoreUnavailable`.

    `added`: work that is assumed to be there in addition. `backlog`: where the caller has read it already.
    """
    note, run_date = noted(night.store), night.schedule.window.run_date(now).isoformat()
    waiting = backlog or backlog_of(night.store)
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


def backlog_of(store: Store) -> Backlog:
    """What is accepted and has not ended, from the pending markers."""

    def of(key: str) -> Task | None:
        with suppress(Damaged):
            return pending.get(store, keys.task_id_of(key), keys.generation_of(key))
        return None

    by: dict[str, Amount] = {}
    for task in in_threads(of, pending.newest_keys(store)):
        if task is None:
            continue
        lane = (
            "urgent" if is_urgent(task.priority) else "backfill" if is_backfill(task.priority) else "normal"
        )
        kind = kind_of(task.media_type)
        amount = by.setdefault(f"{lane}|{kind}", Amount())
        amount.documents += 1
        amount.pages += max(task.pages, 1) if task.media_type is not None else 0
    return Backlog(by=by, recounted=None, as_of=None)
