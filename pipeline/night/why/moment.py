"""The moment that an answer is about: window, paused steps, last repair, broker; and how times are shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from pipeline import clock
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import brake
from pipeline.night.brake import Braked
from pipeline.night.checks import CHECK_PERIOD, last_made
from pipeline.night.night import Night
from pipeline.night.status import WindowState, window
from pipeline.night.why import due
from pipeline.night.why.model import AtBroker, Queue
from pipeline.storage import keys


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What all answers at one moment have in common.

    `place`: in which queue a message waits. `outlooks`: the forecasts for a task that has a deadline.
    """

    now: datetime
    zone: ZoneInfo
    window: WindowState
    brakes: tuple[Braked, ...]
    last_repair: datetime | None
    broker: AtBroker
    place: Callable[[Message], Queue]
    may_use_gpu: Callable[[int], bool]
    spread_pages: int
    mask: str
    outlooks: Callable[[Task], due.Outlooks | None]

    @classmethod
    def of(cls, night: Night, broker: AtBroker, place: Callable[[Message], Queue]) -> Moment:
        """Read it from the store; raises `StoreUnavailable`."""
        now, state = clock.utc(), window(night.schedule)
        opened = keys.night(night.schedule.run_date(), "opened")
        key = opened if state.open else keys.control("repair")
        return cls(
            now=now,
            zone=night.schedule.window.zone,
            window=state,
            brakes=tuple(brake.notes(night.store)),
            last_repair=last_made(night.store, key, now),
            broker=broker,
            place=place,
            may_use_gpu=lambda priority: night.schedule.seconds_left(priority) != 0,
            spread_pages=night.settings.spread_pages,
            mask=night.settings.mask,
            outlooks=lambda task: due.outlooks(night, now, task),
        )

    def local(self, at: datetime | str | None) -> str:
        """A moment, or an ISO time, as the operator's clock shows it; empty for none."""
        found = clock.moment(at) if isinstance(at, str) else at
        return found.astimezone(self.zone).strftime("%a %Y-%m-%d %H:%M %Z") if found else ""

    def next_repair(self, submitted: datetime | None) -> datetime:
        """When housekeeping next publishes a lost message of a task that was submitted then."""
        after = max(filter(None, (self.last_repair, submitted)), default=self.now - CHECK_PERIOD)
        at = max(after + CHECK_PERIOD, self.now + timedelta(seconds=30))
        opens = self.window.next_open if not self.window.open else None
        return min(at, opens) if opens else at
