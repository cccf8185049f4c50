"""When work may run: the window's clock, the operator's override of it, and the run date."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from pipeline import clock
from pipeline.forecast.windows import HORIZON, Interval
from pipeline.messages import is_urgent
from pipeline.models import to_json
from pipeline.night.window import FARTHEST, OffPeakWindow, Override
from pipeline.settings import Settings
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_RECENT = 1.0  # seconds for which an override that was read is believed, between two pieces of work


class Schedule:
    """The window of one installation. Every answer is about this moment, by the server's clock."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Raises `UsageError` for a window or a time zone that can't be read."""
        self.window = OffPeakWindow.parse(settings.window, settings.timezone)
        self._urgent_by_day = settings.urgent_by_day
        self._store = store
        self._seen: tuple[clock.Mark, Override | None] | None = None

    def run_date(self) -> str:
        """The night that work starting now belongs to."""
        return self.window.run_date(clock.utc()).isoformat()

    def override(self) -> Override | None:
        """The operator's override, if one is in force; raises `StoreUnavailable`.

        One that ends farther ahead than any may counts as none: it was given on a machine whose clock was ahead.
        """
        found, now = read_or_none(self._store, keys.control("window"), Override), clock.utc()
        return found if found and now < found.ends <= now + FARTHEST + clock.SKEW else None

    def _recent_override(self) -> Override | None:
        """The override as it was read within the last second, as the gate of the worker does."""
        if self._seen is None or self._seen[0].age >= _RECENT:
            self._seen = clock.Mark.now(), self.override()
        _, found = self._seen
        return found if found and clock.utc() < found.ends else None

    def set_override(self, override: Override) -> None:
        """Put an override in force; workers follow within seconds."""
        self._seen = None
        self._store.put(keys.control("window"), to_json(override))

    def clear_override(self) -> None:
        """End an override: the schedule decides again."""
        self._seen = None
        self._store.delete(keys.control("window"))

    def is_open(self, override: Override | None) -> bool:
        """Whether the window is open now, by the clock and this override."""
        return self.window.contains(clock.utc(), override)

    def urgent_by_day(self, override: Override | None) -> bool:
        """Whether urgent work may run outside the window; not where an operator has closed it."""
        return self._urgent_by_day and (override is None or override.state != "closed")

    def ahead(self, now: datetime, override: Override | None) -> list[Interval]:
        """The windows of the year to come, by the schedule and this override, from the one that is open now on."""
        return list(takewhile(lambda one: one[0] < now + HORIZON, self.window.openings(now, override)))

    def seconds_left(self, priority: int) -> float | None:
        """Seconds until GPU work of this priority must stop; 0 where it may not run, `None` if it need not stop.

        Where an operator has closed the window, none may run.
        """
        override = self._recent_override()
        if not is_urgent(priority) or not self.urgent_by_day(override):
            return self.window.seconds_left(clock.utc(), override)
        return None
