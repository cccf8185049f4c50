"""Processes of the simulation: each runs alone until it ends, dies or is paused; a paused one keeps its stack.

Python can't set a stack aside, so work that may be paused runs in a thread of its own. Exactly one thread runs at any
time, and hands over explicitly: what happens depends on the seed only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any


class Died(BaseException):
    """In place of a process that is killed: no `except Exception` sees it."""


class _Thread(threading.Thread):
    """Runs one piece of work after another, each until it is paused or has ended."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.go, self.back = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.back.acquire()
        self.work: Callable[[], None] = lambda: None
        self.start()

    def run(self) -> None:
        while True:
            self.go.acquire()
            self.work()
            self.work = lambda: None
            idle.append(self)
            self.back.release()


idle: list[_Thread] = []


class Fiber:
    """Work that can be paused in the middle, and resumed by its owner."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work, self.ended = work, False
        self._thread = idle.pop() if idle else _Thread()
        self._thread.work = self._all

    def _all(self) -> None:
        try:
            self._work()
        finally:
            self.ended = True

    def resume(self) -> None:
        """Run it until it is paused again or has ended."""
        thread = self._thread
        thread.go.release()
        thread.back.acquire()

    def pause(self) -> None:
        """Called by the work itself: go back to its owner, until it is resumed."""
        thread = self._thread
        thread.back.release()
        thread.go.acquire()


class Process:
    """One process: a worker's child, a producer or an operator's command; dead once it has died."""

    def __init__(self, name: str, *, skew: timedelta = timedelta()) -> None:
        self.name, self.skew = name, skew
        self.dead = False
        self.fiber: Fiber | None = None
        self.began = 0.0
        """When it began its piece of work, seconds of the world's clock."""
        self.left = 0
        """Store calls and publishes until the next fault."""
        self.held: Any = None
        """The message that it works on and has not acknowledged."""
        self.wakes: float = 0.0
        """When it is resumed, seconds of the world's clock."""
        self.woken = 0.0
        self.gated = False
        """Whether it works on a message of a GPU queue."""
        self.gate: Any = None
        self.tools: Any = None
        """What it keeps from one piece of work to the next, such as loaded engines."""

    def __repr__(self) -> str:
        return self.name
