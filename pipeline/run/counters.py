"""Pages read so far, counted by the workers in shared memory."""

from __future__ import annotations

import os
from collections.abc import MutableSequence
from multiprocessing.context import SpawnContext

_SLOTS = 1024
"""One slot per process and no lock: a worker that dies leaves nothing locked."""


class PageCounters:
    """Pages that workers have read or found in the store, and pages of the documents they have opened."""

    def __init__(self, context: SpawnContext) -> None:
        self._read: MutableSequence[int] = context.RawArray("l", _SLOTS)
        self._known: MutableSequence[int] = context.RawArray("l", _SLOTS)
        self.opened = 0
        """Documents that were handed to a worker."""
        self.ended = 0
        """Documents that ended without a worker, such as those done before."""

    def count_read(self, pages: int = 1) -> None:
        """In a worker: pages were read or found in the store."""
        self._read[os.getpid() % _SLOTS] += pages

    def count_known(self, pages: int) -> None:
        """In a worker: a document with so many pages was opened."""
        self._known[os.getpid() % _SLOTS] += pages

    @property
    def read(self) -> int:
        """Pages read or found in the store so far."""
        return sum(self._read)

    def expected(self, documents: int) -> float:
        """Pages of all `documents`; one that was not opened yet counts as the mean of those that were."""
        known = sum(self._known)
        unopened = max(documents - self.opened - self.ended, 0)
        return known + unopened * (known / self.opened if self.opened else 1)
