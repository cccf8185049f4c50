"""The processes that hold devices, from the side of those who start them: a worker's parent, or `nightshift run`.

A thread starts them when there is work, watches them, starts them again when they die, and counts what they did. It
needs neither the broker nor the store.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pipeline import scratch
from pipeline.device.claim import Claim
from pipeline.device.held import Held
from pipeline.device.launched import Launched
from pipeline.device.progress import Progress
from pipeline.errors import DeviceGone, UsageError
from pipeline.settings import Settings

log = logging.getLogger("nightshift")

SOCKETS = "_NIGHTSHIFT_DEVICE_SOCKETS"
"""Environment variable by which the processes that read documents find the sockets, one a line."""

_LOOK = 0.25  # seconds between two looks
_PATH = 107 - len(
    ".4194304"
)  # bytes that the address of a socket may have, as it is first made with a process id
_HUNG = (
    1 / 4
)  # of NIGHTSHIFT_TIME_LIMIT: pages that wait for a batch that hangs twice must not exceed it themselves


def addresses() -> tuple[Path, ...]:
    """The addresses of the devices that this process may ask; raises `DeviceGone` where nobody holds any."""
    found = os.environ.get(SOCKETS, "")
    if not found:
        raise DeviceGone(
            "NIGHTSHIFT_DEVICES is set, but no worker and no `nightshift run` holds a device here."
        )
    return tuple(map(Path, found.split("\n")))


class Devices:
    """The devices of the settings. Processes that are started later find them by the environment of this one.

    `progress`: what each has done. `lost`: called once, in another thread, with one sentence, when a device can't be
    used any more.
    """

    def __init__(self, settings: Settings, lost: Callable[[str], None] = lambda _: None) -> None:
        """Start nothing yet; raises `UsageError` where no private folder can be made."""
        root = scratch.root(settings.temp_dir)
        folder = scratch.start(settings.temp_dir) / "devices"
        folder.mkdir(mode=0o700, exist_ok=True)
        names = settings.device_names
        self._addresses = [folder / f"{number}.sock" for number in range(len(names))]
        if len(os.fsencode(self._addresses[-1])) > _PATH:
            raise UsageError(
                f"{folder} is too long for the address of a socket: set a shorter NIGHTSHIFT_TEMP_DIR."
            )
        os.environ[SOCKETS] = "\n".join(map(str, self._addresses))
        self._claims = [Claim(root, name) for name in sorted(names)]  # or two workers could have one each
        self._held = [
            Held(name, _launcher(settings, name, address), _HUNG * settings.time_limit)
            for name, address in zip(names, self._addresses, strict=True)
        ]
        self.progress = tuple(Progress(name) for name in names)
        self._lost, self._reported = lost, False
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> str:
        """One sentence once a device is lost; empty before."""
        return next((held.lost for held in self._held if held.lost), "")

    def claim(self) -> str:
        """Take all devices for this process, or none; returns one sentence where another one has one of them."""
        why = self._claimed()
        if why:
            self.unclaim()
        return why

    def _claimed(self) -> str:
        for claim in self._claims:
            try:
                holder = claim.take()
            except OSError as error:
                return f"The device {claim.device} can't be claimed: {error.strerror}; check NIGHTSHIFT_TEMP_DIR."
            if holder:
                return (
                    f"The device {claim.device} is held by {holder}: give each worker of a machine its own device "
                    "(NIGHTSHIFT_DEVICES), or end that process."
                )
        return ""

    def unclaim(self) -> None:
        """Leave the devices to others, if no process of ours holds one."""
        if not self.ids():
            for claim in self._claims:
                claim.drop()

    def ensure(self) -> None:
        """Have a process for each device, now and until `end`; waits for nothing."""
        with self._lock:
            for held in self._held:
                held.want()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="devices", daemon=True)
            self._thread.start()
        self._wake.set()

    def ids(self) -> set[int]:
        """Numbers of the devices that are in use, or will be in a moment."""
        return {number for number, held in enumerate(self._held) if held.is_held}

    def pids(self) -> set[int]:
        """Ids of the processes that live."""
        found = [held.process for held in self._held]
        return {process.pid for process in found if process and process.ended() is None}

    def end(self) -> None:
        """End all processes, within seconds; none is started until the next `ensure`."""
        with self._lock:
            for held in self._held:
                held.end(time.monotonic())
        self._wake.set()

    def close(self, seconds: float = 5.0) -> None:
        """End all processes, and wait until they are gone and the claims are free."""
        self.end()
        end = time.monotonic() + seconds
        while self.ids() and time.monotonic() < end:
            self.watch()
            time.sleep(0.05)
        self.watch()
        self.unclaim()

    def watch(self) -> None:
        """Do what is due for each device, and count."""
        now = time.monotonic()
        with self._lock:
            for held, progress in zip(self._held, self.progress, strict=True):
                progress.note(held.process, now)  # first: a process that has ended is forgotten
                starts = held.starts
                held.look(now)
                progress.started(held.starts - starts)
        if self.lost and not self._reported:
            self._reported = True
            from pipeline.device.client import lost_file  # brings numpy

            for address in self._addresses:
                lost_file(address).write_text(self.lost, encoding="utf-8")
            self._lost(self.lost)

    def _watch(self) -> None:
        while True:
            try:
                self.watch()
            except Exception:
                log.exception("unexpected error while watching the devices")
            self._wake.wait(_LOOK)
            self._wake.clear()


def _launcher(settings: Settings, name: str, address: Path) -> Callable[[], Launched]:
    return lambda: Launched(settings, name, address)
