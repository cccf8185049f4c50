"""What the page makes of the samples of a night: rates, gaps, forecasts against what came."""

from datetime import timedelta

from msgspec import structs

from pipeline.report.page.course import MOST, Course
from tests.support import example_reports as reports
from tests.support.example_reports import CLOSED, FIVE, OPENED


def test_rates_between_samples() -> None:
    course = Course(reports.good())
    at = [part.begin for part in course.between].index(OPENED + 12 * FIVE)
    a, b = course.samples[at], course.samples[at + 1]
    assert course.between[at].pages == b.pages - a.pages
    assert course.between[at].busy == (b.busy_seconds - a.busy_seconds) / 600


def test_a_gap_is_not_known_and_not_nothing() -> None:
    gone = {OPENED + timedelta(minutes=m) for m in range(100, 150, 5)}
    course = Course(reports.good(samples=tuple(s for s in reports.good().samples if s.at not in gone)))
    (part,) = [part for part in course.between if part.end - part.begin > FIVE]
    assert (part.pages, part.busy) == (None, None)
    assert course.gaps == [(OPENED + timedelta(minutes=95), OPENED + timedelta(minutes=150))]


def test_samples_that_end_early_leave_a_gap_until_close() -> None:
    assert Course(reports.stopped()).gaps == [(OPENED + timedelta(minutes=250), CLOSED)]


def test_a_counter_that_begins_again_is_not_known() -> None:
    samples = list(reports.good().samples)
    samples[20] = structs.replace(samples[20], pages=0, busy_seconds=0.0)
    course = Course(reports.good(samples=tuple(samples)))
    assert (course.between[19].pages, course.between[19].busy) == (None, None)
    assert course.between[18].pages is not None


def test_no_process_is_no_share() -> None:
    assert Course(reports.good()).between[0].busy is None


def test_when_the_backlog_was_done() -> None:
    assert Course(reports.good()).done_at == OPENED + timedelta(hours=6, minutes=55)
    assert Course(reports.left()).done_at is None
    assert Course(reports.empty()).done_at is None
    assert Course(reports.running()).done_at is None
    later = structs.replace(reports.good().samples[-1], at=CLOSED + 3 * FIVE, backlog_documents=9)
    assert Course(reports.good(samples=(*reports.good().samples[:-4], later))).done_at is not None, (
        "came by day"
    )


def test_forecasts_against_what_came() -> None:
    guesses = Course(reports.good()).guesses
    assert [guess.at - OPENED for guess in guesses] == [
        timedelta(0), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2), timedelta(hours=4)
    ]  # fmt: skip
    assert all(guess.late is not None and guess.within for guess in guesses)
    assert [guess.late for guess in Course(reports.left()).guesses] == [None] * 5


def test_samples_are_ordered_and_each_is_one() -> None:
    samples = reports.good().samples
    course = Course(reports.good(samples=(*reversed(samples), *samples)))
    assert course.samples == Course(reports.good()).samples


def test_only_what_is_around_the_window() -> None:
    early = structs.replace(reports.good().samples[0], at=OPENED - timedelta(hours=5))
    assert Course(reports.good(samples=(early, *reports.good().samples))).samples[0].at == OPENED - 6 * FIVE


def test_very_many_samples_are_thinned() -> None:
    course = Course(reports.largest())
    assert MOST / 2 < len(course.samples) <= MOST
    assert course.gaps == Course(reports.largest()).gaps


def test_the_window_as_it_was() -> None:
    assert Course(reports.good()).windows == [(OPENED, CLOSED)]
    two = tuple(
        structs.replace(s, window_open=s.window_open and s.at.hour not in (0, 1))
        for s in reports.good().samples
    )
    assert len(Course(reports.good(samples=two)).windows) == 2


def test_a_course_without_samples() -> None:
    assert not Course(reports.old())
