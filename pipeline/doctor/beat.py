"""Beat: when housekeeping last worked, by the stamps that it leaves in the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pipeline import clock
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.night.checks import CHECK_PERIOD, last_made
from pipeline.night.night import Night
from pipeline.storage import keys

_LATE = CHECK_PERIOD + timedelta(minutes=5)


def check(night: Night) -> Iterator[Finding]:
    """Housekeeping looks for overdue callbacks once per hour, whatever else there is to do."""
    now = clock.utc()
    found = [last_made(night.store, keys.control(name), now) for name in ("callbacks", "repair")]
    last = max((one for one in found if one), default=None)
    if last is None:
        yield warning(
            "beat",
            "Housekeeping has never worked in this store.",
            "start one beat, celery -A tasks beat, and a worker of the queue housekeeping",
        )
        return
    minutes = (now - last).total_seconds() / 60
    said = f"Housekeeping's last hourly check was {max(minutes, 0):.0f} min ago."
    if now - last > _LATE:
        yield fault(
            "beat",
            said,
            "start beat, celery -A tasks beat, and a worker of the queue housekeeping; see their logs",
        )
    else:
        yield ok("beat", said)
