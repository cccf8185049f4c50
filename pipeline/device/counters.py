"""What a device process has done, in a small file that its parent can read at any time, also after its end."""

from __future__ import annotations

import mmap
import struct
import time
from contextlib import suppress
from pathlib import Path

import msgspec

_LAYOUT = struct.Struct("=5d")


class Counters(msgspec.Struct, frozen=True):
    """What was done so far. `slots`: places in the batches that were computed, of which `items` had an image.

    `since`: when the batch in progress began, on the monotonic clock of the host; 0: there is none.
    """

    busy_seconds: float = 0.0
    batches: int = 0
    items: int = 0
    slots: int = 0
    since: float = 0.0

    def in_progress(self) -> float:
        """Seconds since the batch in progress began, 0 if there is none."""
        return max(time.monotonic() - self.since, 0.0) if self.since else 0.0


class Written:
    """The counters of this process, which one thread keeps."""

    def __init__(self, path: Path) -> None:
        """Begin at zero; raises `OSError`."""
        with path.open("w+b") as file:
            file.truncate(_LAYOUT.size)
            self._memory = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._now = Counters()

    def began(self) -> None:
        """A batch begins."""
        self._put(msgspec.structs.replace(self._now, since=time.monotonic()))

    def computed(self, items: int, slots: int) -> None:
        """The batch in progress has ended, with so many images in so many places."""
        now = self._now
        self._put(
            Counters(
                now.busy_seconds + now.in_progress(), now.batches + 1, now.items + items, now.slots + slots
            )
        )

    def failed(self) -> None:
        """The batch in progress gave nothing: its seconds count, it does not."""
        now = self._now
        self._put(Counters(now.busy_seconds + now.in_progress(), now.batches, now.items, now.slots))

    def _put(self, counters: Counters) -> None:
        self._now = counters
        _LAYOUT.pack_into(self._memory, 0, *msgspec.structs.astuple(counters))


def read(path: Path) -> Counters:
    """The counters of a process, all zero before its first batch and where it has none."""
    with suppress(OSError, struct.error):
        busy, batches, items, slots, since = _LAYOUT.unpack(path.read_bytes())
        return Counters(busy, int(batches), int(items), int(slots), since)
    return Counters()
