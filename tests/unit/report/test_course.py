"""The window of a night, and what its samples tell."""

import pytest

from pipeline.night.window import OffPeakWindow
from pipeline.report import course
from pipeline.report.course import Bounds
from tests.support.reports import at, sample


@pytest.mark.parametrize(
    ("spec", "zone", "run_date", "expected"),
    [
        ("22:00-06:00", "UTC", "2026-11-22", ("2026-11-22T22:00", "2026-11-23T06:00")),
        ("22:00-06:00", "Asia/Shanghai", "2026-11-22", ("2026-11-22T14:00", "2026-11-22T22:00")),
        ("22:00-06:00", "Europe/Berlin", "2026-10-24", ("2026-10-24T20:00", "2026-10-25T05:00")),
        ("00:00-06:00, 22:00-24:00", "UTC", "2026-11-22", ("2026-11-21T22:00", None)),
        ("fri 20:00-23:00; sat-sun 24h", "UTC", "2026-11-21", ("2026-11-21T00:00", "2026-11-23T00:00")),
        ("fri 20:00-23:00", "UTC", "2026-11-22", (None, None)),
        ("always", "UTC", "2026-11-22", (None, None)),
        ("never", "UTC", "2026-11-22", (None, None)),
    ],
)
def test_the_window_of_a_run_date(
    spec: str, zone: str, run_date: str, expected: tuple[str | None, str | None]
) -> None:
    window = OffPeakWindow.parse(spec, zone)
    found = course.bounds(window, run_date)
    if spec.startswith("00:00"):  # joined at midnight: one opening, of the day before
        assert found == Bounds(at("2026-11-22T22:00"), at("2026-11-23T06:00"))
        return
    assert found == Bounds(*(at(text) if text else None for text in expected))


def test_an_operator_who_opened_it_shows_in_the_samples() -> None:
    scheduled = Bounds(at("2026-11-22T22:00"), at("2026-11-23T06:00"))
    samples = [sample("2026-11-22T18:00"), sample("2026-11-23T08:00")]
    assert course.opened(scheduled, samples) == Bounds(at("2026-11-22T18:00"), at("2026-11-23T08:05"))
    assert course.opened(scheduled, [sample("2026-11-22T22:00")]) == scheduled
    assert course.opened(scheduled, []) == scheduled


def test_outages_join_and_silence_counts() -> None:
    samples = [
        sample("2026-11-22T22:00"),
        sample("2026-11-22T22:05", trouble="The store is unreachable."),
        sample("2026-11-22T22:10", trouble="The store is unreachable."),
        sample("2026-11-22T22:15"),
        sample("2026-11-22T23:00", trouble="Alarm."),
    ]
    assert course.outages(samples) == (
        (at("2026-11-22T22:05"), at("2026-11-22T22:15"), "The store is unreachable."),
        (at("2026-11-22T22:20"), at("2026-11-22T23:00"), "Housekeeping did not run, or could not reach the store."),
        (at("2026-11-22T23:00"), at("2026-11-22T23:05"), "Alarm."),
    )  # fmt: skip
    assert course.outages([]) == ()
    by_day = [sample("2026-11-22T12:00", window_open=False), sample("2026-11-22T22:00")]
    assert course.outages(by_day) == ()


def test_the_share_of_the_device() -> None:
    samples = [
        sample("2026-11-22T22:00", busy_seconds=0.0, processes=2),
        sample("2026-11-22T22:05", busy_seconds=300.0, processes=2),
        sample("2026-11-22T22:10", busy_seconds=600.0, processes=2),
    ]
    assert course.device_share(samples) == 0.5
    assert course.device_share(samples[:1]) is None
    restarted = [*samples, sample("2026-11-22T22:15", busy_seconds=0.0)]
    assert course.device_share(restarted) == 0.5, "counters that began again say nothing"


def test_workers_that_left_before_the_work_was_done() -> None:
    samples = [sample("2026-11-22T22:00", workers=3), sample("2026-11-22T23:00", workers=1)]
    assert course.workers_lost(samples) == 2
    assert course.workers_lost([*samples, sample("2026-11-22T23:30", workers=0, backlog_documents=0)]) == 2
    assert course.workers_lost([]) == 0
