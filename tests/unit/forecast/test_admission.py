"""What may start near close."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.forecast.admission import Expected, fits, fitting
from pipeline.night import admission
from pipeline.night.admission import PAUSE, Admission


def measured(*seconds: float) -> Expected:
    found = Expected()
    for one in seconds:
        found.measured(one)
    return found


@pytest.mark.parametrize(
    ("left", "started"),
    [(None, 8), (3600.0, 8), (32.0, 8), (31.9, 1), (2.1, 1), (1.9, 0), (0.0, 0)],
)
def test_groups_while_there_is_time_then_single_pages_then_nothing(left: float | None, started: int) -> None:
    assert fitting(8, measured(2.0, 2.0, 2.0), left, 28800.0) == started


def test_before_anything_was_measured_everything_starts_while_the_window_is_open() -> None:
    assert fitting(8, Expected(), 0.1, 28800.0) == 8
    assert fitting(8, Expected(), 0.0, 28800.0) == 0


def test_what_fits_no_window_starts_in_its_first_half() -> None:
    endless = measured(5000.0, 5000.0)
    assert [fits(1, endless, left, 3600.0) for left in (3600.0, 1801.0, 1799.0)] == [True, True, False]
    assert not fits(1, endless, 4000.0, None)


def test_a_doubtful_page_needs_more_time() -> None:
    assert measured(2.0, 2.0).seconds(1) < measured(1.0, 3.0).seconds(1) < 4.0
    assert measured(-5.0).seconds(1) == 0.0, "the clock was set back"


def test_the_latest_pages_weigh_most() -> None:
    assert measured(*[1.0] * 200, *[9.0] * 60).seconds(1) > 5.0


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, closes: float) -> None:
        self.now, self.closes, self.slept = 0.0, closes, list[float]()
        monkeypatch.setattr(admission, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def seconds_left(self, _: int) -> float:
        return max(self.closes - self.now, 0.0)


def test_a_process_near_close_hands_back_a_few_messages_not_thousands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, 100.0)
    schedule: Any = clock
    one = Admission(schedule)
    started = returned = 0
    while clock.seconds_left(5):
        if not one.pages("ocr", 8, 5):
            returned += 1
            continue
        clock.now += 30.0
        one.measured("ocr", True, 30.0)
        started += 1
    assert started == 3
    assert clock.now == pytest.approx(100.0)
    assert returned == 2
    assert max(clock.slept) <= PAUSE


def test_pages_that_were_read_before_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 10.0)
    schedule: Any = clock
    one = Admission(schedule)
    for fresh in (True, False, False):
        one.measured("ocr", fresh, 1e9)
    assert one.pages("ocr", 8, 5) == 8
    assert one.whole("ner", 1, 5)


def test_a_step_that_stores_nothing_until_it_ends_must_fit_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, 1000.0)
    schedule: Any = clock
    one = Admission(schedule)
    for _ in range(2):  # the first is not measured: it loads the model
        assert one.whole("ner", 10, 5)
        clock.now += 10.0
        one.measured("ner", True, 1.0)
    clock.now = 950.0
    assert one.whole("ner", 40, 5)
    assert not one.whole("ner", 60, 5)
    assert clock.slept == [PAUSE]
