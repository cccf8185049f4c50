import itertools
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.night.window import OffPeakWindow, Override, until

BERLIN = "Europe/Berlin"
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE, INSTANT = timedelta(minutes=1), timedelta(microseconds=1)


def berlin(text: str, fold: int = 0) -> datetime:
    # In UTC: Python calls a time that clocks show twice unequal to any in another zone (PEP 495).
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), fold=fold).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def flips(
    window: OffPeakWindow, start: datetime, end: datetime, override: Override | None = None
) -> list[str]:
    """Every opening and closing after `start` up to `end`, by `next_open` and `next_close` alone."""
    found: list[str] = []
    at = start
    while True:
        opens, closes = window.next_open(at, override), window.next_close(at, override)
        at = min(moment for moment in (opens, closes, end + MINUTE) if moment is not None)
        if at > end:
            return found
        assert window.contains(at, override) is (at == opens)
        assert window.contains(at - INSTANT, override) is not (at == opens)
        found.append(f"{'open' if at == opens else 'close'} {at:%m-%d %H:%M:%S.%f}")


# The grammar


@pytest.mark.parametrize(
    ("spec", "inside", "outside"),
    [
        # 2026-11-20 is a Friday.
        (
            "22:00-06:00",
            ["20T22:00", "20T23:59", "21T00:00", "21T05:59"],
            ["20T21:59", "21T06:00", "20T12:00"],
        ),
        ("22:00-06:00,12:00-13:00", ["20T12:30", "20T22:00"], ["20T13:00", "20T11:59"]),
        (
            "mon-fri 22:00-06:00; sat-sun 20:00-08:00",
            ["21T03:00", "21T20:00", "22T07:59"],
            ["21T07:00", "20T20:00"],
        ),
        (
            "weekdays 22:00-06:00; weekends 24h",
            ["21T12:00", "22T23:59", "21T00:00"],
            ["20T21:59", "23T00:00"],
        ),
        ("fri 22:00-06:00", ["20T22:00", "21T05:59"], ["21T22:00", "20T05:00"]),
        ("sun 22:00-06:00", ["22T23:00", "23T05:59", "16T05:00"], ["23T06:00", "22T05:00"]),
        ("mon,wed 10:00-11:00", ["16T10:00", "18T10:59"], ["17T10:00", "20T10:00"]),
        ("fri-mon 10:00-11:00", ["20T10:00", "22T10:00", "23T10:00"], ["24T10:00", "19T10:00"]),
        ("tue, sat-sun 0:30-1:00", ["17T00:30", "21T00:30", "22T00:59"], ["20T00:30"]),
        ("sat-sun 00:00-24:00", ["21T00:00", "22T23:59"], ["20T23:59", "23T00:00"]),
        ("22:00-00:00", ["20T23:59"], ["21T00:00", "20T21:59"]),
        (" MON - FRI  22:00 - 06:00 ", ["20T22:00"], ["21T22:00"]),
        ("always", ["20T12:00"], []),
        ("24h", ["20T12:00"], []),
        ("never", [], ["20T12:00", "21T03:00"]),
    ],
)
def test_a_spec_means_what_it_says(spec: str, inside: list[str], outside: list[str]) -> None:
    window = OffPeakWindow.parse(spec, BERLIN)
    assert [day for day in inside if not window.contains(berlin(f"2026-11-{day}"))] == []
    assert [day for day in outside if window.contains(berlin(f"2026-11-{day}"))] == []


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "'' contains no hours"),
        ("nightly", "'nightly' contains no hours"),
        ("mon-fri", "'mon-fri' contains no hours"),
        ("22:00-06:00;", "'' contains no hours"),
        ("always; never", "'always' contains no hours"),
        ("22:00-22:00", "opens and closes at the same time"),
        ("00:00-00:00", "opens and closes at the same time"),
        ("22:00", "'22:00' is not a range"),
        ("22-6", "'22-6' is not a range"),
        ("22:00-06:00,", "'' is not a range"),
        ("22:00-06:00 mon", "is not a range"),
        ("٢٢:00-06:00", "is not a range|no hours"),
        ("22:00-25:00", "contains an impossible time"),
        ("24:00-06:00", "contains an impossible time"),
        ("22:60-06:00", "contains an impossible time"),
        ("22:00-24:01", "contains an impossible time"),
        ("foo 22:00-06:00", "'foo' is not a day"),
        ("mon-funday 22:00-06:00", "'mon-funday' is not a day"),
        ("mon, 22:00-06:00", "'' is not a day"),
        ("weekdays-sun 22:00-06:00", "is not a day"),
    ],
)
def test_a_bad_spec_is_refused_with_an_example(spec: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        OffPeakWindow.parse(spec, BERLIN)
    assert caught.value.message.endswith("sat-sun 20:00-08:00.")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("zone", ["", "Berlin", "Europe", "../UTC", "/etc/passwd", "zone.tab", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(UsageError, match="not an IANA time zone"):
        OffPeakWindow.parse("22:00-06:00", zone)
    with pytest.raises(UsageError, match="not an IANA time zone"):
        until("03:00", utc("2026-11-20T12:00"), zone)


def test_a_window_is_a_frozen_value() -> None:
    window = OffPeakWindow.parse("22:00-06:00", BERLIN)
    assert window == OffPeakWindow.parse("22:00-06:00", BERLIN) == pickle.loads(pickle.dumps(window))
    assert window != OffPeakWindow.parse("22:00-06:00", "UTC")
    assert len({window, OffPeakWindow.parse("22:00-06:00", BERLIN)}) == 1
    assert len(repr(window)) < 200
    with pytest.raises(AttributeError):
        window.spec = "always"  # type: ignore[misc]


def test_an_instant_needs_its_offset() -> None:
    window, naive = OffPeakWindow.parse("22:00-06:00", BERLIN), datetime(2026, 11, 20)
    asks: list[Callable[[datetime], object]] = [
        window.contains,
        window.next_open,
        window.next_close,
        window.opened_at,
        window.run_date,
        window.seconds_left,
        lambda now: until("03:00", now, BERLIN),
    ]
    for ask in asks:
        with pytest.raises(ValueError, match="without UTC offset"):
            ask(naive)


# An ordinary night


def test_a_night_across_midnight() -> None:
    window = OffPeakWindow.parse("22:00-06:00", BERLIN)
    night, day = berlin("2026-11-21T01:30:15"), berlin("2026-11-20T15:00")
    assert window.opened_at(night) == berlin("2026-11-20T22:00")
    assert window.next_close(night) == berlin("2026-11-21T06:00")
    assert window.next_open(night) == berlin("2026-11-21T22:00")
    assert window.seconds_left(night) == 4.5 * 3600 - 15
    assert window.run_date(night) == date(2026, 11, 20)
    assert window.opened_at(day) is None
    assert window.next_open(day) == berlin("2026-11-20T22:00")
    assert window.next_close(day) == berlin("2026-11-21T06:00")
    assert window.seconds_left(day) == 0.0
    assert window.run_date(day) == date(2026, 11, 20)
    assert window.run_date(berlin("2026-11-21T06:00")) == date(2026, 11, 21)
    assert window.next_open(day).tzinfo is UTC  # type: ignore[union-attr]


def test_next_is_after_now_even_at_the_edge() -> None:
    window = OffPeakWindow.parse("22:00-06:00", BERLIN)
    opening = berlin("2026-11-20T22:00")
    assert window.next_open(opening) == berlin("2026-11-21T22:00")
    assert window.next_open(opening - INSTANT) == opening
    assert window.opened_at(opening) == opening
    assert window.next_close(berlin("2026-11-21T06:00")) == berlin("2026-11-22T06:00")


def test_windows_that_touch_are_one_and_keep_the_first_date() -> None:
    window = OffPeakWindow.parse("fri 22:00-06:00; sat 05:00-12:00; sat 12:00-24:00; sun 24h", BERLIN)
    last = berlin("2026-11-22T23:59")
    assert window.opened_at(last) == berlin("2026-11-20T22:00")
    assert window.next_close(berlin("2026-11-20T22:00")) == berlin("2026-11-23T00:00")
    assert window.run_date(last) == date(2026, 11, 20)


def test_a_window_over_the_end_of_the_week() -> None:
    window = OffPeakWindow.parse("sun 22:00-06:00", BERLIN)
    assert window.run_date(berlin("2026-11-23T05:00")) == date(2026, 11, 22)
    assert window.next_close(berlin("2026-11-22T23:00")) == berlin("2026-11-23T06:00")
    assert window.run_date(berlin("2026-11-23T06:00")) == date(2026, 11, 29)


@pytest.mark.parametrize(
    "spec", ["always", "24h", "00:00-24:00", "22:00-06:00,06:00-22:00", "mon-sun 12:00-12:01, 24h"]
)
def test_always(spec: str) -> None:
    window, now = OffPeakWindow.parse(spec, BERLIN), berlin("2026-11-21T00:30")
    assert window.contains(now)
    assert (window.next_open(now), window.next_close(now), window.opened_at(now)) == (None, None, None)
    assert window.seconds_left(now) is None
    assert window.run_date(now) == date(2026, 11, 21)


def test_never() -> None:
    window, now = OffPeakWindow.parse("never", BERLIN), berlin("2026-11-21T00:30")
    assert not window.contains(now)
    assert (window.next_open(now), window.next_close(now), window.opened_at(now)) == (None, None, None)
    assert window.seconds_left(now) == 0.0
    assert window.run_date(now) == date(2026, 11, 21)


# Nights on which clocks change. Berlin 2026: 29 March 02:00 -> 03:00, 25 October 03:00 -> 02:00.


@pytest.mark.parametrize(
    ("spec", "zone", "start", "changes"),
    [
        ("22:00-06:00", BERLIN, "2026-03-28T12:00", ["open 03-28 21:00", "close 03-29 04:00"]),
        ("22:00-06:00", BERLIN, "2026-10-24T12:00", ["open 10-24 20:00", "close 10-25 05:00"]),
        # Its start is skipped: it opens when clocks jump past.
        ("02:30-03:30", BERLIN, "2026-03-28T12:00", ["open 03-29 01:00", "close 03-29 01:30"]),
        # Its end is skipped: it closes at the jump.
        ("01:00-02:30", BERLIN, "2026-03-28T12:00", ["open 03-29 00:00", "close 03-29 01:00"]),
        # All of it is skipped.
        ("02:00-03:00", BERLIN, "2026-03-28T12:00", []),
        # The gap between two is skipped: one opening.
        ("01:00-02:15,02:45-04:00", BERLIN, "2026-03-28T12:00", ["open 03-29 00:00", "close 03-29 02:00"]),
        # The repeated hour is inside: an hour longer.
        ("02:00-03:00", BERLIN, "2026-10-24T12:00", ["open 10-25 00:00", "close 10-25 02:00"]),
        # An edge in the repeated hour is met twice.
        (
            "22:00-02:30",
            BERLIN,
            "2026-10-24T12:00",
            ["open 10-24 20:00", "close 10-25 00:30", "open 10-25 01:00", "close 10-25 01:30"],
        ),
        (
            "02:30-06:00",
            BERLIN,
            "2026-10-24T12:00",
            ["open 10-25 00:30", "close 10-25 01:00", "open 10-25 01:30", "close 10-25 05:00"],
        ),
        # Half an hour back, at 02:00 local.
        ("22:00-01:45", "Australia/Lord_Howe", "2026-04-04T00:00", [
            "open 04-04 11:00",
            "close 04-04 14:45",
            "open 04-04 15:00",
            "close 04-04 15:15",
        ]),
        # Offsets of whole seconds only: -00:44:30 until 1972.
        ("22:00-06:00", "Africa/Monrovia", "1970-06-01T12:00", [
            "open 06-01 22:44:30",
            "close 06-02 06:44:30",
        ]),
    ],
)  # fmt: skip
def test_changing_clocks(spec: str, zone: str, start: str, changes: list[str]) -> None:
    found = flips(OffPeakWindow.parse(spec, zone), utc(start), utc(start) + timedelta(hours=22))
    expected = [change if change.count(":") == 2 else f"{change}:00" for change in changes]
    assert found == [f"{change}.000000" for change in expected]


def test_a_weekly_window_that_is_skipped_opens_a_week_later() -> None:
    window = OffPeakWindow.parse("sun 02:00-03:00", BERLIN)
    assert window.next_open(berlin("2026-03-22T12:00")) == berlin("2026-04-05T02:00")


def test_a_day_that_a_zone_skips_is_jumped() -> None:
    # Samoa had no 30 December 2011: Thursday was followed by Saturday, at 10:00 UTC.
    window = OffPeakWindow.parse("sat-thu 24h", "Pacific/Apia")
    now = utc("2012-01-02T00:00")
    assert window.opened_at(now) == utc("2011-12-24T10:00")
    assert window.next_close(now) == utc("2012-01-05T10:00")
    assert window.run_date(now) == date(2011, 12, 24)


def test_the_date_survives_clocks_set_back() -> None:
    window = OffPeakWindow.parse("22:00-02:30", BERLIN)
    saturday = date(2026, 10, 24)
    again = berlin("2026-10-25T02:10", fold=1)
    assert window.opened_at(again) == berlin("2026-10-25T02:00", fold=1)
    assert window.run_date(berlin("2026-10-25T02:10")) == saturday
    assert window.run_date(berlin("2026-10-25T02:40")) == saturday  # closed, and about to open again
    assert window.run_date(again) == saturday
    assert window.run_date(berlin("2026-10-25T02:30", fold=1)) == date(2026, 10, 25)
    weekend = OffPeakWindow.parse("fri 22:00-24:00; sat 24h; sun 00:00-02:30", BERLIN)
    assert weekend.run_date(again) == date(2026, 10, 23)


def test_the_date_survives_clocks_set_forward() -> None:
    window = OffPeakWindow.parse("22:00-02:15,02:45-06:00", BERLIN)
    now = berlin("2026-03-29T04:00")
    assert window.opened_at(now) == berlin("2026-03-28T22:00")
    assert window.run_date(now) == date(2026, 3, 28)


# By hand


def test_override_opens_and_closes() -> None:
    window = OffPeakWindow.parse("22:00-06:00", BERLIN)
    now = berlin("2026-11-20T15:00")
    opened = Override("open", berlin("2026-11-20T18:00").isoformat())
    assert window.contains(now, opened)
    assert window.next_close(now, opened) == berlin("2026-11-20T18:00")
    assert window.next_open(now, opened) == berlin("2026-11-20T22:00")
    assert window.seconds_left(now, opened) == 3 * 3600
    assert not window.contains(berlin("2026-11-20T18:00"), opened)

    night = berlin("2026-11-20T23:00")
    closed = Override("closed", "2026-11-21T02:00:00Z")
    assert not window.contains(night, closed)
    assert window.next_open(night, closed) == berlin("2026-11-21T03:00")
    assert window.next_close(night, closed) == berlin("2026-11-21T06:00")
    assert window.seconds_left(night, closed) == 0.0
    assert window.seconds_left(night, Override("open", "2026-11-21T02:00:00Z")) == 7 * 3600
    assert window.seconds_left(night, Override("open", "2026-11-20T21:30:00Z")) == 7 * 3600  # run out


def test_override_of_always_and_never() -> None:
    now, end = utc("2026-11-20T15:00"), utc("2026-11-20T18:00")
    always, never = (OffPeakWindow.parse(spec, BERLIN) for spec in ("always", "never"))
    opened, closed = Override("open", end.isoformat()), Override("closed", end.isoformat())
    assert (never.next_open(now, opened), never.next_close(now, opened)) == (None, end)
    assert (always.next_open(now, closed), always.next_close(now, closed)) == (end, None)
    assert always.seconds_left(now, opened) is None
    assert never.seconds_left(now, opened) == 3 * 3600


def test_override_travels_and_bad_ones_are_refused() -> None:
    override = Override("open", "2026-11-21T02:00:00+00:00")
    assert msgspec.json.decode(msgspec.json.encode(override), type=Override) == override
    for state, end in [("ajar", "2026-11-21T02:00:00Z"), ("open", "03:00"), ("open", "2026-11-21T02:00:00")]:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(msgspec.json.encode({"state": state, "until": end}), type=Override)


@pytest.mark.parametrize(
    ("spec", "now", "override", "expected"),
    [
        ("22:00-06:00", "2026-11-22T23:00", None, "open until 06:00 CET (Mon)"),
        ("22:00-06:00", "2026-11-22T01:00", None, "open until 06:00 CET"),
        ("22:00-06:00", "2026-07-05T12:00", None, "closed until 22:00 CEST"),
        ("sat 22:00-06:00", "2026-11-16T12:00", None, "closed until 22:00 CET (Sat)"),
        ("sat 22:00-06:00", "2026-11-22T12:00", None, "closed until 22:00 CET (Sat)"),
        (
            "sat 22:00-06:00",
            "2026-11-22T01:00",
            ("closed", "2026-11-30T12:00"),
            "closed until 22:00 CET (2026-12-05)",
        ),
        ("22:00-06:00", "2026-11-22T12:00", ("open", "2026-11-22T14:00"), "open until 14:00 CET"),
        ("always", "2026-11-22T12:00", None, "open"),
        ("never", "2026-11-22T12:00", None, "closed"),
        ("never", "2026-11-22T12:00", ("open", "2026-11-22T12:30"), "open until 12:30 CET"),
    ],
)
def test_describe(spec: str, now: str, override: tuple[str, str] | None, expected: str) -> None:
    given = Override(override[0], berlin(override[1]).isoformat()) if override else None  # type: ignore[arg-type]
    assert OffPeakWindow.parse(spec, BERLIN).describe(berlin(now), given) == expected


@pytest.mark.parametrize(
    ("text", "now", "means"),
    [
        ("03:00", "2026-11-20T23:00", "2026-11-21T02:00"),
        ("3:00", "2026-11-21T01:59", "2026-11-21T02:00"),
        ("03:00", "2026-11-21T02:00", "2026-11-22T02:00"),
        ("00:00", "2026-11-20T12:00", "2026-11-20T23:00"),
        ("24:00", "2026-11-20T12:00", "2026-11-20T23:00"),
        ("02:30", "2026-03-28T12:00", "2026-03-29T01:00"),  # skipped: when clocks jump past it
        ("02:30", "2026-10-24T12:00", "2026-10-25T00:30"),  # shown twice: the first
        ("02:30", "2026-10-25T00:30", "2026-10-25T01:30"),  # ... and then the second
        (" 2026-11-21T03:00 ", "2026-11-20T12:00", "2026-11-21T02:00"),
        ("2026-11-21", "2026-11-20T12:00", "2026-11-20T23:00"),
        ("2026-11-21T03:00Z", "2026-11-20T12:00", "2026-11-21T03:00"),
        ("2026-11-21T03:00+08:00", "2026-11-20T12:00", "2026-11-20T19:00"),
        ("2026-10-25T02:30", "2026-10-24T12:00", "2026-10-25T00:30"),
    ],
)
def test_until(text: str, now: str, means: str) -> None:
    end = until(text, utc(now), BERLIN)
    assert end == utc(means)
    assert end.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "3",
        "25:00",
        "24:01",
        "03:60",
        "2026-13-01",
        "0001-01-01T00:00+09:00",
        "3\x1b[2J",
        "\udcff",
    ],
)
def test_until_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(UsageError, match=r"Invalid time .*: use a local time such as 03:00") as caught:
        until(text, utc("2026-11-20T12:00"), BERLIN)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "until", ["9999-12-31T23:59:59-14:00", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_an_override_at_the_end_of_time_is_none(until: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"state": "open", "until": until}), type=Override)


@pytest.mark.parametrize("zone", ["Europe/" * 2000, "Mars\x1b[2J", "\udcff", "Europe"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(UsageError, match="is not an IANA time zone") as caught:
        OffPeakWindow.parse("always", zone)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("text", ["2026-11-20T13:00", "2026-11-20T12:00Z", "2020-01-01", "9999-12-31"])
def test_until_refuses_the_past_and_the_far_future(text: str) -> None:
    with pytest.raises(UsageError, match="not within the next year"):
        until(text, utc("2026-11-20T12:00"), BERLIN)


# Any window in any zone, against a second reading of the rules that looks at nothing but the wall clock


@dataclass
class Rule:
    days: list[int]
    start: int
    end: int

    def __str__(self) -> str:
        days = ",".join(NAMES[day] for day in self.days)
        hours = [f"{m // 60:02}:{m % 60:02}" for m in (self.start, self.end)]
        return f"{days} {'-'.join(hours)}"

    def covers(self, wall: datetime) -> bool:
        minute, today = wall.hour * 60 + wall.minute, wall.weekday()
        if self.end > self.start:
            return today in self.days and self.start <= minute < self.end
        return (today in self.days and minute >= self.start) or (
            (today - 1) % 7 in self.days and minute < self.end
        )


# Zones, and days on which their clocks change (UTC); Casablanca stops and resumes around Ramadan.
CHANGES = [
    (BERLIN, "2026-03-29", "2026-10-25"),
    ("America/New_York", "2026-03-08", "2026-11-01"),
    ("Asia/Shanghai", "1991-04-13", "1991-09-14"),
    ("Australia/Lord_Howe", "2026-04-04", "2026-10-03"),
    ("UTC", "2026-12-31", "2028-02-29"),
    ("America/St_Johns", "2007-03-11", "2007-11-04"),
    ("America/Havana", "2026-03-08", "2026-11-01"),
    ("Africa/Casablanca", "2026-02-15", "2026-03-22"),
    ("Pacific/Apia", "2011-12-30", "2011-09-24"),
]
clock = st.one_of(st.integers(0, 1439), st.integers(0, 8).map(lambda n: n * 30))  # clocks change at night
rules = st.lists(
    st.builds(Rule, st.lists(st.integers(0, 6), min_size=1, unique=True), clock, clock).filter(
        lambda rule: rule.start != rule.end
    ),
    min_size=1,
    max_size=3,
)
moments = st.sampled_from([(zone, utc(day)) for zone, *days in CHANGES for day in days])
overrides = st.none() | st.tuples(st.sampled_from(["open", "closed"]), st.integers(-600, 2000))


def scan(
    rules: list[Rule], zone: str, start: datetime, end: datetime, override: Override | None
) -> list[str]:
    """Every change after `start` up to `end`, found by looking at each minute."""

    def contains(moment: datetime) -> bool:
        if override is not None and moment < override.ends:
            return override.state == "open"
        wall = moment.astimezone(ZoneInfo(zone))
        return any(rule.covers(wall) for rule in rules)

    found, before, at = [], contains(start), start.replace(second=0, microsecond=0)
    while (at := at + MINUTE) <= end:
        if (now := contains(at)) is not before:
            found.append(f"{'open' if now else 'close'} {at:%m-%d %H:%M:%S.%f}")
        before = now
    return found


@settings(max_examples=150, deadline=None)
@given(rules, moments, st.integers(-2 * 86_400, 86_400), overrides)
def test_next_agrees_with_every_minute(
    rules: list[Rule], moment: tuple[str, datetime], seconds: int, by_hand: tuple[str, int] | None
) -> None:
    zone, start = moment[0], moment[1] + timedelta(seconds=seconds, microseconds=seconds % 3)
    override = None
    if by_hand is not None:
        end = start.replace(second=0, microsecond=0) + timedelta(minutes=by_hand[1])
        override = msgspec.convert({"state": by_hand[0], "until": end.isoformat()}, Override)
    window = OffPeakWindow.parse("; ".join(map(str, rules)), zone)
    end = start + timedelta(days=2)
    assert flips(window, start, end, override) == scan(rules, zone, start, end, override)


@settings(max_examples=100, deadline=None)
@given(rules, moments, st.integers(-4 * 86_400, 4 * 86_400))
def test_opening_and_date_hold_from_one_change_to_the_next(
    rules: list[Rule], moment: tuple[str, datetime], seconds: int
) -> None:
    zone, now = moment[0], moment[1] + timedelta(seconds=seconds)
    window = OffPeakWindow.parse("; ".join(map(str, rules)), zone)
    if window.next_open(now) is None:
        return
    edges = itertools.islice(_edges(window, now), 6)
    for at, following in itertools.pairwise(edges):
        assert window.contains(at) is (window.opened_at(at) is not None)
        opened = window.opened_at(at) or window.next_open(at)
        dates = {window.run_date(t) for t in (at, at + (following - at) / 2, following - INSTANT)}
        if window.contains(at):
            assert {window.opened_at(t) for t in (at, following - INSTANT)} == {at}
        else:
            dates.add(window.run_date(following))
        assert len(dates) == 1
        # The date is one on which a rule lets a window open.
        [day] = dates
        assert opened is not None
        assert any(day.weekday() in rule.days for rule in rules)
        assert day <= opened.astimezone(ZoneInfo(zone)).date()


def _edges(window: OffPeakWindow, at: datetime) -> Iterator[datetime]:
    while True:
        at = min(filter(None, (window.next_open(at), window.next_close(at))))
        yield at
