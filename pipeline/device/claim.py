"""The right to use a device of this host: one process has it at a time, and the kernel ends it with that process.

On a CPU there is nothing to claim: processes share it by nature.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from pathlib import Path

_locks: set[int] = set()  # of this process; a process that it forks has none of them


def _leave() -> None:
    """Close what a fork inherited: a lock would last as long as the longest-lived of all copies."""
    while _locks:
        os.close(_locks.pop())


os.register_at_fork(after_in_child=_leave)


class Claim:
    """The claim of this process to one device. `folder`: where all processes of this user look for its lock."""

    def __init__(self, folder: Path, device: str) -> None:
        self.device = device
        self._path = folder / f"device-{socket.gethostname()}-{_on_host(device)}.lock"
        self._lock: int | None = None

    def take(self) -> str:
        """Claim the device; returns who holds it instead, empty if this process does now. Raises `OSError`."""
        if self.device == "cpu" or self._lock is not None:
            return ""
        lock = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
            os.close(lock)
            return f"process {holder}" if holder.isdecimal() else "another process"
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        _locks.add(lock)
        return ""

    def drop(self) -> None:
        """Give the device back."""
        if self._lock is not None:
            if self._lock in _locks:  # not in a fork
                _locks.remove(self._lock)
                os.close(self._lock)
            self._lock = None


def _on_host(device: str) -> str:
    """The GPU as all processes of this host call it: CUDA counts only those that CUDA_VISIBLE_DEVICES names."""
    kind, _, number = device.partition(":")
    visible = re.findall(r"[\w-]+", os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    return f"{kind}-{visible[int(number)] if number and int(number) < len(visible) else number}"


def holder_of(folder: Path, device: str) -> str:
    """Which other process holds a device now; empty if none does. Raises `OSError`."""
    claim = Claim(folder, device)
    found = claim.take()
    claim.drop()
    return found
