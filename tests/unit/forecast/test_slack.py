"""Which documents must start now for their deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.forecast.slack import Due, starting
from pipeline.forecast.windows import Interval
from tests.unit.forecast.test_forecast import ahead, sure

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)  # the window is open until 05:00 UTC
NIGHT = ahead("22:00-06:00", NOW)
ALWAYS = ahead("always", NOW)


def due(*hours: float, pages: int = 60) -> list[Due]:
    return [Due(NOW + timedelta(hours=one), "ocr", pages) for one in hours]


def started(waiting: list[Due], windows: list[Interval] = NIGHT, **more: float) -> list[int]:
    return starting(NOW, waiting, sure(processes=2.0), windows, spread=40, **more)


def test_while_there_is_slack_nothing_is_hurried() -> None:
    assert started(due(1, 2, 3)) == []
    assert started([]) == []


def test_one_whose_time_runs_out_is() -> None:
    assert started(due(0.04, 3)) == [0]


def test_many_that_are_due_at_once_start_early_enough_for_all() -> None:
    hour = due(*[1.0] * 118)  # 118 of a minute, two processes: 59 minutes
    assert len(started(hour)) == 118
    assert len(started(hour[:60])) == 0


def test_only_as_much_as_is_needed_until_it_is_asked_again() -> None:
    assert started(due(*[1.0] * 118), most=240.0) == list(range(8))


def test_time_outside_the_window_does_not_count() -> None:
    tomorrow = due(22.0)  # at 20:00 UTC: the last open second before it is at 05:00
    assert started(tomorrow) == []
    late = [Due(datetime(2026, 11, 24, 20, tzinfo=UTC), "ocr", 60)] * 420  # 3.5 hours of both processes
    assert started(late) == []
    assert len(started([*late, *late])) == 840


@pytest.mark.parametrize("windows", [NIGHT, ALWAYS])
def test_one_that_cannot_be_done_in_time_takes_no_time_from_others(windows: list[Interval]) -> None:
    hopeless = Due(NOW + timedelta(minutes=1), "ocr", 5000)
    assert started([hopeless, *due(0.04)], windows) == [1]


def test_a_window_that_never_opens_hurries_nothing() -> None:
    assert started(due(1.0), []) == []


def test_pages_that_are_not_known_are_assumed() -> None:
    assert started([Due(NOW + timedelta(minutes=2), "unknown", 0)]) == [0]
