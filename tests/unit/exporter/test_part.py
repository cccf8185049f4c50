"""What is exposed of a part that answers, fails, hangs and comes back."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pipeline.errors import StoreUnavailable
from pipeline.exporter import part
from pipeline.exporter.part import Part, together
from pipeline.telemetry.exposition import Readings

WINDOW = "nightshift_window_open", ()
UP, AGE = ("nightshift_up", ("store",)), ("nightshift_read_age_seconds", ("store",))


def of(read: Callable[[], Readings]) -> Part:
    return Part("store", read, 15.0)


def test_nothing_is_said_before_the_first_attempt() -> None:
    assert of(lambda: {WINDOW: 1.0}).readings(time.monotonic()) == {}


def test_values_that_cannot_be_read_again_are_absent_and_their_age_is_seen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "nightshift")
    answers: Iterator[Readings | Exception] = iter(
        [{WINDOW: 1.0}, StoreUnavailable("The store does not answer."), OSError("x"), {WINDOW: 0.0}]
    )

    def read() -> Readings:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    one = of(read)
    one.look()
    found = one.readings(time.monotonic())
    assert (found[WINDOW], found[UP]) == (1.0, 1.0)
    for _ in range(2):
        one.look()
        found = one.readings(time.monotonic() + 7)
        assert WINDOW not in found
        assert found[UP] == 0.0
        assert 7 <= found[AGE] < 60
    one.look()
    assert one.readings(time.monotonic())[WINDOW] == 0.0
    assert [r.getMessage() for r in caplog.records] == [
        "store can't be read: The store does not answer.",
        "store can be read again",
    ]


def test_a_part_that_never_answered_has_no_age() -> None:
    def read() -> Readings:
        raise StoreUnavailable("The store does not answer.")

    one = of(read)
    one.look()
    assert one.readings(time.monotonic()) == {UP: 0.0}


def test_what_hangs_becomes_old_and_absent_and_holds_up_no_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, go, end = [0], threading.Event(), threading.Event()

    def read() -> Readings:
        reads[0] += 1
        if reads[0] > 1:
            go.set()
            end.wait(60)
        return {WINDOW: 1.0}

    one = Part("store", read, 0.0)
    one.start()
    try:
        assert go.wait(60)
        now = time.monotonic()
        assert one.readings(now)[UP] == 1.0
        found = one.readings(now + part._PATIENCE + 1)
        assert (found[UP], WINDOW in found) == (0.0, False)
        other = Part("broker", lambda: {("nightshift_queue_messages", ("ocr",)): 3.0}, 15.0)
        other.look()
        assert together([one, other])["nightshift_queue_messages", ("ocr",)] == 3.0
    finally:
        monkeypatch.setattr(one, "period", 3600.0)
        end.set()
