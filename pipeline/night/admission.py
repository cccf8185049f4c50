"""Whether a process may begin GPU work now: it must be expected to reach a checkpoint before the window closes."""

from __future__ import annotations

import time
from collections import defaultdict

from pipeline.forecast.admission import Expected, fits, fitting
from pipeline.night.schedule import Schedule

PAUSE = 5.0
"""Seconds to wait, at most, before work that no longer fits is handed back: it may come again at once."""


class Admission:
    """What one process has measured, by step, and the window as it sees it."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._expected: defaultdict[str, Expected] = defaultdict(Expected)
        self._loaded: set[str] = set()
        self._closes = self._whole = 0.0

    def pages(self, step: str, pages: int, priority: int) -> int:
        """How many of the next pages to process before asking again; 0: hand the message back."""
        left = self._schedule.seconds_left(priority)
        return fitting(pages, self._expected[step], left, self._window(left)) or self._pause(left)

    def whole(self, step: str, pages: int, priority: int) -> bool:
        """Whether a step that stores nothing until it ends may begin; if not, hand the message back."""
        left = self._schedule.seconds_left(priority)
        return fits(pages, self._expected[step], left, self._window(left)) or bool(self._pause(left))

    def measured(self, step: str, fresh: bool, seconds: float) -> None:
        """Note what a page took, if it was processed just now.

        The first time counts for nothing, as it includes loading the model.
        """
        if fresh and step in self._loaded:
            self._expected[step].measured(seconds)
        self._loaded.update([step] if fresh else [])

    def _window(self, left: float | None) -> float | None:
        """Seconds of the whole window, as far as this process has seen it."""
        if left is None:
            return None
        closes = time.monotonic() + left
        if abs(closes - self._closes) > 1.0:
            self._closes, self._whole = closes, left
        return self._whole

    def _pause(self, left: float | None) -> int:
        """Wait a moment, at most until close; 0."""
        time.sleep(min(left or 0.0, PAUSE))
        return 0
