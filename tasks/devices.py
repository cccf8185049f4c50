"""The devices of this worker, held by processes of their own: one object per worker, in its parent.

A worker that has lost a device ends by itself, as a warm shutdown: what is in progress goes back to the broker first.
"""

from __future__ import annotations

import logging
import os
import socket

from celery.worker import state

from pipeline.device.host import Devices
from pipeline.device.progress import Progress
from pipeline.errors import ExitCode
from pipeline.ledger.counting import Counting
from pipeline.night.night import Night
from pipeline.settings import Settings

log = logging.getLogger("nightshift.gate")

_devices: Devices | None = None


def start(settings: Settings) -> None:
    """Prepare the devices of the settings, before the pool starts; raises `UsageError`."""
    global _devices  # noqa: PLW0603 - one per worker is the point
    _devices = Devices(settings, _lost) if settings.devices else None


def of_worker() -> Devices | None:
    """The devices of this worker; `None` where each process of the pool has its own models."""
    return _devices


def stop() -> None:
    """End their processes with the worker."""
    if _devices is not None:
        _devices.close()


def _lost(sentence: str) -> None:
    """End the worker: another one, on another machine or once somebody has looked, does the work."""
    log.critical("%s The worker ends (exit code %d).", sentence, ExitCode.DEVICE)
    state.should_stop = int(ExitCode.DEVICE)


class Counted:
    """The counters of a night for the devices of this worker: one writer for each, as for a process with models."""

    def __init__(self, night: Night, devices: Devices | None) -> None:
        worker = f"{socket.gethostname()}/{os.getpid()}"

        def counting_of(progress: Progress) -> Counting:
            def memory() -> dict[str, float]:
                return {progress.name: progress.memory} if progress.memory else {}

            return Counting(night.store, night.schedule.run_date, worker=worker, memory=memory)

        self._each = [(one, counting_of(one)) for one in (devices.progress if devices else ())]
        self._seconds = [0.0] * len(self._each)

    def tick(self) -> None:
        """Count what the devices computed since the last tick; waits for nothing."""
        for number, (progress, counting) in enumerate(self._each):
            seconds = progress.busy  # once: another thread adds to it
            busy, self._seconds[number] = seconds - self._seconds[number], seconds
            counting.worked({"busy": busy})

    def released(self) -> None:
        """The devices are free: put that soon."""
        for _, counting in self._each:
            counting.moved_memory()
