"""The processes of a night, started again when they end, as a service manager does, and their clocks."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.support.night import Night, Process

_PAUSE = 1.0  # seconds until a process that ended is started again


def clock_library(folder: Path) -> Path | None:
    """Build what lets a process see another time; `None` without a C compiler.

    libfaketime 0.9 would do, but Python's `time.sleep` fails under it, or time spans jump as well.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


class Fleet:
    """Workers and beat. `restarts`: how often one ended by itself, by its exit code."""

    def __init__(self, night: Night, workers: int, clock: Path | None) -> None:
        self.night, self.clock = night, clock
        self.names = [f"w{n}" for n in range(1, workers + 1)]
        self.running: dict[str, Process] = {}
        self.restarts: Counter[str] = Counter()
        self._killed: set[int] = set()
        self._lock = threading.RLock()
        self._over = threading.Event()
        for name in [*self.names, "beat"]:
            self._start(name)
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()

    def set_clock(self, name: str, seconds: int) -> None:
        """Let a process see a time of day that is off by this much."""
        with self._clock_file(name).open("r+b") as file:
            file.write(struct.pack("q", seconds))

    def _clock_file(self, name: str) -> Path:
        return self.night.folder / f"{name}.clock"

    def kill(self, name: str) -> None:
        """SIGKILL to a process and its children."""
        with self._lock:
            process = self.running[name]
            self._killed.add(process.main.pid)
            process.kill()

    def terminate(self, name: str) -> None:
        """SIGTERM, as at each deployment; it is started again when it has ended."""
        with self._lock:
            self._killed.add(self.running[name].main.pid)
            self.running[name].main.terminate()

    def signal(self, name: str, number: int, *, main: bool = True, children: bool = True) -> list[int]:
        """Send a signal to a process, its children, or both; returns their ids."""
        process = self.running[name]
        pids = [process.main.pid] * main + process.children() * children
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids

    def stop(self) -> list[str]:
        """SIGTERM to all; returns the names of those that did not end within a minute, which are killed."""
        self._over.set()
        self._keeper.join()
        for process in self.running.values():
            process.main.terminate()
        slow, end = [], time.monotonic() + 60
        for name, process in self.running.items():
            while process.main.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
            if process.main.poll() is None:
                slow.append(name)
            process.kill()
        return slow

    def _start(self, name: str) -> None:
        env = {}
        if self.clock is not None:
            file = self._clock_file(name)
            if not file.exists():
                file.write_bytes(bytes(8))
            env = {"LD_PRELOAD": str(self.clock), "SOAK_CLOCK_FILE": str(file)}
        self.running[name] = (
            self.night.beat() if name == "beat" else self.night.worker(name, "-c", "2", "-l", "INFO", **env)
        )

    def _keep(self) -> None:
        while not self._over.wait(0.2):
            with self._lock:
                ended = [name for name, process in self.running.items() if process.main.poll() is not None]
            for name in ended:
                process = self.running[name]
                if process.main.pid not in self._killed:
                    self.restarts[f"{name} exit {process.main.returncode}"] += 1
                if self._over.wait(_PAUSE):
                    return
                with self._lock:
                    process.kill()  # what is left of its children
                    self._start(name)


CONTINUE, PAUSE = signal.SIGCONT, signal.SIGSTOP
