"""What `nightshift status` says of counters, queues and the forecast, once and with `--watch`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline import clock
from pipeline.cli import screen
from pipeline.plural import count

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pipeline.forecast.model import Forecast
    from pipeline.night.status import Status


def counted(found: Status) -> str:
    """When what is shown was counted."""
    if found.recounted is None:
        return "from the store itself, just now: beat has not kept counters yet"
    passed = clock.age(found.as_of, clock.utc())
    fresh = (
        f"{passed.total_seconds():.0f} s ago" if passed is not None and passed.total_seconds() < 120 else ""
    )
    age = screen.age(found.as_of.isoformat()) if found.as_of else ""
    whole = screen.age(found.recounted.isoformat())
    return f"{fresh or f'{age} ago'}; all documents in the store {whole} ago (--recount: now)"


def deadlines(found: Status) -> str:
    """Missed deadlines: of documents that still wait, and of those that ended late in this night."""
    parts = []
    if found.overdue:
        parts.append(
            f"{count(found.overdue, 'document')} past the deadline and not done: nightshift forecast"
        )
    if found.late:
        parts.append(f"{found.late:,} ended late")
    return "; ".join(parts)


def outlook(found: Forecast, zone: ZoneInfo) -> str:
    """What is forecast, in one line."""
    if not found.documents:
        return "nothing is waiting"
    if found.p50 is None:
        return f"not within a year ({found.basis})"
    late = f", at the latest {screen.local(found.p90, zone)}" if found.p90 else ""
    return f"done {screen.local(found.p50, zone)}{late}"


def waiting_in(queues: dict[str, int]) -> str:
    """Messages by queue, of all turns together."""
    from tasks.lanes import first_turn

    counts: Counter[str] = Counter()
    for name, n in queues.items():
        counts[first_turn(name)] += n
    return ", ".join(f"{name} {n}" for name, n in counts.items() if n) or "empty"
