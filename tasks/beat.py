"""What `celery beat` decides with: it keeps no memory, and measures time by the monotonic clock.

Celery's default scheduler keeps the times of its last runs in a file, and compares them with the clock: after a clock
that was ahead was corrected, it would send nothing until the wrong time comes.
"""

from __future__ import annotations

import time
from typing import Any

from celery import beat
from celery.schedules import schedstate
from celery.utils.log import get_logger

from tasks.broker import ERRORS

log = get_logger("nightshift.beat")

_PRIORITY = 5  # as in Celery's own


class Scheduler(beat.Scheduler):
    """For entries with a fixed interval; each is due for the first time one interval after the start."""

    def populate_heap(self, *_: Any, **__: Any) -> None:
        """Begin: ask no entry, as it would compare the clock with what that was when beat started."""
        events = (
            beat.event_t(self._when(e, e.schedule.seconds), _PRIORITY, e) for e in self.schedule.values()
        )
        self._heap = sorted(events)

    def _when(self, entry: Any, next_time_to_run: float, mktime: Any = None) -> float:  # noqa: ARG002 - Celery's
        """The moment, on the monotonic clock, that is `next_time_to_run` seconds from now."""
        return time.monotonic() + (self.adjust(next_time_to_run) or 0)

    def is_due(self, entry: Any) -> Any:
        """Asked when the moment has come, so it is due whatever the clock says."""
        return schedstate(is_due=True, next=entry.schedule.seconds)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send it; while the broker is away, one line instead of Celery's tracebacks: the next one is sent anyway."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except beat.SchedulingError as error:
            expected = isinstance(error.__context__, ERRORS)
            log.error("%s: the next one is due in %d s", error, entry.schedule.seconds, exc_info=not expected)
        else:
            log.info("Scheduler: Sending due task %s (%s)", entry.name, entry.task)
