"""Disk space for the files that processes count in, allocated before they are mapped into memory.

A process that writes to a mapped page for which a full disk has no room is killed (SIGBUS): no count is worth that.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from pipeline.telemetry.metrics import Metric

SIZE = 256 * 1024
"""Bytes for the counters, and for the histograms, of one process: about a thousand series."""

_ENTRY = 120  # bytes of one value and what surrounds its names


class Room:
    """The file of one process and one kind of metric. Raises `OSError` where there is no space for it."""

    def __init__(self, path: Path) -> None:
        reserve(path, SIZE)
        self._left = SIZE - _used(path) - _ENTRY

    def take(self, metric: Metric, values: Sequence[str]) -> None:
        """Note that a series needs its part; raises `MemoryError` where the file is full."""
        names = sum(map(len, metric.labels)) + 6 * sum(map(len, values))
        needed = 2 * len(metric.name) + len(metric.help) + 8 * len(metric.labels) + names + _ENTRY
        needed *= len(metric.buckets) + 2 if metric.kind == "histogram" else 1
        if needed > self._left:
            raise MemoryError("this process has as many series as its file holds")
        self._left -= needed


def reserve(path: Path, more: int) -> None:
    """Allocate so many bytes beyond those in use, in a file that exists or not; raises `OSError`."""
    used = _used(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, used + more)
    except OSError:
        if not used:
            path.unlink()
        raise
    finally:
        os.close(handle)


def _used(path: Path) -> int:
    """Bytes in use, as the first four say; 0 for a new file."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except FileNotFoundError:
        return 0
    return int(struct.unpack("i", head)[0]) if len(head) == 4 else 0
