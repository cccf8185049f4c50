"""The section about the course of the night: its plots with labels and legends, forecasts, and all samples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pipeline.ledger.timeline import Sample
from pipeline.report.facts import Report
from pipeline.report.page.bounds import MOST
from pipeline.report.page.course import Between, Course, Guess
from pipeline.report.page.night_plots import LINES, NightPlots
from pipeline.report.page.shown import Shown, text
from pipeline.report.page.troubles import translated
from pipeline.report.page.words import Words

Legend = list[tuple[str, str, str]]
"""Ink, kind of mark, label."""


class Night:
    """What the template shows; only for a course with samples."""

    columns = (
        "time",
        "window",
        "left",
        "pages_left",
        "done",
        "partial",
        "failed",
        "pages",
        "busy",
        "memory",
        "p50",
        "p90",
        "trouble",
    )

    def __init__(self, report: Report, course: Course, words: Words, shown: Shown) -> None:
        self._course, self._w, self._shown = course, words, shown
        self._outages = [(begin, end) for begin, end, _ in report.outages[: MOST["outages"]]]
        self._plots = NightPlots(course, shown, self._outages)
        self._open = report.verdict.word == "running"
        first, last = shown.clock(course.begin), shown.clock(course.end)
        self._range = words("range", first=first, last=last)

    @property
    def plots(self) -> list[dict[str, Any]]:
        """All plots for which there are data."""
        if self.idle:
            return []
        every = (self._pages(), self._backlog(), self._forecast(), self._busy(), self._memory())
        return [plot for plot in every if plot]

    @property
    def notes(self) -> list[str]:
        """What is not known, in sentences."""
        found = []
        if gaps := self._course.gaps:
            spans = [
                self._w("range", first=self._at(a), last=self._at(b)) for a, b in gaps[: MOST["outages"]]
            ]
            found.append(self._w("night.gap", spans=self._w("comma").join(spans)))
        if self.idle:
            return found
        if not self._course.forecasts:
            found.append(self._w("night.no_forecast"))
        if not any(part.busy is not None for part in self._course.between):
            found.append(self._w("night.no_busy"))
        if not self._course.devices:
            found.append(self._w("night.no_memory"))
        return found

    @property
    def guesses(self) -> list[dict[str, str]]:
        """Forecasts against what came."""
        return [self._guess(guess) for guess in self._course.guesses]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to plot."""
        return self._course.idle

    @property
    def done(self) -> bool:
        """Whether the backlog was done."""
        return self._course.done_at is not None

    @property
    def came(self) -> str:
        """When the backlog was done."""
        if self.done:
            return self._w("night.came", time=self._at(self._course.done_at))
        return self._w("night.not_yet" if self._open else "night.not_done")

    @property
    def rows(self) -> list[list[str]]:
        """All samples, by `columns`."""
        between: list[Between | None] = [None, *self._course.between]
        return [self._row(*pair) for pair in zip(self._course.samples, between, strict=True)]

    def _at(self, moment: datetime | None) -> str:
        return self._shown.clock(moment, self._course.begin)

    def _pages(self) -> dict[str, Any]:
        known = [part for part in self._course.between if part.pages is not None]
        top = max(known, key=lambda part: part.pages or 0, default=None)
        label = self._w("night.pages_label_none", range=self._range)
        if top and top.pages:
            most = self._shown.number(top.pages)
            label = self._w("night.pages_label", range=self._range, most=most, at=self._at(top.begin))
        return self._plot("pages", self._plots.pages(label), self._ground())

    def _backlog(self) -> dict[str, Any]:
        left = [sample.backlog_documents for sample in self._course.samples]
        first, last, most = (self._shown.number(n) for n in (left[0], left[-1], max(left)))
        label = self._w("night.backlog_label", range=self._range, first=first, last=last, most=most)
        return self._plot("backlog", self._plots.backlog(label), self._ground())

    def _forecast(self) -> dict[str, Any] | None:
        if not self._course.forecasts:
            return None
        drawn = self._plots.forecast(self._w("night.forecast_label", range=self._range))
        legend: Legend = [("third", "line", self._w("night.p50")), ("third", "mark", self._w("night.p90"))]
        if self._course.done_at:
            legend.append(("ink", "line", self._w("night.done_at", time=self._at(self._course.done_at))))
        if self._course.closed:
            legend.append(("muted", "dashes", self._w("night.closes")))
        return self._plot("forecast", drawn, legend) if drawn else None

    def _busy(self) -> dict[str, Any] | None:
        shares = [part.busy for part in self._course.between if part.busy is not None]
        if not shares:
            return None
        label = self._w("night.device_label", range=self._range, most=self._shown.percent(max(shares)))
        return self._plot("device", self._plots.busy(label), self._ground())

    def _memory(self) -> dict[str, Any] | None:
        most = self._course.most_memory
        if most is None:
            return None
        label = self._w("night.memory_label", range=self._range, most=self._shown.number(most / 1024, 1))
        devices = self._course.devices
        legend: Legend = [(ink, "line", text(name, 40)) for ink, name in zip(LINES, devices, strict=False)]
        if more := len(devices) - len(legend):
            legend.append(("soft", "line", self._w("more", n=more)))
        return self._plot("memory", self._plots.memory(label), legend)

    def _ground(self) -> Legend:
        legend: Legend = [("open", "box", self._w("night.open_window"))] if self._course.windows else []
        return legend + ([("bad", "mark", self._w("night.outage"))] if self._outages else [])

    def _plot(self, name: str, drawn: str, legend: Legend) -> dict[str, Any]:
        # drawn from numbers and times; lxml has escaped the label
        svg = Markup(drawn)  # noqa: S704 - drawn from numbers, its label is escaped by lxml
        return {"title": self._w(f"night.{name}"), "svg": svg, "legend": legend}

    def _guess(self, guess: Guess) -> dict[str, str]:
        error = ""
        if guess.late is not None:
            minutes = round(guess.late.total_seconds() / 60)
            kind = "late" if minutes > 0 else "early" if minutes < 0 else "exact"
            error = self._w(f"night.{kind}", time=self._shown.minutes(abs(minutes)))
            if guess.within is not None:
                error += self._w("clause") + self._w("night.within" if guess.within else "night.beyond")
        at, p50, p90 = (self._at(moment) for moment in (guess.at, guess.p50, guess.p90))
        return {"at": at, "p50": p50, "p90": p90, "error": error}

    def _row(self, sample: Sample, before: Between | None) -> list[str]:
        memory = [f"{mib / 1024:.1f}" for _, mib in sorted(sample.memory_mib.items())]
        counts: Sequence[int] = (
            sample.backlog_documents,
            sample.backlog_pages,
            sample.done,
            sample.partial,
            sample.failed,
        )
        return [
            self._at(sample.at),
            self._w("columns.open" if sample.window_open else "columns.closed"),
            *(self._shown.number(count) for count in counts),
            _or_dash(before and before.pages, self._shown.number),
            _or_dash(before and before.busy, self._shown.percent),
            " / ".join(memory) or "–",
            _or_dash(sample.p50, self._at),
            _or_dash(sample.p90, self._at),
            text(translated(self._w, sample.trouble), 80),
        ]


def _or_dash(value: Any, show: Any) -> str:
    """In a table of hundreds of rows, a dash is what is not known."""
    return "–" if value is None else str(show(value))
