"""The state of the night, from the store alone: it works while the broker is unavailable, too."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline import clock
from pipeline.errors import Damaged, NotFound
from pipeline.ledger import pending
from pipeline.night.brake import Braked, notes
from pipeline.night.dead import Open
from pipeline.night.night import Night
from pipeline.night.schedule import Schedule
from pipeline.storage import Store, keys, objects
from pipeline.threads import in_threads

DAMAGED = "damaged"
"""What the backlog shows as the task type of a marker that can't be read."""


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
    `open_failures`: failed documents of all nights that were not discarded. `set_aside`: tasks whose marker is damaged.
    `brakes`: steps that are paused, or released by hand.
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
    open_failures: int = 0
    set_aside: int = 0
    brakes: tuple[Braked, ...] = ()

    @property
    def pending(self) -> int:
        """Documents accepted and not finished."""
        return sum(kind.count for kind in self.backlog)

    @property
    def oldest(self) -> str:
        """When the oldest of them was submitted (UTC); empty if there is none."""
        return min((kind.oldest for kind in self.backlog if kind.oldest), default="")


class _Marker(msgspec.Struct):
    """The fields of a pending marker that are read."""

    task_type: str = "document"
    submitted_at: str = ""
    reprocess: bool = False


def status(night: Night) -> Status:
    """Read the state of the night from the store; raises `StoreUnavailable`."""
    run_date = night.schedule.run_date()
    markers = [
        m for m in in_threads(lambda key: _marker(night.store, key), pending.newest_keys(night.store)) if m
    ]
    results = set(night.store.list(keys.results(run_date)))
    partial = sum(keys.result_of_partial(key) in results for key in night.store.list(keys.partials(run_date)))
    still = Open(night.store)
    return Status(
        run_date=run_date,
        window=window(night.schedule),
        backlog=tuple(_backlog([m for m in markers if not m.reprocess])),
        delayed=_count(night.store, keys.DELAYED),
        done=len(results) - partial,
        partial=partial,
        failed=_count(night.store, keys.failures(run_date)),
        reprocessing=sum(m.reprocess for m in markers),
        failed_again=still.failed_again.total(),
        undelivered=still.undelivered.total(),
        open_failures=still.failed.total(),
        set_aside=sum(m.task_type == DAMAGED for m in markers),
        brakes=tuple(notes(night.store)),
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


def _count(store: Store, prefix: str) -> int:
    return sum(1 for _ in store.list(prefix))


def _backlog(markers: list[_Marker]) -> list[Backlog]:
    counts: dict[str, int] = {}
    oldest: dict[str, str] = {}
    for marker in markers:
        kind = marker.task_type
        counts[kind] = counts.get(kind, 0) + 1
        oldest[kind] = min(filter(None, (oldest.get(kind), marker.submitted_at)), default="")
    return [Backlog(task_type=k, count=counts[k], oldest=oldest[k]) for k in sorted(counts)]


def _marker(store: Store, key: str) -> _Marker | None:
    try:
        return objects.read(store, key, _Marker)
    except NotFound:  # it has ended since it was listed
        return None
    except Damaged:  # counted nevertheless
        return _Marker(task_type=DAMAGED)
