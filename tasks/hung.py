"""Whether this worker hangs: asked by a liveness probe, whose answer restarts the worker.

A busy worker does not hang, however long its steps take, nor does one without a broker: a restart would help neither.
Where the whole worker is stopped nobody answers, and where its main loop is stuck `tasks.watchdog` ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery.worker import state

from pipeline.telemetry.http import Answer

STOPPED = 5.0
"""Seconds for which a process of the worker may be stopped (by SIGSTOP, a debugger, a frozen control group)."""

OVERDUE = 60.0
"""Seconds after its time limit by which the pool must have ended a step."""


class Hung:
    """Looks at the processes and steps of a worker about once per second.

    processes: ids of those that work. steps: id and time limit, in seconds, of each step in progress.
    """

    def __init__(
        self, processes: Callable[[], Collection[int]], steps: Callable[[], Mapping[str, float]]
    ) -> None:
        self._processes, self._steps = processes, steps
        self._stopped: dict[int, float] = {}  # for how many seconds each has been
        self._running: dict[str, float] = {}
        self._at = 0.0
        self.trouble = ""
        """What is wrong, in one sentence; empty if nothing hangs."""

    def look(self, now: float) -> None:
        """Look at the time `now` of one monotonic clock.

        What passes between two looks counts for one second at most: where this process was paused, so were the others.
        """
        passed, self._at, steps = min(now - self._at, 1.0), now, self._steps()
        stopped = [pid for pid in self._processes() if is_stopped(pid)]
        self._stopped = {pid: self._stopped.get(pid, -passed) + passed for pid in stopped}
        self._running = {id: self._running.get(id, -passed) + passed for id in steps}
        self.trouble = self._trouble(steps)

    def _trouble(self, steps: Mapping[str, float]) -> str:
        for pid, seconds in self._stopped.items():
            if seconds >= STOPPED:
                return f"Process {pid} of this worker has been stopped for {seconds:.0f} s."
        for id, seconds in self._running.items():
            if seconds > steps[id] + OVERDUE:
                return f"A step with a time limit of {steps[id]:.0f} s has been running for {seconds:.0f} s."
        return ""

    def page(self) -> Answer:
        """The answer of `/livez`."""
        return Answer(503 if self.trouble else 200, f"{self.trouble or 'ok'}\n".encode())


def of_worker(app: Any, processes: Callable[[], Collection[int]]) -> Hung:
    """What watches the steps of this worker's own pool."""

    def steps() -> dict[str, float]:
        longest = float(app.conf.task_time_limit)
        for _ in range(3):  # another thread changes the set
            with suppress(RuntimeError):
                return {request.id: request.time_limits[0] or longest for request in state.active_requests}
        return {}

    return Hung(processes, steps)


def is_stopped(pid: int) -> bool:
    """Whether a process of this machine is stopped; one that is gone, or works, is not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return status[status.rindex(b")") + 2 :][:1] in (b"T", b"t")
