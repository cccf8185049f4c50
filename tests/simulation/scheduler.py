"""Which process runs: work is started, paused in the middle, and resumed when its time has come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tests.simulation.faults import NEVER
from tests.simulation.process import Died, Fiber, Process
from tests.simulation.world import World

_INLINE = 400  # calls without a fault ahead: the work needs no stack of its own


class Scheduler:
    """Runs one process at a time.

    `on_pause` is called for each process that was paused just now, `on_crash` for one that ended by an error that
    nothing expects.
    """

    def __init__(
        self,
        world: World,
        on_pause: Callable[[Process], None],
        on_crash: Callable[[Process, Exception], None],
    ) -> None:
        self.world, self.on_pause, self.on_crash = world, on_pause, on_crash
        self.paused: list[tuple[Process, Callable[[], None]]] = []

    def start(self, process: Process, work: Callable[[], None], ended: Callable[[], None]) -> None:
        """Run a process's work until it ends or is paused; `ended` is called when it has ended."""
        world = self.world
        process.began = world.now

        def alone() -> None:
            try:
                with suppress(Died):
                    work()
            except Exception as error:  # which would end the thread alone, and nobody would see it
                self.on_crash(process, error)

        if process.left > _INLINE and world.rates.focus is None and not world.aims:
            before, world.running = world.running, process
            alone()
            world.running = before
            ended()
            return

        process.fiber = Fiber(alone)
        self._resume(process, ended)

    def _resume(self, process: Process, ended: Callable[[], None]) -> None:
        assert process.fiber is not None
        before, self.world.running = self.world.running, process
        process.fiber.resume()
        self.world.running = before
        if process.fiber.ended:
            process.fiber = None
            ended()
        else:
            self.paused.append((process, ended))
            self.on_pause(process)

    def wake(self) -> None:
        """Resume the paused processes whose time has come."""
        due = [pair for pair in self.paused if pair[0].wakes <= self.world.now]
        for pair in due:
            self.paused.remove(pair)
            pair[0].woken = self.world.now
            self._resume(*pair)

    def finish(self) -> None:
        """Resume all of them, in any order, and let them end."""
        self.world.rng.shuffle(self.paused)
        while self.paused:
            for process, _ in self.paused:
                process.left, process.wakes = NEVER, self.world.now
            self.wake()
