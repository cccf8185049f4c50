"""Workers: they take messages of open queues, keep the window as `tasks.gate` does, and acknowledge or return."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from celery.exceptions import Reject

from pipeline.night.brake import Brake
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.night.release import note_release
from pipeline.night.schedule import Schedule
from pipeline.settings import Settings
from pipeline.storage import recent
from tasks import base, lanes, routing
from tasks.ended import ENDS
from tasks.publish import Publisher
from tasks.release import Busy, Release
from tests.simulation.broker import Envelope, MemoryBroker
from tests.simulation.process import Died, Process
from tests.simulation.world import WatchedStore, World

OTHERS = tuple(n for n in (*[q.name for q in routing.WORK_QUEUES], routing.RAW) if n not in lanes.GPU_QUEUES)


@lru_cache(maxsize=512)
def settings_of(given: tuple[tuple[str, Any], ...]) -> Settings:
    return Settings.from_env({}, **dict(given))


class Kept:
    """In place of `recent.Folder`: what the processes of one worker keep, by the time of the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._objects: dict[str, tuple[float, bytes]] = {}

    def keep(self, key: str, data: bytes) -> None:
        self._objects[key] = self._world.now, data

    def get(self, key: str, longest: float) -> bytes | None:
        at, data = self._objects.get(key, (-1e9, b""))
        return data if self._world.now - at < longest else None

    def drop(self, key: str) -> None:
        self._objects.pop(key, None)


class Worker:
    """One worker with one child process; another child takes over when that one dies or its machine is suspended."""

    def __init__(
        self, world: World, broker: MemoryBroker, name: str, settings: Settings, skew: float
    ) -> None:
        self.world, self.broker, self.name = world, broker, name
        self.children = 0
        self.kept = Kept(world)
        self.start(settings, skew)

    def start(self, settings: Settings, skew: float) -> None:
        """Start it (again) with these settings and this error of its clock, in seconds."""
        self.settings, self.skew = settings, timedelta(seconds=skew)
        self.night = Night(settings, self.world.store, Schedule(settings, self.world.store))
        self.seen = Schedule(settings, self.world.raw)  # the gate reads the override in a thread of its own
        self.release = Release(settings.close_grace)
        self.child = self.fork()

    def fork(self) -> Process:
        """A new child process, with nothing loaded."""
        self.children += 1
        child = Process(f"{self.name}.{self.children}", skew=self.skew)
        store = WatchedStore(self.world)  # of its own, as what a process remembers of its store is
        recent.use(store, self.kept)
        night = Night(self.settings, store, Schedule(self.settings, store))
        child.tools = Delivery(Flow(night, at_once=True), Publisher(self.broker), Brake(store))
        child.gate = self
        self.world.plan(child)
        return child

    @property
    def free(self) -> bool:
        return self.child.held is None and self.child.fiber is None

    def queues(self) -> list[str]:
        """Queues that it consumes now and that have messages."""
        ready = self.broker.ready
        found = [name for name in OTHERS if ready[name]]
        if any(ready[name] for name in lanes.GPU_QUEUES):
            found += [n for n in lanes.preferred(self.lanes(), lambda n: len(ready[n])) if ready[n]]
        return found

    def lanes(self) -> list[str]:
        """GPU queues that it may serve now, by its own clock."""
        before, self.world.running = self.world.running, self.child
        try:
            override = self.seen.override()
            return lanes.allowed(
                lanes.GPU_QUEUES,
                window_open=self.seen.is_open(override),
                urgent_by_day=self.seen.urgent_by_day(override),
            )
        finally:
            self.world.running = before

    def take(self, queue: str, index: int) -> Callable[[], None]:
        """Take a message; returns the work that it asks for."""
        envelope = self.broker.take(queue, index)
        child = self.child
        child.held = envelope
        if queue in lanes.GPU_QUEUES:
            child.gated = True
            before, self.world.running = self.world.running, child
            is_open = self.seen.is_open(self.seen.override())
            self.release.work_started(self.world.now, self.seen.run_date() if is_open else None)
            self.world.running = before
        return lambda: self._work(child, envelope)

    def _work(self, child: Process, envelope: Envelope) -> None:
        self.world.note(f"takes {envelope}{' (again)' if envelope.returned else ''}", envelope.about)
        try:
            if envelope.raw is not None:
                with base.kept():
                    child.tools.accept(envelope.raw)
            else:
                request = SimpleNamespace(
                    get=envelope.headers.get,
                    id=envelope.id,
                    delivery_info={"redelivered": envelope.returned > 0},
                )
                task: Any = SimpleNamespace(request=request, app=self.broker)
                step = envelope.name.removeprefix("nightshift.")
                options: dict[str, Any] = {"first": 0, "last": 0, "run_date": ""} | envelope.kwargs
                with suppress(*ENDS):  # as `tasks.ended.Request` acknowledges it
                    base.run(task, step, *envelope.args, **options)
        except Reject as error:
            self.world.note(f"returns {envelope} ({error})", envelope.about)
            self.broker.give_back(envelope)
        except Died:
            self.broker.give_back(envelope)
            raise
        else:
            self.broker.acknowledge(envelope)
            self.world.note(f"acknowledges {envelope}", envelope.about)

    def ended(self, child: Process) -> None:
        """What the parent does when a child is through with its message."""
        child.held, child.gated = None, False
        if child.dead and child is self.child:
            self.child = self.fork()

    def tick(self, child: Process) -> None:
        """What the gate does each second, while this child works or all are idle; may end the child."""
        world = self.world
        allowed = self.lanes()
        before, world.running = world.running, child
        is_open = self.seen.is_open(self.seen.override())
        world.running = before
        if is_open:
            self.release.opened()
            return
        if not self.release.in_use:
            return
        held = child.held if child.gated else None
        busy = [Busy(held.id, held.queue)] if held else []
        action = self.release.closed(world.now, allowed, busy, {self.children})
        if action.stop:
            world.note("IS STOPPED by the gate: the grace period is over", held.about if held else "")
            child.dead = True
            raise Died
        if action.replace:
            self.child = self.fork()
        if action.released and action.released.run_date:
            note_release(world.store, action.released.run_date, self.name, action.released.seconds)
