"""When GPU work may run: the off-peak window, by the wall clock of one time zone.

Everything here is pure: `now` is passed in as an aware datetime, and answers are aware, in UTC. An instant has exactly
one wall time, so only that direction is used: a window is a set of minutes of the local week, and an instant is inside
if its wall time is. docs/reference/window.md has the grammar, and what follows for the nights on which clocks change.
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

from pipeline import clock
from pipeline.environment import printable
from pipeline.errors import UsageError

_DAY = 24 * 60
_WEEK = 7 * _DAY
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS = {"weekdays": "mon-fri", "weekends": "sat-sun"}
_RULE = re.compile(r"([a-z][a-z,\s-]*)?(\d.*)", re.DOTALL)
_HOURS = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_EXAMPLE = "use for example 22:00-06:00, or mon-fri 22:00-06:00; sat-sun 20:00-08:00"

# Shorter than any time zone ever kept an offset (four days: Freetown, 1939).
_STRIDE = timedelta(days=1)
# A window is open for less than a week of wall time, or two if a clock change skips the gap between two openings.
_LOOKBACK = timedelta(days=16)
FARTHEST = timedelta(days=366)
"""From now to the end of an override, at most."""


class Override(msgspec.Struct, frozen=True):
    """An operator's override of the schedule, in force until `until` (ISO date-time with offset).

    Raises `ValueError` (`msgspec.ValidationError` while decoding) if `until` is not such a date-time, or one from the
    year 9000 on: what follows it could not be computed.
    """

    state: Literal["open", "closed"]
    until: str

    def __post_init__(self) -> None:
        if self.ends.year >= 9000:
            raise ValueError(f"{self.until} is too far in the future")

    @property
    def ends(self) -> datetime:
        """First instant (UTC) at which the schedule decides again."""
        return _utc(datetime.fromisoformat(self.until))


@dataclass(frozen=True, slots=True)
class OffPeakWindow:
    """A weekly schedule in one time zone. Created by `parse`; equal if spec and zone are.

    minutes: one byte for each minute of the local week from Monday 00:00; 1 is open.
    edges: minutes of the week, ascending, at which that byte differs from the one before; empty for a window that is
        always or never open.
    """

    spec: str
    zone: ZoneInfo
    minutes: bytes = field(repr=False, compare=False)
    edges: tuple[int, ...] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, spec: str, timezone: str) -> OffPeakWindow:
        """Parse `22:00-06:00`, `mon-fri 22:00-06:00; sat-sun 24h`, `always` or `never` (docs/reference/window.md).

        Raises `UsageError` for an invalid spec, also one that opens and closes at the same time, and for an unknown
        time zone.
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
        """First instant (UTC) after `now` at which the window opens; `None` if there is none."""
        return next((at for at, opens in self._flips(now, override) if opens), None)

    def next_close(self, now: datetime, override: Override | None = None) -> datetime | None:
        """First instant (UTC) after `now` at which the window closes; `None` if there is none."""
        return next((at for at, opens in self._flips(now, override) if not opens), None)

    def openings(
        self, now: datetime, override: Override | None = None
    ) -> Iterator[tuple[datetime, datetime | None]]:
        """When it opens and closes (UTC) from `now` on, in order; the first begins at `now` if it is open.

        `None`: it never closes. Infinite if the schedule has edges.
        """
        start = _utc(now) if self.contains(now, override) else None
        for at, opens in self._flips(now, override):
            if opens:
                start = at
            elif start is not None:
                yield start, at
                start = None
        if start is not None:
            yield start, None

    def seconds_left(self, now: datetime, override: Override | None = None) -> float | None:
        """Seconds until the window closes: 0.0 while it is closed, `None` if it never closes."""
        if not self.contains(now, override):
            return 0.0
        close = self.next_close(now, override)
        return None if close is None else (close - _utc(now)).total_seconds()

    def describe(self, now: datetime, override: Override | None = None) -> str:
        """For people: `open until 06:00 CET`, `closed until 22:00 CET (Sun)`, or just `open` or `closed`."""
        is_open = self.contains(now, override)
        state = "open" if is_open else "closed"
        change = self.next_close(now, override) if is_open else self.next_open(now, override)
        if change is None:
            return state
        local, today = change.astimezone(self.zone), _utc(now).astimezone(self.zone).date()
        days = (local.date() - today).days
        day = "" if days == 0 else f" ({local:%a})" if days < 7 else f" ({local:%Y-%m-%d})"
        return f"{state} until {local:%H:%M %Z}{day}"

    def opened_at(self, now: datetime) -> datetime | None:
        """When the schedule opened the window that is open at `now` (UTC); `None` while closed and for `always`."""
        opened = None
        if self.contains(now):
            for at, _ in self._flips(_utc(now) - _LOOKBACK):
                if at > _utc(now):
                    break
                opened = at  # the last change before an open instant is its opening
        return opened

    def run_date(self, now: datetime) -> date:
        """Local date of the night that `now` belongs to: when its window opened or, while closed, will open.

        It follows the schedule, whatever an override says, and stays the same from one closing to the next. For
        `always` and `never` it is the local date.
        """
        at = self.opened_at(now) or self.next_open(now)
        if at is None:
            return _utc(now).astimezone(self.zone).date()
        # If a clock change opens the window in its middle, the night keeps its scheduled start.
        wall = at.astimezone(self.zone).replace(tzinfo=None)
        starts = [edge for edge in self.edges if self.minutes[edge]]
        start = starts[bisect_right(starts, _minute(wall)) - 1]
        return (wall - timedelta(minutes=(_minute(wall) - start) % _WEEK)).date()

    def _flips(self, now: datetime, override: Override | None = None) -> Iterator[tuple[datetime, bool]]:
        """Every change after `now`, in order: when, and whether it opens. Infinite if there are edges."""
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
        """First instant after `now` (UTC) at which the wall clock reaches an edge, or is set forward or back.

        Until then the offset is constant, so wall time and UTC advance alike and nothing can open or close.
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
    """A moment to come (UTC), from a local time or an ISO date-time in the future; raises `UsageError`.

    A date-time object is taken as it is; without an offset, as local time.
    """
    if isinstance(text, str):
        return until(text, clock.utc(), timezone)
    return text.replace(tzinfo=_zone(timezone)) if text and text.tzinfo is None else text


def until(text: str, now: datetime, timezone: str) -> datetime:
    """Instant (UTC) that an operator means by `03:00` (the next time clocks show it) or an ISO date-time.

    A date-time without an offset is local time, the earlier one if clocks show it twice. Raises `UsageError` if it is
    invalid, not after `now`, or more than a year ahead.
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
            f'Invalid time "{printable(text[:40])}": use a local time such as 03:00, '
            "or a date and time such as 2026-11-22T03:00."
        ) from None
    if not now < end <= now + FARTHEST:
        raise UsageError(
            f'The time "{printable(text[:40])}" is not within the next year: use a later local time such as 03:00, '
            "or a date and time such as 2026-11-22T03:00."
        )
    return end


def _next_time(hour: int, minute: int, now: datetime, timezone: str) -> datetime:
    """First instant after `now` at which clocks show or skip a local time; `ValueError` if there is no such time."""
    if hour * 60 + minute > _DAY or minute > 59:
        raise ValueError("not a time of day")
    # A window of half a day from that time on opens at that instant, also when clocks change.
    half_day = f"{hour % 24:02}:{minute:02}-{(hour + 12) % 24:02}:{minute:02}"
    opening = OffPeakWindow.parse(half_day, timezone).next_open(now)
    assert opening is not None
    return opening


def _spans(rule: str) -> Iterator[tuple[int, int]]:
    """Start (minute of the week) and length (minutes) of each opening that one rule of a spec defines."""
    parts = _RULE.fullmatch(rule)
    if parts is None:
        raise _unreadable(rule, "contains no hours")
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
            raise _unreadable(name, "is not a day (mon, tue, wed, thu, fri, sat, sun, weekdays, weekends)")
        begin = _DAYS.index(first)
        found |= {(begin + i) % 7 for i in range((_DAYS.index(last) - begin) % 7 + 1)}
    return found


def _hours(text: str) -> tuple[int, int]:
    """Start (minute of the day) and length (minutes) of `22:00-06:00` or `24h`."""
    if text == "24h":
        return 0, _DAY
    match = _HOURS.fullmatch(text)
    if match is None:
        raise _unreadable(text, "is not a range of hours")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if max(minute, end_minute) > 59 or start >= _DAY or end > _DAY:
        raise _unreadable(text, "contains an impossible time")
    if start == end:
        raise _unreadable(text, "opens and closes at the same time (for all day use always, or 24h)")
    return start, end - start if end > start else end - start + _DAY


def _unreadable(part: str, why: str) -> UsageError:
    return UsageError(f"Invalid setting NIGHTSHIFT_WINDOW: {part[:60]!r} {why}; {_EXAMPLE}.")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name[:64])  # looking for a name of hundreds of folders takes more stack than there is
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # OSError: tzdata, if the name is a folder
        raise UsageError(
            f'"{printable(name[:60])}" is not an IANA time zone; use for example Europe/Berlin.'
        ) from None


def _first(low: datetime, high: datetime, changed: Callable[[datetime], bool]) -> datetime:
    """First whole second after `low`, at most `high`, from which on `changed` is true."""
    seconds = range(int((high - low).total_seconds()))
    return low + timedelta(
        seconds=bisect_left(seconds, True, key=lambda s: changed(low + timedelta(seconds=s)))
    )


def _minute(wall: datetime) -> int:
    return wall.weekday() * _DAY + wall.hour * 60 + wall.minute


def _utc(moment: datetime) -> datetime:
    """The same instant in UTC, where comparing and adding have no folds; `ValueError` for a datetime that has none."""
    if moment.utcoffset() is None:
        raise ValueError(f"a date-time without UTC offset: {moment.isoformat()}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # in the last hours of the year 9999, or the first of the year 1
        raise ValueError(f"a date-time that is out of range: {moment.isoformat()}") from None
