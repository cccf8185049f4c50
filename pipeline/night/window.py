"""When GPU work may run: the off-peak window, decided by the wall clock of one time zone.

Everything here is pure: `now` is handed in as an aware datetime, and answers are aware, in UTC. An
instant has exactly one wall time, so that direction alone decides: a window is a set of minutes of
the local week, and an instant is inside when its wall time is. docs/window.md has the grammar and
what follows for the nights on which clocks change.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pipeline.errors import UsageError

_DAY = 24 * 60
_WEEK = 7 * _DAY
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS = {"weekdays": "mon-fri", "weekends": "sat-sun"}
_RULE = re.compile(r"([a-z][a-z,\s-]*)?(\d.*)", re.DOTALL)
_HOURS = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_EXAMPLE = "write for example 22:00-06:00, or mon-fri 22:00-06:00; sat-sun 20:00-08:00"

# Shorter than any zone ever kept an offset (four days: Freetown, 1939).
_STRIDE = timedelta(days=1)
# An opening lasts less than a week of wall time, or two where a clock change jumps the gap between them.
_LOOKBACK = timedelta(days=16)
_FARTHEST = timedelta(days=366)


class Override(msgspec.Struct, frozen=True):
    """An operator's word against the schedule, in force until `until` (ISO date-time with its offset).

    Raises `ValueError` (`msgspec.ValidationError` while decoding) when `until` is not such a date-time.
    """

    state: Literal["open", "closed"]
    until: str

    def __post_init__(self) -> None:
        _ = self.ends

    @property
    def ends(self) -> datetime:
        """First instant, in UTC, at which the schedule decides again."""
        return _utc(datetime.fromisoformat(self.until))


@dataclass(frozen=True, slots=True)
class OffPeakWindow:
    """A weekly schedule in one time zone. Made by `parse`; equal when spec and zone are.

    minutes: one byte for each minute of the local week from Monday 00:00: 1 is open.
    edges: minutes of the week, ascending, at which that byte differs from the one before; none for
        a window that is always or never open.
    """

    spec: str
    zone: ZoneInfo
    minutes: bytes = field(repr=False, compare=False)
    edges: tuple[int, ...] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, spec: str, timezone: str) -> OffPeakWindow:
        """Read `22:00-06:00`, `mon-fri 22:00-06:00; sat-sun 24h`, `always` or `never` (docs/window.md).

        Raises `UsageError` for a spec that can't be read or opens and closes at once, and for an
        unknown time zone.
        """
        text = spec.strip().lower()
        minutes = bytearray(b"\1" * _WEEK if text == "always" else _WEEK)
        if text not in ("always", "never"):
            for rule in text.split(";"):
                for start, length in _spans(rule.strip()):
                    for minute in range(start, start + length):
                        minutes[minute % _WEEK] = 1
        edges = tuple(m for m in range(_WEEK) if minutes[m] != minutes[m - 1])
        return cls(text, _zone(timezone), bytes(minutes), edges)

    def contains(self, now: datetime, override: Override | None = None) -> bool:
        """Whether GPU work may run at `now`. The opening instant is inside, the closing one is not."""
        now = _utc(now)
        if override is not None and now < override.ends:
            return override.state == "open"
        return self.minutes[_minute(now.astimezone(self.zone))] == 1

    def next_open(self, now: datetime, override: Override | None = None) -> datetime | None:
        """First instant after `now` at which closed turns into open; `None` if there is none."""
        return next((at for at, opens in self._flips(now, override) if opens), None)

    def next_close(self, now: datetime, override: Override | None = None) -> datetime | None:
        """First instant after `now` at which open turns into closed; `None` if there is none."""
        return next((at for at, opens in self._flips(now, override) if not opens), None)

    def seconds_left(self, now: datetime, override: Override | None = None) -> float | None:
        """Seconds until the window closes: 0.0 while it is closed, `None` if it never will."""
        if not self.contains(now, override):
            return 0.0
        close = self.next_close(now, override)
        return None if close is None else (close - _utc(now)).total_seconds()

    def opened_at(self, now: datetime) -> datetime | None:
        """When the schedule opened the window that is open at `now`; `None` while closed and for `always`."""
        opened = None
        if self.contains(now):
            for at, _ in self._flips(_utc(now) - _LOOKBACK):
                if at > _utc(now):
                    break
                opened = at  # the last change before an open instant is its opening
        return opened

    def run_date(self, now: datetime) -> date:
        """Local date of the night that `now` belongs to: when its window opened or, while closed, will.

        It goes by the schedule, whatever an override says, and stays the same from one closing to the
        next. With no opening at all (`always`, `never`) it is the local date.
        """
        at = self.opened_at(now) or self.next_open(now)
        if at is None:
            return _utc(now).astimezone(self.zone).date()
        # Clocks set back or forward can open a window in its middle: the night keeps its scheduled start.
        wall = at.astimezone(self.zone).replace(tzinfo=None)
        starts = [edge for edge in self.edges if self.minutes[edge]]
        start = starts[bisect_right(starts, _minute(wall)) - 1]
        return (wall - timedelta(minutes=(_minute(wall) - start) % _WEEK)).date()

    def _flips(self, now: datetime, override: Override | None = None) -> Iterator[tuple[datetime, bool]]:
        """Every change after `now`, in order: when, and whether it opens. Endless where there are edges."""
        at, state = _utc(now), self.contains(now, override)
        if override is not None and at < override.ends:
            at = override.ends
            if self.contains(at) != state:
                state = not state
                yield at, state
        while self.edges:
            at = self._next_step(at)
            if self.contains(at) != state:
                state = not state
                yield at, state

    def _next_step(self, now: datetime) -> datetime:
        """First instant after `now` (UTC) at which the wall clock meets an edge, or is set forward or back.

        Until then the offset stays, so wall time and time run alike and nothing can open or close.
        """
        wall = now.astimezone(self.zone)
        minute = _minute(wall)
        index = bisect_right(self.edges, minute)
        edge = self.edges[index] if index < len(self.edges) else self.edges[0] + _WEEK
        end = now + timedelta(minutes=edge - minute, seconds=-wall.second, microseconds=-wall.microsecond)

        offset = wall.utcoffset()
        low = now.replace(microsecond=0)  # offsets change on whole seconds
        while low < end:
            high = min(low + _STRIDE, end)
            if self._offset(high) != offset:
                return _first(low, high, lambda moment: self._offset(moment) != offset)
            low = high
        return end

    def _offset(self, moment: datetime) -> timedelta | None:
        return moment.astimezone(self.zone).utcoffset()


def moment(text: str | datetime | None, timezone: str) -> datetime | None:
    """When a task may start, in UTC: a later local time or an ISO date-time; raises `UsageError`."""
    return until(text, datetime.now(UTC), timezone) if isinstance(text, str) else text


def until(text: str, now: datetime, timezone: str) -> datetime:
    """Instant, in UTC, that an operator means by `03:00` (the next time clocks show it) or an ISO date-time.

    A date-time without an offset is local time, the earlier one where clocks show it twice. Raises
    `UsageError` when it can't be read, is not after `now`, or lies more than a year ahead.
    """
    zone, text, now = _zone(timezone), text.strip(), _utc(now)
    clock = _CLOCK.fullmatch(text)
    try:
        if clock:
            return _next_time(int(clock[1]), int(clock[2]), now, timezone)
        moment = datetime.fromisoformat(text)
        end = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"The time {text[:40]!r} can't be read; write a local time like 03:00, "
            "or a date and time like 2026-11-22T03:00."
        ) from None
    if not now < end <= now + _FARTHEST:
        raise UsageError(
            f"The time {text[:40]!r} is not within the year to come; write a later local time like 03:00, "
            "or a date and time like 2026-11-22T03:00."
        )
    return end


def _next_time(hour: int, minute: int, now: datetime, timezone: str) -> datetime:
    """First instant after `now` at which clocks show or jump past a local time; `ValueError` if none is."""
    if hour * 60 + minute > _DAY or minute > 59:
        raise ValueError("no time of day")
    # Half a day from that time on: its opening is the instant asked for, on nights of clock changes too.
    half_day = f"{hour % 24:02}:{minute:02}-{(hour + 12) % 24:02}:{minute:02}"
    opening = OffPeakWindow.parse(half_day, timezone).next_open(now)
    assert opening is not None
    return opening


def _spans(rule: str) -> Iterator[tuple[int, int]]:
    """Start (minute of the week) and length (minutes) of each opening that one rule of a spec gives."""
    parts = _RULE.fullmatch(rule)
    if parts is None:
        raise _unreadable(rule, "gives no hours")
    days, hours = _days(parts[1] or "mon-sun"), [_hours(item.strip()) for item in parts[2].split(",")]
    for day in days:
        for start, length in hours:
            yield day * _DAY + start, length


def _days(text: str) -> set[int]:
    """Numbers, Monday is 0, of the days in `mon,wed`, `fri-mon`, `weekdays`."""
    found = set()
    for item in text.split(","):
        name = item.strip()
        first, dash, last = (end.strip() for end in _GROUPS.get(name, name).partition("-"))
        last = last if dash else first
        if first not in _DAYS or last not in _DAYS:
            raise _unreadable(name, "names no day (mon, tue, wed, thu, fri, sat, sun, weekdays, weekends)")
        begin = _DAYS.index(first)
        found |= {(begin + i) % 7 for i in range((_DAYS.index(last) - begin) % 7 + 1)}
    return found


def _hours(text: str) -> tuple[int, int]:
    """Start (minute of the day) and length (minutes) of `22:00-06:00` or `24h`."""
    if text == "24h":
        return 0, _DAY
    match = _HOURS.fullmatch(text)
    if match is None:
        raise _unreadable(text, "is no span of hours")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if max(minute, end_minute) > 59 or start >= _DAY or end > _DAY:
        raise _unreadable(text, "has a time that no clock shows")
    if start == end:
        raise _unreadable(text, "opens and closes at the same time (for day and night say always, or 24h)")
    return start, end - start if end > start else end - start + _DAY


def _unreadable(part: str, why: str) -> UsageError:
    return UsageError(f"Invalid setting NIGHTSHIFT_WINDOW: {part[:60]!r} {why}; {_EXAMPLE}.")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the tzdata package, for a folder
        raise UsageError(f"{name[:60]!r} is no IANA time zone; write for example Europe/Berlin.") from None


def _first(low: datetime, high: datetime, changed: Callable[[datetime], bool]) -> datetime:
    """First whole second after `low`, at most `high`, from which on `changed` is true."""
    seconds = range(int((high - low).total_seconds()))
    return low + timedelta(
        seconds=bisect_left(seconds, True, key=lambda s: changed(low + timedelta(seconds=s)))
    )


def _minute(wall: datetime) -> int:
    return wall.weekday() * _DAY + wall.hour * 60 + wall.minute


def _utc(moment: datetime) -> datetime:
    """The same instant in UTC, where comparing and adding are free of folds. Naive ones are a mistake."""
    if moment.utcoffset() is None:
        raise ValueError(f"a date-time without its offset from UTC: {moment.isoformat()}")
    return moment.astimezone(UTC)
