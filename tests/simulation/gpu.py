"""Whether the device was used outside the window: computed here again, apart from the product's own window."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = 5
_TOLERANCE = 7.0  # seconds: the gate looks once a second, and a simulated page takes steps of five


@dataclass
class Windows:
    """Daily hours (`22:00-06:00`, or `always`) in a zone, and the operator's overrides as they were written."""

    spec: str
    zone: ZoneInfo
    urgent_by_day: bool
    grace: float
    overrides: list[tuple[float, bytes | None]] = field(default_factory=list)

    def _override(self, at: float, clock: datetime) -> str:
        written = next((data for since, data in reversed(self.overrides) if since <= at), None)
        if written is None:
            return ""
        override = json.loads(written)
        return str(override["state"]) if datetime.fromisoformat(override["until"]) > clock else ""

    def open(self, at: float, clock: datetime) -> bool:
        """Whether GPU work may run at this moment of the world, as a worker's clock shows it."""
        override = self._override(at, clock)
        if override or self.spec == "always":
            return override != "closed"
        local = clock.astimezone(self.zone)
        minutes = local.hour * 60 + local.minute
        first, last = (int(t[:2]) * 60 + int(t[3:]) for t in self.spec.split("-"))
        return first <= minutes < last if first < last else minutes >= first or minutes < last

    def overrun(self, queue: str, at: float, clock: datetime, awake: float) -> float:
        """Seconds by which work that starts now is too late; 0 if it is not.

        `awake`: for how long its worker has not been suspended.
        """
        if queue == "urgent" and self.urgent_by_day and self._override(at, clock) != "closed":
            return 0.0
        allowed = self.grace + _TOLERANCE
        if awake <= allowed:
            return 0.0
        for seconds in range(0, int(allowed) + _STEP, _STEP):
            if self.open(at - seconds, clock - timedelta(seconds=seconds)):
                return 0.0
        return awake - self.grace
