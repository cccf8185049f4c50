"""What holds models in this worker, by number, and how it is ended: processes of the pool, or those of devices."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from pipeline.device.host import Devices


class Holders:
    """`consumer`: Celery's, which has the pool. `devices`: of this worker, if it has any.

    `children`: whether processes of the pool have models on a device all the same. A device has the number -1, -2, …;
    it is held until its process is gone, whichever process that is.
    """

    def __init__(self, consumer: Any, devices: Devices | None, *, children: bool) -> None:
        self._consumer, self._devices = consumer, devices
        self._children = children or devices is None

    def pool(self) -> set[int]:
        """Ids of the pool's processes."""
        pool = getattr(self._consumer.pool, "_pool", None)
        return {process.pid for process in list(pool._pool)} if pool else set()

    def processes(self) -> set[int]:
        """Ids of all processes of this worker that may hold models or are about to."""
        return self.pool() | (self._devices.pids() if self._devices else set())

    def ids(self) -> set[int]:
        """What may hold models now."""
        devices = {-1 - number for number in self._devices.ids()} if self._devices else set()
        return devices | (self.pool() if self._children else set())

    def work_started(self) -> None:
        """GPU work goes to a process of the pool: it will need the models."""
        if self._devices:
            self._devices.ensure()

    def replace(self, ids: Collection[int]) -> None:
        """End these: a device's process at once, one of the pool once it is idle. The pool starts new ones.

        Celery's own `pool.restart()` reaches only processes that get another task.
        """
        self._end_devices(ids)
        pool = getattr(self._consumer.pool, "_pool", None)
        if pool:
            for process in list(pool._pool):
                if process.pid in ids and not pool._worker_active(process):
                    process.terminate_controlled()

    def kill(self, ids: Collection[int]) -> None:
        """End these at once, whatever they do."""
        self._end_devices(ids)
        for pid in ids:
            if pid > 0:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _end_devices(self, ids: Collection[int]) -> None:
        if self._devices and any(id < 0 for id in ids):
            self._devices.end()
