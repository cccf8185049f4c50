"""The operator's override as a worker last read it: a store that hangs must not stop the clock."""

from __future__ import annotations

import math
import threading
import time

from celery.utils.log import get_logger

from pipeline.errors import PipelineError
from pipeline.night.schedule import Schedule
from pipeline.night.window import Override

log = get_logger("nightshift.gate")

TRUST = 300.0
"""Seconds for which the override counts after the store could last be read; then the window is taken as closed.

Nothing can be done without the store, so that nothing is lost; and an operator who closes the window meanwhile can't be
heard."""

_PERIOD = 1.0  # seconds between two reads


class LastOverride:
    """What was read last, `value`; until the first reading, and long after the last one, it is not `known`."""

    def __init__(self) -> None:
        self.value: Override | None = None
        self._read_at = -math.inf

    def read(self, value: Override | None, now: float) -> None:
        """Note what the store holds."""
        self.value, self._read_at = value, now

    def known(self, now: float) -> bool:
        """Whether it still counts at the time `now` of the same monotonic clock."""
        return now - self._read_at <= TRUST

    def watch(self, schedule: Schedule) -> None:
        """Read it in a thread, for as long as the process lives."""
        threading.Thread(target=self._watch, args=(schedule,), name="override", daemon=True).start()

    def _watch(self, schedule: Schedule) -> None:
        while True:
            known = self.known(time.monotonic())
            try:
                self.read(schedule.override(), time.monotonic())
            except PipelineError as error:
                log.warning("cannot read the window's override; retrying: %s", error.message)
                if known and not self.known(time.monotonic()):
                    log.warning("closing the window: no override could be read for %.0f s", TRUST)
            time.sleep(_PERIOD)
