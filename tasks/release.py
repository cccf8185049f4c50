"""What a worker does with its GPU work and its models after the window has closed. Pure: a state machine over values.

Work in progress has a grace period to stop by itself, which it does at the next page group; what is left then is
stopped. Once no GPU work is left, the processes that may hold a model are replaced. Urgent work by day is waited for,
and the models that it loaded are kept for one grace period, for the next urgent document. Inside the window, models are
released early where they had no work for the idle grace; new work loads them again.

All times are seconds of one monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from tasks.lanes import URGENT


@dataclass(frozen=True)
class Busy:
    """A request of a GPU queue that is running or waits for a process."""

    id: str
    queue: str


@dataclass(frozen=True)
class Released:
    """No process holds a model any more, `seconds` after close, or after the last work inside the window if `early`.

    `run_date`: the night whose work used the models; empty when it was only urgent work by day, which is not noted.
    """

    run_date: str
    seconds: float
    early: bool = False


@dataclass(frozen=True)
class Action:
    """What to do now; by default nothing.

    `stop`: ids of requests to kill and requeue. `replace`: ids of the processes to end as soon as each is idle.
    `kill`: ids of the processes to end at once, whatever they do.
    """

    stop: frozenset[str] = frozenset()
    replace: frozenset[int] = frozenset()
    kill: frozenset[int] = frozenset()
    released: Released | None = None


class Release:
    """The state of one worker; `in_use` from its first GPU work until its models are released.

    grace: seconds after close. idle_grace: seconds without work inside the window; 0: models are kept until close.
    """

    def __init__(self, grace: float, idle_grace: float = 0.0) -> None:
        self.in_use = False
        self._grace = grace
        self._idle_grace = idle_grace
        self._idle_since: float | None = None
        self._closed_at: float | None = None
        self._run_date = ""
        self._by_day_at = -math.inf  # when urgent work outside the window was last seen
        self._holders: frozenset[int] = frozenset()  # processes that may hold a model

    def work_started(self, now: float, run_date: str | None) -> None:
        """GPU work goes to a process: in the window of `run_date`, or outside any window (`None`)."""
        self.in_use, self._idle_since = True, None
        if run_date is None:
            self._by_day_at = now
        else:  # noted here, as after close the schedule already names the coming night
            self._run_date = run_date

    def opened(self) -> None:
        """The window is open: processes keep their models."""
        self._closed_at = None

    def idle(self, now: float, busy: Collection[Busy], processes: Collection[int]) -> Action:
        """What to do while the window is open; to be called every second while `in_use`."""
        if busy or not self._idle_grace:
            self._idle_since = None
            return Action()
        if self._idle_since is None:
            self._idle_since, self._holders = now, frozenset(processes)
        if now - self._idle_since <= self._idle_grace:
            return Action()
        if left := self._holders & frozenset(processes):
            return Action(replace=left)
        released = Released(self._run_date, now - self._idle_since, early=True)
        self.in_use, self._idle_since, self._run_date = False, None, ""
        return Action(released=released)

    def closed(
        self, now: float, lanes: Collection[str], busy: Collection[Busy], processes: Collection[int]
    ) -> Action:
        """What to do while the window is closed; to be called every second while `in_use`.

        `lanes`: GPU queues that may be served all the same. `processes`: ids of the pool's processes.
        """
        if any(request.queue in lanes for request in busy):
            self._by_day_at = now
        self._note_holders(now, processes)
        assert self._closed_at is not None
        if late := self._late(now, lanes, busy):
            return Action(stop=late)
        if busy or now - self._by_day_at <= self._grace:
            return Action()
        if left := self._holders & frozenset(processes):
            return Action(replace=left)
        return Action(released=self._released(now, self._closed_at))

    def unattended(self, now: float, processes: Collection[int], patience: float = 0.0) -> Action:
        """What to do while the window is closed where nobody calls `closed`: the event loop is stuck or has no broker.

        Nothing new begins meanwhile, and what is in progress can't be waited for, as nobody hears that it has ended:
        after the grace period, all processes that may hold a model are killed. RabbitMQ delivers their messages again.
        `patience`: seconds more, where `closed` is called but may be too slow.
        """
        if not self.in_use:
            return Action()
        self._note_holders(now, processes)
        assert self._closed_at is not None
        if now - max(self._closed_at, self._by_day_at) <= self._grace + patience:
            return Action()
        kill = self._holders & frozenset(processes)
        return Action(kill=kill, released=self._released(now, self._closed_at))

    def _note_holders(self, now: float, processes: Collection[int]) -> None:
        """Note which processes may hold a model: those there at close, and later ones while there is work by day."""
        if self._closed_at is None or now - self._by_day_at <= self._grace:
            self._holders = frozenset(processes)
        if self._closed_at is None:
            self._closed_at = now

    def _released(self, now: float, closed_at: float) -> Released:
        released = Released(self._run_date, now - closed_at)
        self.in_use, self._closed_at, self._run_date = False, None, ""
        return released

    def _late(self, now: float, lanes: Collection[str], busy: Collection[Busy]) -> frozenset[str]:
        """Requests that may not run any more and whose grace period has expired."""
        assert self._closed_at is not None
        # for urgent work by day, which only an operator ends, it begins when the operator does
        since = {URGENT: max(self._closed_at, self._by_day_at)}
        return frozenset(
            request.id
            for request in busy
            if request.queue not in lanes and now - since.get(request.queue, self._closed_at) > self._grace
        )
