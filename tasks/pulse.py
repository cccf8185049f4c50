"""Signs of life of the worker's main thread, which `tasks.watchdog` waits for."""

from __future__ import annotations

import threading

_beats = 0


def beat() -> None:
    """Note a sign of life; what another thread does is none."""
    global _beats  # noqa: PLW0603 - there is one main thread
    if threading.current_thread() is threading.main_thread():
        _beats += 1


def beats() -> int:
    """How many there have been."""
    return _beats


class Stillness:
    """For how long a count has not moved, seen by looking at it about once per second.

    What passes between two looks counts for one second at most: where the whole process was paused, nobody could move.
    """

    def __init__(self) -> None:
        self._count = -1
        self._at = self._seconds = 0.0

    def look(self, count: int, now: float) -> float:
        """Seconds since the count moved, with this look at the time `now` of one monotonic clock."""
        self._seconds = self._seconds + min(now - self._at, 1.0) if count == self._count else 0.0
        self._count, self._at = count, now
        return self._seconds
