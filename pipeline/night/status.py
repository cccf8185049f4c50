"""The state of the night, from the store alone: it works while the broker is unavailable, too.

It is read from the counters that every process keeps (`pipeline.ledger.counters`), so it takes the same time however
many documents there are. Only where nothing was counted yet is the store listed.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline import clock
from pipeline.ledger import counters
from pipeline.ledger.counters import State
from pipeline.night.brake import Braked, notes
from pipeline.night.night import Night
from pipeline.night.recount import DAMAGED, look
from pipeline.night.schedule import Schedule


class WindowState(msgspec.Struct, frozen=True, kw_only=True):
    """The window now; times are UTC. `override`: an operator's override and until when it holds, or empty."""

    open: bool
    spec: str
    timezone: str
    next_open: datetime | None
    next_close: datetime | None
    override: str = ""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Accepted, unfinished documents of one task type; `oldest`: when the first of them was submitted (UTC)."""

    task_type: str
    count: int
    oldest: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of documents for the night `run_date`: waiting, of which `delayed` until a time of their own, and ended.

    `reprocessing`: done documents that wait to be reprocessed, not part of the backlog; `failed_again`: those, of all
    nights, that could not be reprocessed and keep their previous results. `undelivered`: abandoned callbacks.
    `overdue`: documents that wait although their deadlines have passed; `late`: those of the night that ended after
    theirs. `open_failures`: failed documents of all nights that were not discarded. `set_aside`: tasks whose marker is
    damaged.
    `brakes`: steps that are paused, or released by hand. `pages`: pages read in this night; `pages_pending`: known
    pages of the backlog, with those that are reprocessed; `lanes`: documents by lane. `workers_seen`: workers that have
    shown in the last minutes that they live. `as_of`: when the youngest
    counter was written; `recounted`: when the markers were last listed, `None` where that was done just now.
    """

    run_date: str
    window: WindowState
    backlog: tuple[Backlog, ...]
    delayed: int
    done: int
    failed: int
    partial: int = 0
    reprocessing: int = 0
    failed_again: int = 0
    undelivered: int = 0
    overdue: int = 0
    late: int = 0
    open_failures: int = 0
    set_aside: int = 0
    brakes: tuple[Braked, ...] = ()
    pages: int = 0
    pages_pending: int = 0
    lanes: dict[str, int] = {}
    workers_seen: int = 0
    as_of: datetime | None = None
    recounted: datetime | None = None

    @property
    def pending(self) -> int:
        """Documents accepted and not finished."""
        return sum(kind.count for kind in self.backlog)

    @property
    def oldest(self) -> str:
        """When the oldest of them was submitted (UTC); empty if there is none."""
        return min((kind.oldest for kind in self.backlog if kind.oldest), default="")

    @property
    def paused(self) -> tuple[Braked, ...]:
        """The steps that are paused now."""
        return tuple(note for note in self.brakes if note.pauses(clock.utc()))


def status(night: Night) -> Status:
    """Read the state of the night from the store; raises `StoreUnavailable`."""
    return of(night, *read(night))


def read(night: Night) -> tuple[State, counters.Backlog]:
    """The counters and their backlog, or, where nothing was counted yet, what is in the store."""
    state = counters.read(night.store)
    if state.recounted is None:
        state = look(night)
    return state, state.backlog()


def of(night: Night, state: State, backlog: counters.Backlog) -> Status:
    """The state of the night, by counters that were read."""
    run_date = night.schedule.run_date()
    ended, counted = state.night(run_date), bool(state.bases)
    lanes: dict[str, int] = {}
    for name, amount in backlog.by.items():
        lane = name.partition("|")[0]
        lanes[lane] = lanes.get(lane, 0) + amount.documents
    return Status(
        run_date=run_date,
        window=window(night.schedule),
        backlog=tuple(
            Backlog(task_type=name, count=count, oldest=backlog.oldest_of_type.get(name, ""))
            for name, count in sorted(backlog.types.items())
        ),
        delayed=state.open("delayed"),
        done=ended.done,
        partial=ended.partial,
        failed=ended.failed,
        reprocessing=backlog.again,
        failed_again=state.open("failed_again"),
        undelivered=state.open("undelivered"),
        overdue=state.open("overdue"),
        late=ended.late,
        open_failures=state.open("failed"),
        set_aside=backlog.types.get(DAMAGED, 0),
        brakes=tuple(notes(night.store)),
        pages=ended.pages,
        pages_pending=backlog.pages,
        lanes=lanes,
        workers_seen=state.processes(run_date, clock.utc())[1],
        as_of=state.as_of,
        recounted=state.recounted if counted else None,
    )


def window(schedule: Schedule) -> WindowState:
    """The window now, with the operator's override; raises `StoreUnavailable`."""
    now, override = clock.utc(), schedule.override()
    return WindowState(
        open=schedule.window.contains(now, override),
        spec=schedule.window.spec,
        timezone=str(schedule.window.zone),
        next_open=schedule.window.next_open(now, override),
        next_close=schedule.window.next_close(now, override),
        override=f"{override.state} until {override.until}" if override else "",
    )
