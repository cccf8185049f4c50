"""The deadline of a document, and whether it was met, or will be by the forecast."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged
from pipeline.forecast.model import Forecast, Work, kind_of
from pipeline.ledger.counters import is_late
from pipeline.messages import is_backfill, is_urgent
from pipeline.models import DocumentResult, Task
from pipeline.night import status
from pipeline.night.night import Night
from pipeline.night.outlook import outlook

State = Literal["met", "missed", "expected", "at_risk", "unlikely", "unknown"]
"""`met`, `missed`: it is certain. The others are the forecast's word, `unknown` where there is none."""


Local = Callable[[datetime | str | None], str]
"""How times are shown."""


class Outlooks(msgspec.Struct, frozen=True):
    """When all that waits is done, and when this document would be if it moved to the urgent lane now."""

    all: Forecast
    hurried: Forecast


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A deadline (UTC), and one sentence about it."""

    at: datetime
    state: State
    sentence: str


def outlooks(night: Night, now: datetime, task: Task) -> Outlooks | None:
    """Both forecasts; `None` where the pace that was noted is damaged. Raises `StoreUnavailable`."""
    with suppress(Damaged):
        _, backlog = status.read(night)
        urgent = {place: amount for place, amount in backlog.by.items() if place.startswith("urgent|")}
        itself = Work(lane="urgent", kind=kind_of(task.media_type), documents=1, pages=task.pages)
        return Outlooks(
            outlook(night, now, backlog=backlog),
            outlook(
                night,
                now,
                backlog=structs.replace(backlog, by=urgent),
                added=() if is_urgent(task.priority) else (itself,),
            ),
        )
    return None


def of_record(record: DocumentResult, local: Local) -> Deadline | None:
    """The deadline of a document that has ended; `None` if it had none. `local`: how times are shown."""
    due = clock.moment(record.deadline)
    if due is None:
        return None
    if is_late(record):
        return Deadline(at=due, state="missed", sentence=f"{local(due)}: missed")
    return Deadline(at=due, state="met", sentence=f"{local(due)}: met")


def of_task(task: Task, now: datetime, found: Outlooks | None, local: Local) -> Deadline | None:
    """The deadline of a pending document; `None` if it has none."""
    due = clock.moment(task.deadline)
    if due is None:
        return None
    state, why = _expected(task, due, now, found, local)
    return Deadline(at=due, state=state, sentence=f"{local(due)}: {why}")


def _expected(
    task: Task,
    due: datetime,
    now: datetime,
    found: Outlooks | None,
    local: Local,
) -> tuple[State, str]:
    if due <= now:
        return "missed", "missed; it is processed in its turn"
    if found is None:
        return "unknown", "there is no forecast"
    if found.all.p90 and found.all.p90 <= due:
        return "expected", f"will be met by the forecast, all that waits being done by {local(found.all.p90)}"
    if is_backfill(task.priority):
        return "at_risk", "may be missed by the forecast; backfill is never hurried"
    return _hurried(due, found.hurried.p50, found.hurried.p90, local)


def _hurried(
    due: datetime, median: datetime | None, late: datetime | None, local: Local
) -> tuple[State, str]:
    """In the urgent lane; `median`, `late`: done by then with a probability of one half, of nine tenths."""
    if late and late <= due:
        return "expected", "will be met by the forecast; it moves to the urgent lane in time"
    if median and median <= due:
        until = f" or as late as {local(late)}" if late else ""
        return "at_risk", f"may be missed: by the forecast, done by {local(median)}{until} in the urgent lane"
    when = f"done by {local(median)}" if median else "not done within a year"
    return "unlikely", f"will probably be missed: by the forecast, {when} even in the urgent lane"
