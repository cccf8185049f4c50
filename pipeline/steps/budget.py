"""The processor time that a document may take to be decoded: thousands of slow pages can hide in a small file."""

from __future__ import annotations

import math
import time

import msgspec

from pipeline.documents.base import Document
from pipeline.errors import OverLimit
from pipeline.limits import STARTING
from pipeline.models import to_json
from pipeline.settings import PAGE_LEAST
from pipeline.steps.engines import Engines
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

WHOLE, PAGES = 0.4, 6000
"""A document may take this share of NIGHTSHIFT_TIME_LIMIT, all of it for each so many pages (0.05 s a page) ..."""
BYTES = 15_000_000
"""... and for each so many bytes: two to ten times what ordinary documents take."""
ABANDONED = 30.0
"""Seconds that a page counts that ended its process, in addition to those it took."""
_WRITTEN = 1.0
"""Seconds from which on what was overspent is worth a note."""


WAITING = 0.75
"""Share of the time limits of a message and of a page after which nobody waits any longer for a device that loads its
models: the process would be ended for that, and the document would count an attempt."""
_LONGEST = 1500.0
"""Seconds that a message may take in any case (`tasks.limits`)."""


class Spent(msgspec.Struct, frozen=True):
    """Seconds that a document took beyond the shares of its parts, as stored under `spent/`."""

    seconds: float = 0.0


class Budget:
    """Seconds left for `count` pages of a document that this process reads.

    Each part has its share; what it takes beyond comes out of what all parts of the document have together. Only a
    document of several parts asks the store what the others took of it.
    """

    def __init__(
        self, document: Document, sha256: str, count: int, *, store: Store, engines: Engines
    ) -> None:
        self.limit = engines.settings.time_limit
        self.page_seconds = engines.settings.page_seconds
        self.page_longest = self.limit + STARTING
        groups = math.ceil(count / engines.settings.page_group)
        self._ends = time.monotonic() + WAITING * min(self.limit * groups, _LONGEST)
        pages = max(document.page_count, 1)
        self._whole = max(WHOLE * self.limit, PAGE_LEAST)
        self._share = self.limit * (pages / PAGES + document.size / BYTES) * count / pages
        self.total = self._whole + self.limit * (pages / PAGES + document.size / BYTES)
        self._store, self._key = store, keys.spent(sha256, engines.reading_digest)
        self._others = self._read() if count < pages else 0.0
        self._spent = self._noted = 0.0

    def wait_until(self) -> float:
        """Until when a page that begins now may wait for a device that loads, by `time.monotonic()`."""
        return min(self._ends, time.monotonic() + WAITING * self.limit)

    def check(self) -> None:
        """Raise `OverLimit` if nothing is left for another page."""
        if self._others + self._over >= self._whole:
            raise OverLimit(
                f"The pages before it took up the {self.total:.0f} s of processor time that a document of this size"
                " may take, as files made to hold up a machine do: print it to a PDF and send that, or raise"
                " NIGHTSHIFT_TIME_LIMIT if it is genuine.",
                code="over_time",
            )

    def add(self, seconds: float) -> None:
        """Count the seconds of a page; what goes beyond the share is noted in the store."""
        self._spent += seconds
        new = self._over - self._noted
        if new >= _WRITTEN:
            self._others = self._read() - self._noted
            self._noted = self._over
            self._store.put(self._key, to_json(Spent(self._others + self._over)))

    @property
    def _over(self) -> float:
        return max(self._spent - self._share, 0.0)

    def _read(self) -> float:
        return (read_or_none(self._store, self._key, Spent) or Spent()).seconds
