"""Real device processes for tests, with the simulated device."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from pipeline.device.client import Client
from pipeline.device.counters import Counters, read_counters
from pipeline.device.launch import start
from pipeline.device.simulated import VARIABLE
from pipeline.ocr.cuts import Image
from pipeline.settings import Settings

FAKE = Settings(ocr_engine="fake-device")
RED, BLUE, GREEN, MAGENTA, CYAN = (0, 0, 255), (255, 0, 0), (0, 255, 0), (255, 0, 255), (255, 255, 0)
"""What the simulated device does something special with, as BGR."""


class Place:
    """Where a device process listens, and the process that does now."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "device"
        self._started: list[subprocess.Popen[bytes]] = []
        self._clients: list[Client] = []

    def start(self, simulation: str = "", *, wait: bool = True) -> subprocess.Popen[bytes]:
        """Start a process, as a host does, and wait until it is ready."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, simulation)
            process = start(self.address, FAKE, "gpu:0")
        self._started.append(process)
        if wait:
            until(lambda: self.counters.pid == process.pid or process.poll() is not None)
        return process

    def restart(self, process: subprocess.Popen[bytes], simulation: str = "") -> subprocess.Popen[bytes]:
        """Kill a process, and start the next one, as a host does."""
        process.kill()
        process.wait()
        return self.start(simulation)

    @property
    def counters(self) -> Counters:
        """What it has done."""
        return read_counters(self.address) or Counters(pid=0)

    def client(self, **kwargs: float) -> Client:
        """A client of it, with little patience."""
        client = Client([self.address], **{"patience": 20.0, "longest": 60.0, **kwargs})  # type: ignore[arg-type]
        self._clients.append(client)
        return client

    def end(self) -> None:
        """End what was started."""
        for client in self._clients:
            client.close()
        for process in self._started:
            process.kill()
            process.wait()


@contextmanager
def device_place() -> Iterator[Place]:
    """A folder for the socket of a device process: its name is short, as the kernel's limit is 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ns-") as folder:
        place = Place(Path(folder))
        try:
            yield place
        finally:
            place.end()


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def picture(colour: tuple[int, int, int] = (1, 2, 3), height: int = 64, width: int = 96) -> Image:
    """A BGR image of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def colour_of(answer: tuple[object, ...]) -> tuple[int, ...]:
    """The colour of the image that a map of the simulated device is the answer to, as BGR."""
    (found,) = answer
    assert isinstance(found, np.ndarray)
    return tuple(round(float(value) * 255) for value in found[0, :3])


def descriptors(pid: int | None = None) -> int:
    """How many files a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid or os.getpid()}/fd").iterdir())
