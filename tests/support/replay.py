"""Nights replayed by a virtual clock: documents of known durations, processed as the real decisions say.

The forecast, the admission near close and the choice of what must start for its deadline are the code of the product;
the rest (processes, pages, outages, arrivals) is drawn from a seed. A clairvoyant that always takes the document with
the earliest deadline that can still be met is what deadlines are compared with.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.forecast.admission import Expected, fitting
from pipeline.forecast.errors import KEPT, error
from pipeline.forecast.forecast import forecast
from pipeline.forecast.measure import Measured
from pipeline.forecast.model import Forecast, Rates, Work
from pipeline.forecast.rates import rates
from pipeline.forecast.slack import Due, starting
from pipeline.forecast.windows import Interval, open_seconds
from pipeline.night.admission import PAUSE
from pipeline.night.deadlines import AHEAD
from pipeline.night.window import OffPeakWindow

GROUP, SPREAD, GRACE, TICK, LOOK = 8, 40, 25.0, 60.0, 1800.0


@dataclass
class Document:
    """`pages`: seconds of each page, of one process; `known`: whether it was ingested when the night began."""

    number: int
    arrived: float
    kind: str
    pages: NDArray[np.float64]
    overhead: float
    deadline: float | None = None
    known: bool = True
    left: int = 0
    done: float | None = None
    urgent: bool = False

    @cached_property
    def due(self) -> Due:
        """What is known of it when it waits for its deadline."""
        return Due(datetime.fromtimestamp(self.deadline or 0.0, UTC), self.kind, len(self.pages))


@dataclass
class Part:
    """A message: the pages of a document from `at` to `end` are still to be read."""

    document: Document
    at: int
    end: int


@dataclass
class Outcome:
    """What one night showed. `wasted`: device seconds lost at close; `late`: held after close; `capacity`: all."""

    opened: float
    seconds: float
    capacity: float = 0.0
    wasted: float = 0.0
    late: float = 0.0
    forecast: Forecast | None = None
    waiting: list[Document] = field(default_factory=list)

    @property
    def actual(self) -> float | None:
        """When all was done that waited when the forecast was made; `None`: not in the nights that were replayed."""
        ends = [one.done for one in self.waiting]
        return None if any(end is None for end in ends) else max(filter(None, ends), default=None)


class Site:
    """An installation with its own pace and documents. `load`: work that arrives per night, of what it can do."""

    def __init__(self, seed: int, *, admission: bool = True, hurry: bool = True) -> None:
        self.random = np.random.default_rng(seed)
        draw = self.random
        self.processes = int(draw.integers(1, 5))
        self.pace = {
            "ocr": float(np.exp(draw.normal(2.0, 0.5))),
            "text": float(np.exp(draw.normal(0.5, 0.5))),
        }
        self.nightly, self.load = float(draw.uniform(0.03, 0.2)), float(draw.uniform(0.4, 1.15))
        self.scans, self.with_deadline = float(draw.uniform(0.4, 0.95)), float(draw.uniform(0.0, 0.4))
        spec = ("22:00-06:00", "23:00-05:00", "mon-fri 21:00-05:00; sat-sun 20:00-08:00")[
            int(draw.integers(3))
        ]
        self.window = OffPeakWindow.parse(spec, "Europe/Berlin")
        first = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=int(draw.integers(365)))
        self.intervals: list[Interval] = list(islice(self.window.openings(first), 400))
        self.admission, self.hurry = admission, hurry
        self.documents: list[Document] = []
        self.normal: deque[Part] = deque()
        self.urgent: deque[Part] = deque()
        self.first: deque[Part] = deque()
        self.nights: list[Measured] = []
        self.outcomes: list[Outcome] = []
        self.errors: list[float] = []
        self.unresolved: list[Outcome] = []
        self.outages: list[tuple[float, float]] = []
        self.open: list[Document] = []
        self.factor = 1.0

    def run(self, nights: int) -> list[Outcome]:
        """Replay so many nights, one after the other."""
        for number in range(nights):
            start, end = self.intervals[number]
            assert end is not None
            self._night(number, start.timestamp(), end.timestamp())
        return self.outcomes

    def _document(self, arrived: float, factor: float, close: float) -> Document:
        draw = self.random
        kind = "ocr" if draw.random() < self.scans else "text"
        size = draw.random()
        low, high = (1, 4) if size < 0.7 else (4, 20) if size < 0.96 else (20, 201)
        pages = int(draw.integers(low, high))
        seconds = self.pace[kind] * factor * np.exp(draw.normal(0, 0.5)) * np.exp(draw.normal(0, 0.3, pages))
        one = Document(len(self.documents), arrived, kind, seconds, float(draw.uniform(0.2, 0.6)))
        one.known = bool(draw.random() < 0.85)
        if draw.random() < self.with_deadline:
            one.deadline = close - float(draw.uniform(0, 6)) * 3600 + (86400 if draw.random() < 0.3 else 0)
        self.documents.append(one)
        self.open.append(one)
        return one

    def _arrivals(self, opened: float, closed: float, factor: float) -> list[Document]:
        """What has arrived since the last night, and what arrives in this one, in order."""
        wanted = self.load * self.processes * (closed - opened) * float(self.random.uniform(0.7, 1.3))
        found: list[Document] = []
        while wanted > 0:
            late = self.random.random() < 0.05
            at = opened + float(self.random.uniform(0, closed - opened)) if late else opened - 1.0
            found.append(self._document(at, factor, closed))
            wanted -= float(found[-1].pages.sum())
        return sorted(found, key=lambda one: (one.arrived, one.number))

    def _night(self, number: int, opened: float, closed: float) -> None:
        draw = self.random
        factor = float(np.exp(draw.normal(0, self.nightly)))
        self.open = [one for one in self.open if one.done is None]
        for one in self.open:  # the machine is slower, or faster, for what was left, too
            one.pages = one.pages * (factor / self.factor)
        self.factor = factor
        stop = opened + float(draw.uniform(0, closed - opened)) if draw.random() < 0.06 else math.inf
        self.outages = [(stop, stop + float(draw.exponential(1800)))]
        processes = max(1, self.processes - int(draw.random() < 0.05))
        outcome = Outcome(opened, closed - opened, capacity=processes * (closed - opened))
        self.outcomes.append(outcome)
        night = _Night(self, outcome, opened, closed, processes, self._arrivals(opened, closed, factor))
        night.run()
        self.nights = [*self.nights, night.stream][-7:]
        self._learn(outcome)

    def _learn(self, outcome: Outcome) -> None:
        """Note the errors of forecasts of which all is done that waited."""
        unresolved, self.unresolved = [*self.unresolved, outcome], []
        for one in unresolved:
            if one.actual is None and one.waiting:
                self.unresolved.append(one)
            elif (found := self.error(one)) is not None:
                self.errors = [*self.errors, found][-KEPT:]

    def error(self, one: Outcome) -> float | None:
        """The error of a forecast; `None` where there was none, or it is not known yet."""
        if one.forecast is None or one.forecast.p50 is None or one.actual is None:
            return None
        then = one.forecast.at
        expected = self.opened_between(then, one.forecast.p50)
        took = self.opened_between(then, datetime.fromtimestamp(one.actual, UTC))
        return error(expected, took, one.forecast.spread)

    def enter(self, one: Document) -> None:
        """Put the parts of a document into its queue."""
        total = len(one.pages)
        step = SPREAD if total > SPREAD else total
        parts = [Part(one, at, min(at + step, total)) for at in range(0, total, step)]
        one.left = len(parts)
        self.normal.extend(parts)

    def opened_between(self, begin: datetime, end: datetime) -> float:
        """Open seconds between two moments."""
        return open_seconds(begin, self.intervals, end)

    def wall(self, begin: float, seconds: float) -> float:
        """When work of so many seconds that begins now has ended: an outage holds it up."""
        for start, end in self.outages:
            if start <= begin < end:
                begin = end
            elif begin < start < begin + seconds:
                seconds += end - start
        return begin + seconds


class _Night:
    """One night of a site: a heap of what happens next."""

    def __init__(
        self,
        site: Site,
        outcome: Outcome,
        opened: float,
        closed: float,
        processes: int,
        arrivals: list[Document],
    ) -> None:
        self.site, self.outcome, self.opened, self.closed = site, outcome, opened, closed
        self.stream = Measured()
        self.own = [Measured() for _ in range(processes)]
        self.expected = [Expected() for _ in range(processes)]
        self.idle: list[int] = []
        self.events: list[tuple[float, int, str, object]] = []
        self.count, self.now = 0, opened
        self.due: list[Document] = []
        self.known: tuple[float, Rates] | None = None
        for one in arrivals:
            if one.arrived < opened:
                site.enter(one)
            else:
                self._at(one.arrived, "arrive", one)
        for process in range(processes):
            self._at(opened, "free", process)
        self._at(opened + LOOK, "look", None)
        if site.hurry:
            self._at(opened, "tick", None)

    def _at(self, when: float, what: str, about: object) -> None:
        self.count += 1
        heapq.heappush(self.events, (when, self.count, what, about))

    def run(self) -> None:
        """Until the window is closed and everything has stopped."""
        while self.events:
            now, _, what, about = heapq.heappop(self.events)
            self.now = now
            if what == "arrive":
                self.site.enter(about)  # type: ignore[arg-type]
                self._wake(now)
            elif what == "free":
                self._take(now, about)  # type: ignore[arg-type]
            elif what == "group":
                self._go_on(now, *about)  # type: ignore[misc]
            elif what == "look" and now < self.closed:
                self._look(now)
            elif what == "tick" and now < self.closed:
                self._hurry(now)
                self._at(now + TICK, "tick", None)

    def _wake(self, now: float) -> None:
        while self.idle:
            self._at(now, "free", self.idle.pop())

    def _take(self, now: float, process: int) -> None:
        if now >= self.closed:
            return
        queue = self.site.urgent or self.site.first or self.site.normal
        if not queue:
            self.idle.append(process)
            return
        part = queue.popleft()
        self._at(self.site.wall(now, part.document.overhead), "group", (process, part))

    def _go_on(self, now: float, process: int, part: Part) -> None:
        if part.at >= part.end:
            self._ended(now, process, part.document)
            self._take(now, process)
            return
        left, wanted = self.closed - now, min(GROUP, part.end - part.at)
        expected = self.expected[process] if self.site.admission else Expected()
        admitted = fitting(wanted, expected, max(left, 0.0), self.closed - self.opened)
        if not admitted:
            pause = min(max(left, 0.0), PAUSE)
            self.outcome.wasted += pause
            (self.site.urgent if part.document.urgent else self.site.first).append(part)
            self._at(now + pause, "free", process)
            return
        self._read(now, process, part, admitted)

    def _read(self, now: float, process: int, part: Part, pages: int) -> None:
        at, begun = now, part.at
        for seconds in part.document.pages[part.at : part.at + pages]:
            end = self.site.wall(at, float(seconds))
            if end > self.closed + GRACE:
                self.outcome.wasted += max(self.closed + GRACE - at, 0.0)
                self.outcome.late += GRACE
                self.site.first.append(part)
                return
            self.expected[process].measured(end - at)
            at, part.at = end, part.at + 1
        assert part.at == begun + pages
        self.outcome.late += max(at - max(self.closed, now), 0.0)
        self._at(at, "group", (process, part))

    def _ended(self, now: float, process: int, one: Document) -> None:
        one.left -= 1
        if one.left:
            return
        one.done = now
        for measured in (self.stream, self.own[process]):
            measured.add(
                one.kind,
                len(one.pages),
                float(one.pages.sum()),
                seen=datetime.fromtimestamp(one.arrived, UTC),
                done=datetime.fromtimestamp(now, UTC),
                opened=self.site.opened_between,
                first=one.deadline is not None,
            )

    def rates(self) -> Rates:
        """The speed to expect, as the product would know it now: added up every two minutes."""
        if self.known is None or self.now - self.known[0] >= 2 * TICK:
            self.known = self.now, self._rates()
        return self.known[1]

    def _rates(self) -> Rates:
        tonight = self.own[0]
        for other in self.own[1:]:
            tonight = tonight.together(other)
        return rates(self.site.nights, tonight, self.site.errors)

    def _waiting(self, now: float) -> list[Document]:
        return [one for one in self.site.open if one.done is None and one.arrived <= now]

    def _look(self, now: float) -> None:
        waiting = self._waiting(now)
        sums: dict[str, tuple[int, int]] = {}
        for one in waiting:
            kind = one.kind if one.known else "unknown"
            documents, pages = sums.get(kind, (0, 0))
            sums[kind] = documents + 1, pages + (len(one.pages) if one.known else 0)
        work = [Work(lane="normal", kind=kind, documents=d, pages=p) for kind, (d, p) in sums.items()]
        self.outcome.waiting = waiting
        self.outcome.forecast = forecast(
            datetime.fromtimestamp(now, UTC), work, self.rates(), self.site.intervals
        )

    def _due(self) -> list[Document]:
        """Documents with a deadline to come that are not done, in the order of their deadlines."""
        if not self.due:
            self.due = sorted(
                (one for one in self.site.open if one.deadline is not None),
                key=lambda one: one.deadline or 0.0,
            )
        now = self.now
        self.due = [one for one in self.due if one.done is None and (one.deadline or 0.0) > now]
        return self.due

    def _hurry(self, now: float) -> None:
        due = [one for one in self._due() if one.arrived <= now]
        if not due:
            return
        first = starting(
            datetime.fromtimestamp(now, UTC),
            [one.due for one in due],
            self.rates(),
            self.site.intervals,
            spread=SPREAD,
            most=AHEAD,
        )
        moved = {due[index].number for index in first if not due[index].urgent}
        for index in first:
            due[index].urgent = True
        for queue in (self.site.first, self.site.normal) if moved else ():
            self.site.urgent.extend(part for part in queue if part.document.number in moved)
            kept = [part for part in queue if part.document.number not in moved]
            queue.clear()
            queue.extend(kept)


def clairvoyant(site: Site, nights: int) -> set[int]:
    """Documents that miss their deadlines if the one that is due first, and can still be done in time, goes first.

    It knows all durations, and processes nothing else. Part by part, on as many processes.
    """
    due = sorted((one for one in site.documents if one.deadline is not None), key=lambda one: one.arrived)
    ready: list[tuple[float, int, Document]] = []
    done: dict[int, float] = {}
    index = 0
    for start, end in site.intervals[:nights]:
        assert end is not None
        free = [start.timestamp()] * site.processes
        while True:
            now = heapq.heappop(free)
            while index < len(due) and due[index].arrived <= now:
                heapq.heappush(ready, (due[index].deadline or 0.0, due[index].number, due[index]))
                index += 1
            if now >= end.timestamp():
                break
            if not ready:
                if index >= len(due):
                    break
                heapq.heappush(free, max(due[index].arrived, now + 1e-6))
                continue
            deadline, number, one = heapq.heappop(ready)
            seconds = float(one.pages.sum()) + one.overhead
            shared = seconds / min(math.ceil(len(one.pages) / SPREAD), site.processes)
            if now + shared > deadline:
                heapq.heappush(free, now)
                continue
            done[number] = now + shared
            heapq.heappush(free, now + seconds)
    return {one.number for one in due if done.get(one.number, math.inf) > (one.deadline or 0.0)}
