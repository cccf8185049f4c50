"""The window and its time zone: what it is now, and whether clocks change before it closes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline import clock
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.errors import PipelineError
from pipeline.night.schedule import Schedule
from pipeline.night.window import Override
from pipeline.settings import Settings


def check(settings: Settings, schedule: Schedule) -> Iterator[Finding]:
    """The window now, the next change of clocks, and the time zone."""
    now, override, window = clock.utc(), _override(schedule), schedule.window
    opens, closes = window.next_open(now, override), window.next_close(now, override)
    said = f"The window is {window.describe(now, override)} ({window.spec})."
    if override:
        yield warning("window", f"{said} By hand until {override.until}.", "nightshift window clear ends it")
    elif not opens and not window.contains(now):
        yield fault("window", f"{said} It never opens.", "set NIGHTSHIFT_WINDOW, such as 22:00-06:00")
    else:
        yield ok("window", said)
    yield _clocks(window.zone, now, closes or now + timedelta(days=1))
    yield _zone(settings, now)


def _override(schedule: Schedule) -> Override | None:
    try:
        return schedule.override()
    except PipelineError:  # the store has its own check
        return None


def _clocks(zone: ZoneInfo, now: datetime, until: datetime) -> Finding:
    before, after = now.astimezone(zone).utcoffset(), until.astimezone(zone).utcoffset()
    if before == after or before is None or after is None:
        return ok("clocks", "Clocks do not change before the window closes.")
    hours = (before - after).total_seconds() / 3600
    longer = "longer" if hours > 0 else "shorter"
    return warning(
        "clocks",
        f"Clocks change before the window closes: it may be {abs(hours):g} h {longer} than usual.",
        "nothing, or open or close it by hand",
    )


def _zone(settings: Settings, now: datetime) -> Finding:
    ours, machine = now.astimezone(ZoneInfo(settings.timezone)), now.astimezone()
    said = f"The window is in {settings.timezone}, where it is {ours:%H:%M}"
    if ours.utcoffset() == machine.utcoffset():
        return ok("time zone", f"{said}.")
    return warning(
        "time zone",
        f"{said}, while this machine's clock shows {machine:%H:%M}.",
        "nothing if that is meant, else set NIGHTSHIFT_TIMEZONE",
    )
