"""The plots of one night over the same hours: pages, backlog, forecast, device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from pipeline.report.page import plots
from pipeline.report.page.course import Course
from pipeline.report.page.shown import Shown
from pipeline.report.page.svg import INKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = ("first", "third", "fourth", "second")
"""Inks of lines that share a plot; all others are drawn in one: the eye could not follow more."""

_LATE = 90
"""Minutes after the end of the plot up to which a predicted completion is drawn."""


class NightPlots:
    """Draws them; `outages` are numbered from 1."""

    def __init__(self, course: Course, shown: Shown, outages: Sequence[tuple[datetime, datetime]]) -> None:
        self._course, self._shown, self._outages = course, shown, outages
        self._zero = course.begin
        self._length = self._x(course.end)

    def pages(self, label: str) -> str:
        """Pages read per 5 minutes, as steps."""
        return self._steps([(b.begin, b.end, b.pages) for b in self._course.between], "first", label)

    def busy(self, label: str) -> str:
        """Share of the time in which models computed, in per cent."""
        spans = [(b.begin, b.end, b.busy * 100 if b.busy is not None else None) for b in self._course.between]
        return self._steps(spans, "second", label, percent=True)

    def backlog(self, label: str) -> str:
        """Documents left, as a line."""
        samples = self._course.samples

        def draw(axes: Axes, _width: int) -> None:
            for at, left in self._unbroken([(s.at, s.backlog_documents) for s in samples]):
                plots.area(axes, at, [0.0] * len(at), left, INKS["first"], 0.14)
                axes.plot(at, left, color=INKS["first"], linewidth=1.8)
            plots.upwards(axes, max(s.backlog_documents for s in samples), self._shown)

        return self._over_hours(draw, label)

    def memory(self, label: str) -> str:
        """GiB in use, one line a device."""
        samples = self._course.samples

        def draw(axes: Axes, _width: int) -> None:
            devices = self._course.devices
            for device, ink in zip_longest(devices, LINES[: len(devices)], fillvalue="soft"):
                points = [(s.at, s.memory_mib[device] / 1024) for s in samples if device in s.memory_mib]
                for at, gib in self._unbroken(points):
                    axes.plot(at, gib, color=INKS[ink], linewidth=1.8)
            plots.upwards(axes, (self._course.most_memory or 0) / 1024, self._shown)

        return self._over_hours(draw, label)

    def forecast(self, label: str) -> str:
        """When the backlog would be done, as predicted at each moment, and when it was; empty: all much later.

        What is predicted for a time long after the window is not drawn: it would leave no room for the rest.
        """
        course, last = self._course, self._length + _LATE
        made = [(s.at, self._x(s.p50), self._x(s.p90 or s.p50)) for s in course.forecasts if s.p50]
        near = [(at, p50, min(p90, last)) for at, p50, p90 in made if p50 <= last]
        marks = [self._x(moment) for moment in (course.closed, course.done_at) if moment]
        seen = [*marks, *(p50 for _, p50, _ in near), *(p90 for *_, p90 in near)]

        def draw(axes: Axes, _width: int) -> None:
            for at, p50, p90 in self._unbroken(near):
                plots.area(axes, at, p50, p90, INKS["third"], 0.24)
                axes.plot(at, p50, color=INKS["third"], linewidth=1.8)
            if course.closed:
                axes.axhline(self._x(course.closed), color=INKS["muted"], linewidth=1, dashes=(5, 3))
            if course.done_at:
                done = self._x(course.done_at)
                axes.plot([0, done], [done, done], color=INKS["ink"], linewidth=1.4)
                plots.dot(axes, done, done, INKS["ink"], 7)
            bottom, top = min(seen) - 20, max(seen) + 20
            axes.set_ylim(bottom, top)
            axes.set_yticks(*self._hours(3, top, bottom))

        return self._over_hours(draw, label) if near else ""

    def _steps(
        self,
        spans: list[tuple[datetime, datetime, float | None]],
        ink: str,
        label: str,
        *,
        percent: bool = False,
    ) -> str:
        def draw(axes: Axes, _width: int) -> None:
            edges = [self._x(begin) for begin, *_ in spans] + [self._x(end) for _, end, _ in spans[-1:]]
            heights = [float("nan") if value is None else value for *_, value in spans]
            if spans:
                axes.stairs(heights, edges, fill=True, color=INKS[ink], linewidth=0)
            if percent:
                axes.set_ylim(0, 100)
                axes.set_yticks([0, 50, 100], ["0", "50", "100 %"])
            else:
                plots.upwards(axes, max((value or 0 for *_, value in spans), default=0), self._shown)

        return self._over_hours(draw, label)

    def _over_hours(self, draw: Callable[[Axes, int], None], label: str) -> str:
        """With the hours of the night, the window as a shade, outages as numbered bands."""

        def grounded(axes: Axes, width: int) -> None:
            draw(axes, width)
            axes.set_xlim(0, self._length)
            axes.set_xticks(*self._hours(9 if width == plots.WIDE else 5, self._length))
            for begin, end in self._course.windows:
                left, right = max(0.0, self._x(begin)), min(self._length, self._x(end))
                axes.axvspan(left, right, color=INKS["open"], linewidth=0, zorder=0)
            for number, (begin, end) in enumerate(self._outages, 1):
                self._mark(axes, str(number), self._x(begin), self._x(end))

        return plots.both(grounded, 150, label)

    def _mark(self, axes: Axes, number: str, begin: float, end: float) -> None:
        left, right = max(0.0, begin), min(self._length, max(end, begin + 5))
        if left >= right:
            return
        axes.axvspan(left, right, color=INKS["bad"], alpha=0.18, linewidth=0, zorder=0.5)
        axes.annotate(
            number,
            ((left + right) / 2, 1.02),
            xycoords=axes.get_xaxis_transform(),
            color=INKS["bad"],
            ha="center",
            va="bottom",
            fontsize=10,
        )

    def _x(self, moment: datetime) -> float:
        """Minutes since the plot's beginning."""
        return (moment - self._zero).total_seconds() / 60

    def _hours(self, most: int, length: float, begin: float = 0) -> tuple[list[float], list[str]]:
        """Full hours of the local clock between two minutes of the plot, about as many as `most`."""
        step = next((h for h in (1, 2, 3, 4, 6, 12, 24) if (length - begin) / 60 / h <= most), 48)
        at = self._zero.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        places, names = [], []
        while self._x(at) <= length:
            local = self._shown.local(at)
            if self._x(at) >= begin and local.hour % step == 0 and local.minute == 0:
                places.append(self._x(at))
                names.append(f"{local:%H:%M}")
            at += timedelta(minutes=15)  # some zones are a quarter of an hour off
        return places, names

    def _unbroken(self, points: Sequence[tuple[datetime, *tuple[float, ...]]]) -> list[list[list[float]]]:
        """Lines between gaps, each as its columns: minutes, then the values."""
        lines: list[list[list[float]]] = []
        for index, (at, *values) in enumerate(points):
            if not index or self._course.is_gap(points[index - 1][0], at):
                lines.append([[] for _ in range(1 + len(values))])
            for column, value in zip(lines[-1], (self._x(at), *values), strict=True):
                column.append(value)
        return lines
