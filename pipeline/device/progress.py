"""What the processes of one device have done, added up over all of them, and counted for Prometheus."""

from __future__ import annotations

import math
import os
import threading
from contextlib import suppress
from pathlib import Path

from pipeline import telemetry
from pipeline.device.counters import Counters
from pipeline.device.held import Process
from pipeline.telemetry.devices import used

_MEMORY = 5.0  # seconds between two looks at the memory in use


class Progress:
    """Figures of one device. `busy`: seconds that it has computed. `memory`: MiB in use now, 0: it is not held."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy = self.memory = 0.0
        self._pid, self._seen, self._looked = 0, Counters(0), -math.inf
        self._looking: threading.Thread | None = None

    def started(self, processes: int) -> None:
        """So many processes were started."""
        if processes:
            telemetry.count("nightshift_device_starts_total", self.name, by=processes)

    def note(self, process: Process | None, now: float) -> None:
        """Add what the process has done since the last look; memory is looked at every few seconds."""
        if process is None:
            self._pid, self._looked = 0, -math.inf
            self._hold(0.0)
            return
        if process.pid != self._pid:
            self._pid, self._seen = process.pid, Counters(0)
        if now - self._looked >= _MEMORY:
            self._looked = now
            self._look(process.pid)
        new, seen = process.figures, self._seen
        if new.pid != process.pid:  # not ready yet
            return
        self._seen = new
        busy = new.busy - seen.busy
        self.busy += busy
        telemetry.count("nightshift_device_busy_seconds_total", self.name, by=busy)
        telemetry.count("nightshift_device_batches_total", self.name, by=new.batches - seen.batches)
        telemetry.count("nightshift_device_images_total", self.name, by=new.images - seen.images)
        telemetry.count("nightshift_device_slots_total", self.name, by=new.slots - seen.slots)

    def _look(self, pid: int) -> None:
        """Ask for the memory; a driver may hang, and who calls this must keep the window all the same."""

        def look() -> None:
            found = memory_of(self.name, pid)
            if self._pid == pid:
                self._hold(found)

        if self.name == "cpu":
            look()
        elif self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=look, name="memory", daemon=True)
            self._looking.start()

    def _hold(self, memory: float) -> None:
        self.memory = memory / 2**20
        if self.name == "cpu":  # of a GPU, the driver is asked
            telemetry.gauge("nightshift_device_memory_bytes", memory, self.name)


def memory_of(device: str, pid: int) -> float:
    """Bytes in use on a GPU, as its driver says; without a driver, and on a CPU, the resident memory of the process."""
    if device != "cpu" and (found := used(device)):
        return found
    with suppress(OSError, IndexError, ValueError):
        return float(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    return 0.0
