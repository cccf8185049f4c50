"""A thread that keeps the window where the worker's event loop can't, and ends a worker whose event loop is stuck.

It needs neither the loop nor the broker nor the store, and kills before it logs: a log may hang as well.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection

from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger

from tasks import pulse
from tasks.release import Action, Released

log = get_logger("nightshift.watchdog")

QUIET = 3.0
"""Seconds without a tick of the gate after which the watchdog does not wait for it."""

STUCK = 60.0
"""Seconds without a sign of life of the main thread after which the worker is ended."""

_PATIENCE = 2.5  # seconds after the grace period in which a gate that ticks must have released the models
_PERIOD = 0.5


class Watchdog(threading.Thread):
    """Watches the main thread of a worker.

    ticks: counts the gate's ticks, of which there is one per second unless the loop is stuck or without a broker.
    processes: what would be left of a worker that ends. kill: ends some at once. close: what to do if nobody else has
    kept the window so many seconds after the grace period.
    note: records a release. stuck: seconds without a sign of life that are too many at the moment.
    """

    def __init__(
        self,
        *,
        ticks: Callable[[], int],
        processes: Callable[[], Collection[int]],
        kill: Callable[[Collection[int]], None],
        close: Callable[[float], Action],
        note: Callable[[Released], None],
        stuck: Callable[[], float],
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._ticks, self._processes, self._kill, self._close, self._note, self._stuck = (
            ticks,
            processes,
            kill,
            close,
            note,
            stuck,
        )
        self._unticked, self._lifeless = pulse.Stillness(), pulse.Stillness()

    def run(self) -> None:
        """Look twice per second, for as long as the process lives."""
        while True:
            time.sleep(_PERIOD)
            try:
                self.look(time.monotonic())
            except Exception:
                log.exception("unexpected error in the watchdog")

    def look(self, now: float) -> None:
        """Do what is due."""
        lifeless = self._lifeless.look(pulse.beats(), now)
        if lifeless > self._stuck():
            self._end(lifeless)
        unticked = self._unticked.look(self._ticks(), now) > QUIET
        action = self._close(0.0 if unticked else _PATIENCE)
        self._kill(action.kill)
        if action.kill:
            _say(logging.WARNING, "killed %d processes that still held models after close", len(action.kill))
        if released := action.released:
            _aside(lambda: self._note(released))

    def _end(self, seconds: float) -> None:
        self._kill(self._processes())
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        where = "".join(traceback.format_stack(frame)[-6:]) if frame else ""
        text = "the worker has been stuck for %.0f s and ends, to be started again; it was at\n%s"
        _say(logging.CRITICAL, text, seconds, where)
        os._exit(EX_FAILURE)


def _say(level: int, text: str, *values: object) -> None:
    _aside(lambda: log.log(level, text, *values))


def _aside(work: Callable[[], None]) -> None:
    """Do what may hang, and wait for it for two seconds."""
    thread = threading.Thread(target=work, name="watchdog-log", daemon=True)
    thread.start()
    thread.join(2)
