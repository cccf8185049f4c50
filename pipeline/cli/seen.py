"""What `nightshift status` has seen of store, broker and workers, and what that means."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pipeline import clock
from pipeline.errors import BrokerRefused, BrokerUnavailable, ExitCode, PipelineError
from pipeline.forecast.model import Forecast
from pipeline.night.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.night.night import Night
    from tasks.dead import Found

T = TypeVar("T")

_SECONDS = 1.0  # for workers to answer
_LOOKED_AT, _LOOKED_FOR = 1000, 2.0  # dead letters, and seconds


class Running(msgspec.Struct, frozen=True):
    """A step that a worker is running, for `seconds` so far."""

    task_id: str
    step: str
    seconds: float


class Seen(msgspec.Struct, kw_only=True):
    """The state of the night at one moment.

    `queues`: messages by queue. `unknown`: dead letters that belong to no document, `None` where this user may not
    read them. `workers`: what each runs, `None` where this user may not ask. `answering`: whether workers answer at
    all, by NIGHTSHIFT_REMOTE_CONTROL. `unavailable`: why the broker is, else empty.
    """

    store: Status
    queues: dict[str, int] = {}
    unknown: int | None = 0
    workers: dict[str, list[Running]] | None = {}
    answering: bool = True
    unavailable: str = ""
    forecast: Forecast | None = None

    @property
    def waiting(self) -> int:
        """Documents that could be processed now if the window is open."""
        return max(
            self.store.pending + self.store.reprocessing - self.store.delayed - self.store.set_aside, 0
        )

    @property
    def no_worker(self) -> bool:
        """Whether no worker is there; those that can't be asked are known by what they have counted."""
        if self.workers is None or not self.answering:
            return not self.workers and not self.store.workers_seen
        return not self.workers

    @property
    def code(self) -> ExitCode:
        """What the command returns: the first of these that holds."""
        if self.unavailable:
            return ExitCode.ERROR
        if self.store.window.open and self.waiting and self.no_worker:
            return ExitCode.NO_WORKER
        if self.store.paused:
            return ExitCode.PAUSED
        one = self.store
        counts = (
            one.open_failures,
            one.failed_again,
            one.undelivered,
            one.overdue,
            one.set_aside,
            self.unknown,
        )
        if any(counts):
            return ExitCode.ATTENTION
        return ExitCode.OK


def look(night: Night, app: Any) -> Seen:
    """Look at everything; a broker that is unavailable is part of what is seen. Raises `StoreUnavailable`."""
    from pipeline.night import status as of_store
    from pipeline.night.outlook import outlook
    from tasks import client

    state, backlog = of_store.read(night)
    answering = night.settings.remote_control != "off"
    seen = Seen(store=of_store.of(night, state, backlog), answering=answering)
    with suppress(PipelineError):  # the rest is of use without it
        seen.forecast = outlook(night, clock.utc(), backlog=backlog)
    try:
        with client.errors(app):  # as a whole bounded
            seen.queues = _queues(app)
            seen.unknown = _if_permitted(_unknown_letters, app) if seen.queues.get("dead") else 0
            seen.workers = _if_permitted(_workers, app)
    except BrokerUnavailable as error:
        seen.unavailable = error.message
    return seen


def _if_permitted(ask: Callable[[Any], T], app: Any) -> T | None:
    """What `ask` finds; `None` where this user's rights at the broker do not reach, as a monitor's do not."""
    try:
        return ask(app)
    except BrokerRefused:
        return None


def _queues(app: Any) -> dict[str, int]:
    from tasks import client
    from tasks.topology import depths

    client.reach(app, to_publish=False)
    with client.errors(app):
        return depths(app)


def _unknown_letters(app: Any) -> int:
    """Dead letters that were not written by Nightshift, among the first thousand; each needs a person."""
    from tasks import client

    found: list[str] = []

    def show(one: Found) -> bool:
        if not one.letter.ours:
            found.append(one.letter.id)
        return False

    client.look_at_dead(app, show, most=_LOOKED_AT, seconds=_LOOKED_FOR)
    return len(found)


def _workers(app: Any) -> dict[str, list[Running]]:
    """What each worker that answers is running."""
    from tasks import client

    with client.errors(app):
        answers = app.control.inspect(timeout=_SECONDS).active() or {}
    return {
        name: [
            Running(
                task_id=str(task["args"][0]) if task.get("args") else "",
                step=task["name"].removeprefix("nightshift."),
                seconds=max(0.0, round(time.time() - (task.get("time_start") or time.time()), 1)),
            )
            for task in tasks
            if task["name"] != "nightshift.accept"  # its argument is a whole message
        ]
        for name, tasks in sorted(answers.items())
    }
