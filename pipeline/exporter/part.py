"""One part of what the exporter exposes, read again and again by a thread of its own: scrapes never wait.

Values that could not be read again are left out, not repeated: a store that is gone makes them absent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipeline.errors import PipelineError
from pipeline.telemetry.exposition import Readings

log = logging.getLogger("nightshift")

_PATIENCE = 30.0  # seconds that one reading may take before what was read before counts as old


class _Read(NamedTuple):
    """What was read last; `at`: of a monotonic clock. `good`: no later attempt has failed."""

    values: Readings
    at: float
    good: bool


class Part(threading.Thread):
    """`read` gives the values, and may raise or hang; it is called every `period` seconds."""

    def __init__(self, name: str, read: Callable[[], Readings], period: float) -> None:
        super().__init__(name=f"read-{name}", daemon=True)
        self.part, self.period = name, period
        self._read = read
        self._last: _Read | None = None

    def run(self) -> None:
        """Read for as long as the process lives."""
        while True:
            self.look()
            time.sleep(self.period)

    def look(self) -> None:
        """Read once."""
        failed_before = self._last is not None and not self._last.good
        begun = time.monotonic()
        try:
            self._last = _Read(dict(self._read()), begun, good=True)
        except Exception as error:
            before = self._last
            self._last = _Read({}, before.at if before else -1.0, good=False)
            if not failed_before:
                known = isinstance(error, PipelineError)
                log.warning("%s can't be read: %s", self.part, error if known else repr(error))
            return
        if failed_before:
            log.info("%s can be read again", self.part)

    def readings(self, now: float) -> Readings:
        """The values, with whether this part answers and how old they are; nothing before the first attempt."""
        last, labels = self._last, (self.part,)
        if last is None:
            return {}
        good = last.good and now - last.at <= self.period + _PATIENCE
        found: dict[tuple[str, tuple[str, ...]], float] = {("nightshift_up", labels): float(good)}
        if last.at >= 0:
            found["nightshift_read_age_seconds", labels] = now - last.at
        return found | dict(last.values) if good else found


def together(parts: Iterable[Part]) -> Readings:
    """All values of all parts now."""
    now = time.monotonic()
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    for part in parts:
        found |= part.readings(now)
    return found
