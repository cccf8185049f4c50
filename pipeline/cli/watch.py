"""`nightshift status --watch`: the state of the night, drawn again every few seconds until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from pipeline import clock
from pipeline.cli import screen
from pipeline.cli.lines import counted, waiting_in
from pipeline.cli.window import opening
from pipeline.errors import ExitCode, StoreUnavailable, UsageError
from pipeline.plural import count

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from rich.console import Console
    from rich.table import Table

    from pipeline.cli.seen import Seen
    from pipeline.night.night import Night

PERIOD = 2.0
"""Seconds between two looks."""

_SPAN = 60.0  # seconds over which pages per second are measured
_LEAST = 10.0  # seconds: counters are written every five


class Speed:
    """Pages per second, from what was read up to now and a minute ago."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def add(self, at: float, pages: int) -> None:
        """Note how many pages were read at a moment, in seconds."""
        if self._looks and pages < self._looks[-1][1]:  # another night has begun
            self._looks.clear()
        self._looks.append((at, pages))
        while self._looks[-1][0] - self._looks[0][0] > _SPAN:
            self._looks.popleft()

    @property
    def pages_a_second(self) -> float | None:
        """`None` until it was watched for long enough."""
        if not self._looks or self._looks[-1][0] - self._looks[0][0] < _LEAST:
            return None
        (began, first), (now, last) = self._looks[0], self._looks[-1]
        return (last - first) / (now - began)


def watch(
    look: Callable[[], Seen],
    night: Night,
    *,
    out: Console | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Show what `look` sees until Ctrl-C, which ends it without a word. Raises `UsageError` without a terminal."""
    from rich.live import Live

    if out is None and not sys.stdout.isatty():
        raise UsageError("--watch needs a terminal: use nightshift status without it.")
    speed, zone = Speed(), night.schedule.window.zone
    try:
        with Live(console=out or screen.console(), auto_refresh=False) as live:
            while True:
                try:
                    seen = look()
                    speed.add(time.monotonic(), seen.store.pages)
                    live.update(drawn(seen, speed.pages_a_second, night.store.url, zone), refresh=True)
                except StoreUnavailable as error:  # it may be back at the next look
                    live.update(f"{error.message} Looking again.", refresh=True)
                pause(PERIOD)
    except KeyboardInterrupt:
        return


def drawn(seen: Seen, pages_a_second: float | None, url: str, zone: ZoneInfo) -> Table:
    """The lines of one look, for a terminal of 80 columns and more."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    found, rows = seen.store, Table.grid(padding=(0, 1))
    rows.add_column(width=10, no_wrap=True)
    rows.add_column(overflow="fold")
    ended = found.done + found.partial + found.failed
    total = ended + found.pending
    rows.add_row("Store", Text(url))
    rows.add_row("Window", opening(found.window, zone))
    rows.add_row(
        "Night", f"{found.run_date}: {found.done} done, {found.partial} partial, {found.failed} failed"
    )
    rows.add_row("Pending", f"{count(found.pending, 'document')}, {count(found.pages_pending, 'known page')}")
    rows.add_row("Progress", ProgressBar(total=max(total, 1), completed=ended, width=50))
    rows.add_row("", f"{ended / total:.1%} of {count(total, 'document')}" if total else "no documents")
    speed = "measuring" if pages_a_second is None else f"{pages_a_second:.1f} pages per second"
    rows.add_row("Speed", f"{speed}; {count(found.pages, 'page')} read in this night")
    rows.add_row("Left", _left(seen, zone))
    rows.add_row("Queues", waiting_in(seen.queues) if seen.queues else "not known")
    rows.add_row("Workers", _workers(seen))
    rows.add_row("Counted", counted(found))
    if trouble := _trouble(seen):
        rows.add_row("Attention", Text(trouble, style="bold red"))
    rows.add_row("", Text(f"{screen.local(clock.utc(), zone)}; Ctrl-C ends", style="dim"))
    return rows


def _left(seen: Seen, zone: ZoneInfo) -> str:
    if not seen.store.pending and not seen.store.reprocessing:
        return "nothing"
    if seen.forecast is None:
        return "no forecast"
    if seen.forecast.p50 is None:
        return f"not within a year ({seen.forecast.basis})"
    late = f" (at the latest {_until(seen.forecast.p90)})" if seen.forecast.p90 else ""
    return f"{_until(seen.forecast.p50)}{late}: {screen.local(seen.forecast.p50, zone)}"


def _until(at: datetime) -> str:
    minutes = max(int((at - clock.utc()).total_seconds() // 60), 0)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _workers(seen: Seen) -> str:
    if seen.workers is None:
        return "not shown: this RabbitMQ user may not ask them"
    if seen.unavailable:
        return "not known"
    return f"{len(seen.workers)} online, {count(sum(map(len, seen.workers.values())), 'step')} running"


def _trouble(seen: Seen) -> str:
    found = seen.store
    if seen.unavailable:
        return seen.unavailable
    if seen.code == ExitCode.NO_WORKER:
        return "the window is open, documents wait, and no worker answers"
    if found.paused:
        return "; ".join(f"{note.step} is paused ({note.code})" for note in found.paused)
    if seen.code == ExitCode.ATTENTION:
        counts = {
            "failed": found.open_failures + found.failed_again,
            "undelivered": found.undelivered,
            "past deadline": found.overdue,
            "damaged": found.set_aside,
            "unknown dead letters": seen.unknown or 0,
        }
        return ", ".join(f"{name} {number}" for name, number in counts.items() if number)
    return ""
