"""The worker processes of `nightshift run`: a local pool (pebble) that isolates crashes and enforces time limits."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import get_context, resource_tracker

from pebble import ProcessPool

from pipeline.device.host import Devices
from pipeline.errors import DeviceGone
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
        resource_tracker.ensure_running()  # its start would unblock SIGINT, which `_undisturbed` blocks
        context = get_context("spawn")
        self.pages = PageCounters(context)
        self._settings = settings
        self._devices: Devices | None = None
        self._most, self._time_limit = 2 * count, settings.time_limit
        self._started = False
        self._running: dict[Future[Outcome], Job] = {}
        self._ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self._pool = ProcessPool(
            max_workers=count,
            initializer=worker.start,
            initargs=(settings, run_date, self.pages),
            context=context,
        )

    @property
    def running(self) -> list[Job]:
        """Jobs that were started and have not been returned by `wait`, in the order of their start."""
        return list(self._running.values())

    @property
    def has_room(self) -> bool:
        """Whether another job may be started."""
        return len(self._running) < self._most

    def time_limit(self, job: Job) -> float:
        """Seconds that a job may take."""
        return self._time_limit * job.groups

    def start(self, job: Job) -> None:
        """Hand a job to the next free process; processes are started with the first job.

        Raises `DeviceGone` where another process has a device.
        """
        if not self._started:
            self._hold_devices()
        call: Callable[..., Outcome]
        if job.first:
            call = partial(worker.read_group, job.task, job.first, job.last)
        elif job.count:
            call = partial(worker.count_pages, job.task)
        else:
            call = partial(worker.process, job.task, job.spread)
            self.pages.opened += job.spread
        with nullcontext() if self._started else _undisturbed():
            future: Future[Outcome] = self._pool.schedule(call, timeout=self.time_limit(job))
        self._started = True
        self._running[future] = job
        future.add_done_callback(self._ended.put)

    def wait(self, seconds: float) -> tuple[Job, Future[Outcome]] | None:
        """The next job that ended, `None` when none does within `seconds`.

        Raises `DeviceGone` once a device is lost.
        """
        if self._devices and self._devices.lost:
            raise DeviceGone(self._devices.lost)
        try:
            future = self._ended.get(timeout=seconds)
        except queue.Empty:
            return None
        return self._running.pop(future), future

    def close(self) -> None:
        """Let the processes end; no further job may be started."""
        self._pool.close()  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """End the processes now, whatever they do."""
        self._pool.stop()  # type: ignore[no-untyped-call]

    def join(self) -> None:
        """Wait until all processes have ended, after `close` or `stop`."""
        self._pool.join()
        if self._devices:
            self._devices.close()

    def _hold_devices(self) -> None:
        """Start the processes that hold the devices, while those that ask them start."""
        if self._settings.devices:
            self._devices = Devices(self._settings)
            if why := self._devices.claim():
                raise DeviceGone(why)
            self._devices.ensure()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Start processes without being interrupted half-way, which each of them would report as a traceback.

    SIGINT and SIGTERM take effect at the end. The processes, and those that replace them, inherit that SIGINT is
    blocked, as Ctrl-C in a terminal reaches every process of the group.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if callable(signal.getsignal(n))]
    handlers = {n: signal.signal(n, lambda number, _: arrived.append(number)) for n in numbers}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if arrived:
            signal.raise_signal(arrived[0])
