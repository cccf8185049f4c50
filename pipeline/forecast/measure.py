"""What was measured of documents that have ended: sums that can be added up over processes and nights."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

import msgspec

STOPPED = 600.0
"""Seconds without a result while documents wait, beyond those that the next one took: work was interrupted."""

_INSTANT = 0.001  # seconds: of a document whose pages were read before

OpenSeconds = Callable[[datetime, datetime], float]
"""Seconds between two moments in which the window is open."""


class Tally(msgspec.Struct):
    """Documents of one kind: sums over them of pages, seconds, their squares and their product.

    `logs`, `logs_squared`: sums of the logarithm of a document's seconds a page, and of its square.
    """

    documents: int = 0
    pages: int = 0
    seconds: float = 0.0
    pages_squared: float = 0.0
    seconds_squared: float = 0.0
    product: float = 0.0
    logs: float = 0.0
    logs_squared: float = 0.0

    def add(self, pages: int, seconds: float) -> None:
        """Count one document."""
        self.documents += 1
        self.pages += pages
        self.seconds += seconds
        self.pages_squared += pages * pages
        self.seconds_squared += seconds * seconds
        self.product += pages * seconds
        log = math.log(max(seconds, _INSTANT) / pages)
        self.logs += log
        self.logs_squared += log * log

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            *(
                a + b
                for a, b in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
            )
        )

    @property
    def mean(self) -> float:
        """Seconds a page."""
        return self.seconds / self.pages if self.pages else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of seconds a page between documents, each weighted by its pages."""
        mean = self.mean
        rest = self.seconds_squared - 2 * mean * self.product + mean * mean * self.pages_squared
        return math.sqrt(max(rest, 0.0) / self.pages_squared) if self.pages_squared else 0.0

    @property
    def pages_each(self) -> float:
        """Mean pages of a document."""
        return self.pages / self.documents if self.documents else 1.0

    @property
    def pages_deviation(self) -> float:
        """Standard deviation of the pages of a document."""
        each = self.pages_each
        return (
            math.sqrt(max(self.pages_squared / self.documents - each * each, 0.0)) if self.documents else 0.0
        )

    @property
    def error(self) -> float:
        """Relative standard error of `mean`; infinite where fewer than two documents make up most of it."""
        weight = self.pages**2 / self.pages_squared if self.pages_squared else 0.0
        if weight < 2 or not self.mean:
            return math.inf
        spread = self.deviation * math.sqrt(self.pages_squared) / self.pages
        return spread / self.mean * math.sqrt(weight / (weight - 1))

    @property
    def level(self) -> float:
        """Mean logarithm of seconds a page, each document counting the same.

        A few long documents decide the mean; a slow night moves all documents alike, which this shows much sooner.
        """
        return self.logs / self.documents if self.documents else 0.0

    @property
    def level_error(self) -> float:
        """Standard error of `level`; of fewer than five documents infinite."""
        if self.documents < 5:
            return math.inf
        variance = max(self.logs_squared / self.documents - self.level**2, 0.0)
        return math.sqrt(variance / (self.documents - 1))


class Measured(msgspec.Struct):
    """One process, or one night: tallies by kind, and how long it worked.

    `working`: seconds in which documents waited or were processed; `stops`, `stopped`: how often, and for how many
    seconds of the window, work was interrupted (`STOPPED`). `last`: the last result (UTC). `first`: seconds of
    documents that are served before those that have waited longer.
    """

    kinds: dict[str, Tally] = {}
    working: float = 0.0
    stops: int = 0
    stopped: float = 0.0
    last: datetime | None = None
    first: float = 0.0

    def add(
        self,
        kind: str,
        pages: int,
        seconds: float,
        *,
        seen: datetime | None,
        done: datetime,
        opened: OpenSeconds,
        first: bool = False,
    ) -> None:
        """Count a document that was accepted at `seen` and done now; in the order in which they are done.

        `first`: it is urgent, or has a deadline.
        """
        self.kinds.setdefault(kind, Tally()).add(max(pages, 1), seconds)
        self.first += seconds if first else 0.0
        before, self.last = self.last, done
        gap = (done - before).total_seconds() if before else 0.0
        if before is None or seen is None or seen > before or gap < 0:
            self.working += seconds  # nothing waited in between, or the clock was set back
            return
        if gap - seconds <= STOPPED:
            self.working += gap
            return
        self.working += seconds
        if (lost := opened(before, done) - seconds) > STOPPED:
            self.stops += 1
            self.stopped += lost

    def together(self, other: Measured) -> Measured:
        """What two processes measured at the same time: their work adds up, their time does not.

        An interruption counts if all have it: one process alone may have had a part of a document of another one.
        """
        return Measured(
            kinds=added(self.kinds, other.kinds),
            working=max(self.working, other.working),
            stops=min(self.stops, other.stops),
            stopped=min(self.stopped, other.stopped),
            last=max(filter(None, (self.last, other.last)), default=None),
            first=self.first + other.first,
        )

    @property
    def all(self) -> Tally:
        """All kinds together."""
        return sum(self.kinds.values(), Tally())

    @property
    def processes(self) -> float:
        """Seconds of work in a second: how many processes worked at once, effectively; 0 where nothing is known."""
        return self.all.seconds / self.working if self.working > 0 else 0.0


def added(one: dict[str, Tally], other: dict[str, Tally]) -> dict[str, Tally]:
    """Tallies by kind, added up."""
    return {kind: one.get(kind, Tally()) + other.get(kind, Tally()) for kind in {**one, **other}}
