"""The forecast as a pure function: windows, clocks that change, what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest

from pipeline.forecast.forecast import forecast
from pipeline.forecast.measure import Measured, Tally
from pipeline.forecast.model import Forecast, Pace, Rates, Work, kind_of
from pipeline.forecast.rates import DEFAULT_PACE, rates
from pipeline.forecast.windows import HORIZON, Interval
from pipeline.night.window import OffPeakWindow, Override

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def sure(seconds: float = 1.0, processes: float = 1.0, **more: float) -> Rates:
    """Rates without any doubt."""
    pace = Pace(kind="unknown", mean=seconds, deviation=0.0, pages=100, pages_each=1.0, **more)
    return Rates(
        paces=(pace,),
        processes=processes,
        uncertainty=0.0,
        outages_an_hour=0.0,
        outage=1.0,
        measured=True,
        basis="",
    )


def ahead(spec: str, now: datetime = NOW, override: Override | None = None) -> list[Interval]:
    window = OffPeakWindow.parse(spec, "Europe/Berlin")
    return list(takewhile(lambda one: one[0] < now + HORIZON, window.openings(now, override)))


def of(pages: int, documents: int = 100) -> list[Work]:
    return [Work(lane="normal", kind="ocr", documents=documents, pages=pages)]


def hours(found: Forecast) -> float:
    assert found.p50 is not None
    return (found.p50 - found.at).total_seconds() / 3600


@pytest.mark.parametrize(
    ("spec", "work_hours", "wall"),
    [
        ("always", 30, 30),
        ("22:00-06:00", 8, 17),  # 21:00 to 05:00 UTC
        ("22:00-06:00", 9, 34),
        ("22:00-06:00", 20, 9 + 24 * 2 + 4),
        ("mon-fri 12:30-13:30", 2.5, 24 * 2 + 0.5),  # 11:30 UTC: half an hour today, one on each day after
    ],
)
def test_work_is_laid_into_the_windows_to_come(spec: str, work_hours: float, wall: float) -> None:
    found = forecast(NOW, of(int(work_hours * 3600)), sure(), ahead(spec))
    assert hours(found) == pytest.approx(wall)
    assert found.p90 == found.p50


@pytest.mark.parametrize(("day", "length"), [("2026-03-28", 7), ("2026-03-27", 8), ("2026-10-24", 9)])
def test_a_night_in_which_clocks_change_is_shorter_or_longer(day: str, length: int) -> None:
    now = datetime.fromisoformat(f"{day}T12:00+00:00")
    windows = ahead("22:00-06:00", now)
    for room, nights in ((-60, 1), (60, 2)):
        found = forecast(now, of(length * 3600 + room), sure(), windows)
        assert (found.nights, found.left_p50 > 0) == (nights, nights == 2)


def test_what_is_left_at_close_is_a_share_of_the_documents() -> None:
    found = forecast(NOW, of(16 * 3600, 1000), sure(), ahead("22:00-06:00"))
    assert (found.left_p50, found.nights) == (500, 2)
    assert found.close == datetime(2026, 11, 24, 5, tzinfo=UTC)


def test_twice_the_processes_take_half_the_time_but_no_document_is_divided_among_all() -> None:
    assert hours(forecast(NOW, of(7200), sure(processes=2), ahead("always"))) == pytest.approx(1.0, abs=0.01)
    assert hours(forecast(NOW, of(7200, 1), sure(processes=2), ahead("always"))) == pytest.approx(
        2.0, abs=0.01
    )


def test_the_inflow_decides_how_many_nights() -> None:
    day, windows = 8 * 3600, ahead("22:00-06:00")
    assert forecast(NOW, of(2 * day), sure(), windows).nights == 2
    assert forecast(NOW, of(2 * day), sure(), windows, inflow=day / 2).nights == 4
    assert forecast(NOW, of(2 * day), sure(), windows, inflow=2 * day).nights is None


def test_pages_that_are_not_known_make_it_less_sure() -> None:
    known = forecast(NOW, of(3000, 1000), sure(), ahead("always"))
    doubt = sure(pages_deviation=0.0)
    pace = Pace(kind="unknown", mean=1.0, deviation=0.0, pages=9, pages_each=3.0, pages_deviation=20.0)
    doubt = Rates(**{**{f: getattr(doubt, f) for f in doubt.__struct_fields__}, "paces": (pace,)})
    unknown = forecast(
        NOW, [Work(lane="normal", kind="unknown", documents=1000, pages=0)], doubt, ahead("always")
    )
    assert known.p50 == known.p90
    assert hours(unknown) == pytest.approx(hours(known), rel=0.1)
    assert unknown.p90 is not None
    assert unknown.p50 is not None
    assert unknown.p90 - unknown.p50 > timedelta(minutes=5)


def test_interrupted_nights_move_the_p90_and_not_the_p50() -> None:
    calm, rough = sure(), sure()
    rough = Rates(
        **{f: getattr(rough, f) for f in rough.__struct_fields__}
        | {"outages_an_hour": 0.05, "outage": 3600.0}
    )
    one, other = (forecast(NOW, of(4 * 3600), r, ahead("always")) for r in (calm, rough))
    assert one.p50 == other.p50
    assert one.p90 is not None
    assert other.p90 is not None
    assert other.p90 > one.p90 + timedelta(minutes=5)


def test_what_is_served_first_later_delays_only_what_takes_more_than_a_night() -> None:
    rough = Rates(**{f: getattr(sure(), f) for f in sure().__struct_fields__} | {"first": 2 * 3600.0})
    for work_hours, wall in (
        (6, 9 + 6),
        (12, 33 + 4 / (1 - 2 / 8)),
    ):  # 2 h of the 8 of each night are for others
        found = forecast(NOW, of(work_hours * 3600), rough, ahead("22:00-06:00"))
        assert hours(found) == pytest.approx(wall)


def test_errors_of_past_nights_move_the_p90_and_not_the_p50() -> None:
    known = {f: getattr(sure(), f) for f in sure().__struct_fields__} | {"uncertainty": 0.2}
    calm, wrong = (
        forecast(NOW, of(4 * 3600), Rates(**known | {"errors": past}), ahead("always"))
        for past in ((0.0,) * 20, (3.0,) * 20)
    )
    assert calm.p50 == wrong.p50
    assert calm.p90 is not None
    assert wrong.p90 is not None
    assert wrong.p90 > calm.p90 + timedelta(minutes=30)
    assert wrong.left_p90 == 0


def test_the_same_input_gives_the_same_forecast() -> None:
    made = [forecast(NOW, of(999), rates([], None), ahead("22:00-06:00")) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("spec", ["never", "always", "22:00-06:00"])
def test_an_empty_backlog_is_done_now(spec: str) -> None:
    found = forecast(NOW, [], rates([], None), ahead(spec))
    assert (found.p50, found.p90, found.left_p50, found.left_p90, found.nights) == (NOW, NOW, 0, 0, 0)


def test_a_window_that_never_opens_never_ends_the_work_unless_it_is_opened_by_hand() -> None:
    found = forecast(NOW, of(3600), sure(), ahead("never"))
    assert (found.p50, found.p90, found.close, found.left_p50, found.nights) == (None, None, None, 100, None)
    by_hand = Override("open", "2026-11-23T16:00:00+00:00")
    found = forecast(NOW, of(3600), sure(), ahead("never", override=by_hand))
    assert (found.p50, found.close) == (NOW + timedelta(hours=1), NOW + timedelta(hours=4))


def test_work_of_more_than_a_year_has_no_end() -> None:
    found = forecast(NOW, of(400 * 86400), sure(), ahead("22:00-06:00"))
    assert (found.p50, found.nights) == (None, None)
    assert found.left_p50 == 100


def test_before_the_first_night_a_pace_is_assumed_and_it_says_so() -> None:
    found = rates([], None)
    assert not found.measured
    assert found.pace("ocr").mean == DEFAULT_PACE
    assert "Nothing was measured yet" in found.basis
    made = forecast(NOW, of(3600), found, ahead("always"))
    assert made.p50 is not None
    assert made.p90 is not None
    assert made.p90 - NOW > 1.8 * (made.p50 - NOW), "a guess is not sure"


def night(seconds: float, count: int = 200, stop: float = 0.0) -> Measured:
    """Documents of two pages one after the other, one process."""
    found, at = Measured(), NOW
    for number in range(count):
        took = 2 * seconds * (0.8 if number % 2 else 1.2)
        at += timedelta(seconds=took + (stop if number == count // 2 else 0))
        found.add(
            "ocr",
            2,
            took,
            seen=NOW - timedelta(hours=1),
            done=at,
            opened=lambda a, b: (b - a).total_seconds(),
        )
    return found


def test_nights_that_are_alike_make_it_sure_and_tonight_counts_for_tonight() -> None:
    past = [night(2.0) for _ in range(7)]
    before = rates(past, None)
    assert before.pace("ocr").mean == pytest.approx(2.0)
    assert before.processes == pytest.approx(1.0, abs=0.02)
    slow = rates(past, night(3.0))
    assert 2.6 < slow.pace("ocr").mean < 3.01
    assert slow.pace("ocr").uncertainty < before.pace("ocr").uncertainty
    few = rates(past, night(3.0, 3))
    assert few.pace("ocr").mean == pytest.approx(2.0), "three documents say nothing"
    assert "1,400 documents of 7 nights and 200 of tonight" in slow.basis


def test_an_interruption_is_no_slow_night() -> None:
    calm, stopped = night(2.0), night(2.0, stop=3600.0)
    assert stopped.processes == pytest.approx(calm.processes, rel=0.01)
    assert stopped.stops == 1
    assert stopped.stopped == pytest.approx(3600.0, abs=10)
    assert rates([stopped] * 7, None).outages_an_hour > 5 * rates([calm] * 7, None).outages_an_hour


def test_waiting_for_documents_is_no_slow_work() -> None:
    found, at = Measured(), NOW
    for _ in range(50):
        at += timedelta(minutes=5)
        found.add(
            "text",
            1,
            3.0,
            seen=at - timedelta(seconds=4),
            done=at,
            opened=lambda a, b: (b - a).total_seconds(),
        )
    assert found.processes == pytest.approx(1.0)


def test_a_clock_that_is_set_back_counts_for_nothing() -> None:
    found = night(2.0)
    before = found.working
    found.add("ocr", 2, 4.0, seen=NOW, done=NOW - timedelta(days=1), opened=lambda a, b: 0.0)
    assert found.working == before + 4.0


def test_processes_at_the_same_time_add_their_work_not_their_time() -> None:
    both = night(2.0).together(night(2.0))
    assert both.processes == pytest.approx(2.0, abs=0.05)
    assert both.all.documents == 400


def test_sums_over_documents() -> None:
    tally = Tally()
    for pages, seconds in ((1, 2.0), (3, 6.0), (10, 20.0)):
        tally.add(pages, seconds)
    assert tally.mean == 2.0
    assert tally.pages_each == pytest.approx(14 / 3)
    assert tally.deviation == pytest.approx(0.0, abs=1e-6)
    assert (tally + Tally()).level == pytest.approx(tally.level)
    assert Tally().mean == Tally().deviation == 0.0


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [(None, "unknown"), ("application/pdf", "ocr"), ("image/tiff", "ocr"), ("text/plain", "text")],
)
def test_kinds(media_type: str | None, kind: str) -> None:
    assert kind_of(media_type) == kind
