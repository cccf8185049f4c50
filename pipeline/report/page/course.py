"""The course of a night, from its samples: rates between them, gaps, and what was forecast against what came."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

import msgspec

from pipeline.ledger.timeline import Sample
from pipeline.report.facts import Report

GAP = timedelta(minutes=12)
"""Between two samples: longer means that some are missing, and what happened in between is not known."""

MARGIN = timedelta(minutes=30)
"""Shown before the window opens and after it closes."""

MOST = 300
"""Samples that are shown: a day has 288 of them."""

_CHECKED = (timedelta(0), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2), timedelta(hours=4))


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """What happened between two samples; `None`: not known.

    `pages`: read in 5 minutes. `busy`: share of the processes' time in which models computed.
    """

    begin: datetime
    end: datetime
    pages: float | None
    busy: float | None


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast as it was made. `late`: by how much the end came after P50; `None`: there was no end."""

    at: datetime
    p50: datetime
    p90: datetime | None
    late: timedelta | None
    within: bool | None


class Course:
    """The samples of a night, those around its window."""

    def __init__(self, report: Report) -> None:
        self.opened, self.closed = report.opened, report.closed
        every = sorted({sample.at: sample for sample in report.samples}.values(), key=lambda s: s.at)
        first = self.opened - MARGIN if self.opened else None
        last = self.closed + MARGIN if self.closed else None
        near = [s for s in every if (not first or s.at >= first) and (not last or s.at <= last)]
        stride = -(-len(near) // MOST) or 1
        self.samples: list[Sample] = near[::stride]
        self._gap = GAP * stride

    def __bool__(self) -> bool:
        return bool(self.samples)

    @property
    def begin(self) -> datetime:
        """Where its plots begin; only of a course with samples."""
        return min(self.samples[0].at, self.opened or self.samples[0].at)

    @property
    def end(self) -> datetime:
        """Where its plots end: the close of the window, even if the samples end before it."""
        return max(self.samples[-1].at, self.closed or self.samples[-1].at, self.begin + timedelta(hours=1))

    @cached_property
    def between(self) -> list[Between]:
        """All intervals in order; those of gaps have `None`."""
        return [_between(a, b, known=not self.is_gap(a.at, b.at)) for a, b in pairwise(self.samples)]

    def is_gap(self, a: datetime, b: datetime) -> bool:
        """Whether samples are missing between these two."""
        return b - a > self._gap

    @property
    def gaps(self) -> list[tuple[datetime, datetime]]:
        """Spans inside the window without samples."""
        ends = [sample.at for sample in self.samples]
        if self.opened and self.closed:
            ends = [min(self.opened, ends[0]), *ends, max(self.closed, ends[-1])]
        return [(a, b) for a, b in pairwise(ends) if self.is_gap(a, b)]

    @property
    def windows(self) -> list[tuple[datetime, datetime]]:
        """When the window was open, as the samples saw it; without such, as the schedule says."""
        spans: list[tuple[datetime, datetime]] = []
        for a, b in pairwise(self.samples):
            if a.window_open and spans and spans[-1][1] == a.at:
                spans[-1] = (spans[-1][0], b.at)
            elif a.window_open:
                spans.append((a.at, b.at))
        return spans or ([(self.opened, self.closed)] if self.opened and self.closed else [])

    @cached_property
    def done_at(self) -> datetime | None:
        """When the backlog was done within the window; `None`: it was not, or there never was one."""
        seen = [s for s in self.samples if not self.closed or s.at <= self.closed]
        busy = [index for index, sample in enumerate(seen) if sample.backlog_documents]
        if not busy or busy[-1] + 1 >= len(seen):
            return None
        return seen[busy[-1] + 1].at

    @property
    def idle(self) -> bool:
        """Whether nothing was waiting and nothing was read."""
        return (
            not any(s.backlog_documents for s in self.samples) and len({s.pages for s in self.samples}) == 1
        )

    @property
    def forecasts(self) -> list[Sample]:
        """Samples with a forecast of a backlog, made while the window was open."""
        return [s for s in self.samples if s.p50 and s.backlog_documents and s.window_open]

    @property
    def guesses(self) -> list[Guess]:
        """The forecasts at the beginning of the window, half an hour later, and so on."""
        made = self.forecasts
        found: dict[datetime, Guess] = {}
        for wait in _CHECKED if made else ():
            due = made[0].at + wait
            sample = next((s for s in made if s.at >= due and s.at - due < self._gap), None)
            if sample and sample.p50:
                late = self.done_at - sample.p50 if self.done_at else None
                within = self.done_at <= sample.p90 if self.done_at and sample.p90 else None
                found[sample.at] = Guess(
                    at=sample.at, p50=sample.p50, p90=sample.p90, late=late, within=within
                )
        return list(found.values())

    @property
    def devices(self) -> list[str]:
        """Devices whose memory is known."""
        return sorted({device for sample in self.samples for device in sample.memory_mib})

    @property
    def most_memory(self) -> float | None:
        """Highest memory of one device, in MiB."""
        return max((mib for sample in self.samples for mib in sample.memory_mib.values()), default=None)


def _between(a: Sample, b: Sample, *, known: bool) -> Between:
    seconds = (b.at - a.at).total_seconds()
    read, busy = b.pages - a.pages, b.busy_seconds - a.busy_seconds
    # a counter that runs backwards was begun again by a process that is new: what it counted before is not known
    return Between(
        begin=a.at,
        end=b.at,
        pages=read / seconds * 300 if known and read >= 0 else None,
        busy=min(1.0, busy / (b.processes * seconds)) if known and b.processes and busy >= 0 else None,
    )
