"""What a device process has done, in a file next to its socket that others read; and its exit code."""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path
from typing import NamedTuple

EXIT_LOST = 91
"""Exit code of a process that lost its device while it computed: only another process can go on."""

_FORMAT = struct.Struct("=8d")


class Counters(NamedTuple):
    """Since the process was ready.

    `pid`: its process id. `busy`: seconds during which its models computed. `since`: when the batch in progress began,
    by `time.monotonic()`, which is one clock for all processes; 0: none is in progress. `slots`: images that its
    batches could have held, `images`: those that they held. `failures`: images that could not be computed. `waiting`:
    images that waited when the last batch began.
    """

    pid: int
    busy: float = 0.0
    since: float = 0.0
    batches: int = 0
    slots: int = 0
    images: int = 0
    failures: int = 0
    waiting: int = 0

    @property
    def computing(self) -> float:
        """Seconds since the batch in progress began, 0 where there is none."""
        return time.monotonic() - self.since if self.since else 0.0


def counters_of(address: Path) -> Path:
    """The file of the process that listens at `address`."""
    return address.with_name(f"{address.name}.counters")


def read_counters(address: Path) -> Counters | None:
    """The counters of the process that listens at `address`, or did last; `None` where none was ever ready."""
    try:
        data = counters_of(address).read_bytes()
        pid, busy, since, *counts = _FORMAT.unpack(data)
    except (OSError, struct.error):
        return None
    return Counters(int(pid), busy, since, *map(int, counts))


class Count:
    """The counters of this process, written as they change."""

    def __init__(self, address: Path) -> None:
        """Make the file, in the place of one that an earlier process left."""
        self.values = Counters(os.getpid())
        path = counters_of(address)
        new = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _FORMAT.size)
            self._memory = mmap.mmap(descriptor, _FORMAT.size)
        finally:
            os.close(descriptor)
        self._write()
        new.rename(path)

    def begin(self, waiting: int) -> None:
        """A batch begins."""
        self.values = self.values._replace(since=time.monotonic(), waiting=waiting)
        self._write()

    def end(self, *, slots: int, images: int, busy: float, failures: int) -> None:
        """The batch has ended: add what it was."""
        now = self.values
        self.values = now._replace(
            busy=now.busy + busy,
            since=0.0,
            batches=now.batches + 1,
            slots=now.slots + slots,
            images=now.images + images,
            failures=now.failures + failures,
        )
        self._write()

    def _write(self) -> None:
        self._memory[:] = _FORMAT.pack(*self.values)  # `pack_into` would let a reader see zeros for a moment
