"""The worker processes of `nightshift run`: a local pool (pebble) that isolates crashes and enforces time limits."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from multiprocessing import get_context

from pebble import ProcessPool

from pipeline.run import worker
from pipeline.run.counters import PageCounters
from pipeline.run.jobs import Job
from pipeline.run.outcome import Outcome
from pipeline.settings import Settings

_SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerPool:
    """Runs jobs in `count` processes; takes twice as many at once, so that no process waits for its next job."""

    def __init__(self, settings: Settings, run_date: str, count: int) -> None:
        os.environ |= dict.fromkeys(_SINGLE_THREADED, "1")  # inherited by the processes
        context = get_context("spawn")
        self.pages = PageCounters(context)
        self.running = 0
        """Jobs that were started and have not been returned by `wait`."""
        self._most, self._time_limit = 2 * count, settings.time_limit
        self._events: queue.SimpleQueue[tuple[Job, Future[Outcome]]] = queue.SimpleQueue()
        self._pool = ProcessPool(
            max_workers=count,
            initializer=worker.start,
            initargs=(settings, run_date, self.pages),
            context=context,
        )

    @property
    def has_room(self) -> bool:
        """Whether another job may be started."""
        return self.running < self._most

    def time_limit(self, job: Job) -> float:
        """Seconds that a job may take."""
        return self._time_limit * job.groups

    def start(self, job: Job) -> None:
        """Hand a job to the next free process; processes are started with the first job."""
        call: Callable[..., Outcome]
        if job.first:
            call = partial(worker.read_group, job.task, job.first, job.last)
        else:
            call = partial(worker.process, job.task, job.spread)
            self.pages.opened += job.spread
        # Ctrl-C in a terminal reaches every process of the group: workers inherit that it is blocked.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            future: Future[Outcome] = self._pool.schedule(call, timeout=self.time_limit(job))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self.running += 1
        future.add_done_callback(lambda done: self._events.put((job, done)))

    def wait(self, seconds: float) -> tuple[Job, Future[Outcome]] | None:
        """The next job that ended, `None` when none does within `seconds`."""
        try:
            ended = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        self.running -= 1
        return ended

    def finished(self) -> list[tuple[Job, Outcome]]:
        """After `stop`: jobs that ended by themselves and were not returned by `wait`."""
        found = []
        while not self._events.empty():
            job, future = self._events.get()
            if not future.cancelled() and not future.exception():
                found.append((job, future.result()))
        return found

    def close(self) -> None:
        """Let the processes end; no further job may be started."""
        self._pool.close()  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """End the processes now, whatever they do."""
        self._pool.stop()  # type: ignore[no-untyped-call]

    def join(self) -> None:
        """Wait until all processes have ended, after `close` or `stop`."""
        self._pool.join()
