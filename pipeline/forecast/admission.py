"""Whether work that needs the device may still start before the window closes: only what is expected to end in time.

Pages are stored one by one, so a page is where work may stop: near close pages start one by one, and the first that
is not expected to end in time does not.
"""

from __future__ import annotations

import math

_SURE = 1.3
"""Standard deviations that are added to the mean: nine of ten groups end in time."""

_NEAR = 2.0
"""A group starts as a whole while so many times its expected seconds are left."""

_MEMORY = 50
"""Pages over which the mean is taken, the latest weighing most: a slow document is soon known to be slow."""

_SHARE = 0.5
"""Share of a whole window that a page is expected to take at most: one that fits no window starts in its first half."""


class Expected:
    """Seconds that one process takes for a page, as it has measured them: a moving mean and deviation."""

    def __init__(self) -> None:
        self.count, self.mean, self._variance = 0, 0.0, 0.0

    def measured(self, seconds: float) -> None:
        """Note one page."""
        seconds = max(seconds, 0.0)
        self.count += 1
        weight = max(1 / self.count, 1 / _MEMORY)
        off = seconds - self.mean
        self.mean += weight * off
        self._variance = (1 - weight) * (self._variance + weight * off * off)

    def seconds(self, pages: int) -> float:
        """Within which so many pages will nearly always be done; 0 while nothing was measured."""
        return pages * self.mean + _SURE * math.sqrt(pages * self._variance)


def fitting(pages: int, expected: Expected, left: float | None, window: float | None) -> int:
    """How many of the next `pages` may start now: all, near close one by one, and none that would not end in time.

    `left`: seconds until the window closes; `window`: of the whole one (`None`: it never closes).
    """
    if left is None or expected.seconds(pages) * _NEAR <= left or not expected.count:
        return pages if left is None or left > 0 else 0
    return int(fits(1, expected, left, window))


def fits(pages: int, expected: Expected, left: float | None, window: float | None) -> bool:
    """Whether so many pages, of which nothing is kept until all are done, may start now."""
    longest = math.inf if window is None else _SHARE * window
    return left is None or (left > 0 and min(expected.seconds(pages), longest) <= left)
