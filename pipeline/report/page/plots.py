"""Plots as SVG in two widths. All words are outside, in the page: a plot has only numbers and times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from pipeline.report.page import svg
from pipeline.report.page.shown import Shown
from pipeline.report.page.svg import INKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, NARROW = 540, 340
"""Units of width; a page shows the one that fits."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 18, 14, 22


def sparkline(before: Sequence[int | None], value: int) -> str:
    """The number on the nights before and tonight; a night that is not known leaves a gap."""
    new = svg.figure(120, 28)
    axes = new.add_axes((0.03, 0.14, 0.94, 0.72))
    axes.set_axis_off()
    values = [float("nan") if v is None else float(v) for v in (*before, value)]
    axes.plot(values, color=INKS["soft"], linewidth=1.6, solid_capstyle="round", clip_on=False)
    alone = [i for i, v in enumerate(before) if v is not None and _nan(values, i - 1) and _nan(values, i + 1)]
    for index in (*alone, len(before)):
        ink, size = (INKS["ink"], 5.0) if index == len(before) else (INKS["soft"], 3.0)
        dot(axes, index, values[index], ink, size)
    axes.set_xlim(0, max(len(before), 1))
    known = [v for v in (*before, value) if v is not None]
    level = min(known) == max(known)
    axes.set_ylim(min(known) - level, max(known) + level)
    return svg.drawn(new, "", "spark")


def _nan(values: Sequence[float], index: int) -> bool:
    return not 0 <= index < len(values) or isnan(values[index])


def histogram(
    tonight: Sequence[int], before: Sequence[int], threshold: float, shown: Shown, label: str
) -> str:
    """Fields by confidence tonight, as bars, and before, as an outline of the same area; the threshold."""
    bins = len(tonight)
    scaled = [count * sum(tonight) / sum(before) for count in before]

    def draw(axes: Axes, _width: int) -> None:
        for index, count in enumerate(tonight):
            ink = INKS["warn" if (index + 1) / bins <= threshold + 1e-9 else "first"]
            axes.bar((index + 0.5) / bins, count, 0.86 / bins, color=ink, linewidth=0)
        if scaled:
            edges = [index / bins for index in range(bins + 1)]
            axes.stairs(scaled, edges, color=INKS["ink"], linewidth=1.2, baseline=None)
        axes.axvline(threshold, color=INKS["muted"], linewidth=1.2, dashes=(5, 3))
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "0.2", "0.4", "0.6", "0.8", "1"])
        axes.set_yscale(
            "function", functions=(_root, _square)
        )  # the few doubtful ones are what is looked for
        most = max([*tonight, *scaled, 1])
        places = [0, *(10**power for power in range(1, 9) if most / 300 <= 10**power <= most), round(most)]
        if len(places) > 2 and places[-1] < 1.8 * places[-2]:
            del places[-2]
        axes.set_ylim(0, most * 1.04)
        axes.set_yticks(places, [shown.number(place) for place in places])
        axes.minorticks_off()

    return both(draw, 190, label)


def _root(values: Any) -> Any:
    return abs(values) ** 0.5


def _square(values: Any) -> Any:
    return values**2


def both(draw: Callable[[Axes, int], None], height: int, label: str) -> str:
    """A plot drawn wide and narrow; margins are the same in each, so that hours are one below the other."""
    parts = []
    for width, kind in ((WIDE, "plot wide"), (NARROW, "plot narrow")):
        new = svg.figure(width, height)
        size = (width - _LEFT - _RIGHT) / width, (height - _TOP - _BOTTOM) / height
        axes: Axes = new.add_axes((_LEFT / width, _BOTTOM / height, *size))
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        draw(axes, width)
        parts.append(svg.drawn(new, label, kind))
    return "".join(parts)


def dot(axes: Axes, x: float, y: float, ink: str, size: float) -> None:
    """A round mark: a line without length, since markers are shared symbols in matplotlib's SVG."""
    axes.plot([x, x], [y, y], color=ink, linewidth=size, solid_capstyle="round", clip_on=False, zorder=5)


def area(
    axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float], ink: str, alpha: float
) -> None:
    """The area between two lines, as one outline: matplotlib's `fill_between` would be a shared symbol."""
    axes.fill([*x, *reversed(x)], [*high, *reversed(low)], color=ink, alpha=alpha, linewidth=0)


def upwards(axes: Axes, most: float, shown: Shown) -> None:
    """From 0 to somewhat above the most, with few round ticks."""
    from matplotlib.ticker import MaxNLocator

    top = most * 1.06 or 1.0
    ticks = [t for t in MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top) if 0 <= t <= top]
    decimals = 0 if all(float(t).is_integer() for t in ticks) else 1
    axes.set_ylim(0, top)
    axes.set_yticks(ticks, [shown.number(t, decimals) for t in ticks])
