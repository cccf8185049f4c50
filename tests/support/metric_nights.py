"""Nights as Prometheus sees them, one sample a minute: what `promtool test rules` runs the alerts on.

A night has 330 minutes: the window opens at 60 and closes at 240. 140 documents come before it opens and are done at
200. The worker releases its models a minute after the close.
"""

from collections.abc import Callable
from itertools import groupby
from typing import Any

MINUTES, OPENS, DONE, CLOSES = 330, 60, 200, 240

Value = float | None
Course = Callable[[int], Value]
"""The value at a minute; `None`: there was no sample."""
Night = dict[str, Course]

EXPORTER = 'job="nightshift-exporter",instance="exporter:9808"'
WORKER = 'job="nightshift-worker",instance="gpu1:9809"'


def exported(name: str, *labels: str) -> str:
    """A series of the exporter."""
    return f"nightshift_{name}{{{','.join([EXPORTER, *labels])}}}"


def worked(name: str, *labels: str) -> str:
    """A series of the worker."""
    return f"nightshift_{name}{{{','.join([WORKER, *labels])}}}"


def always(value: Value) -> Course:
    """The same value at all times."""
    return lambda _: value


def between(begin: int, end: int, value: Value = 1, other: Value = 0) -> Course:
    """A value from one minute until before another; else the other."""
    return lambda minute: value if begin <= minute < end else other


def rising(begin: int, end: int, each: float, base: float = 0) -> Course:
    """A counter that rises by `each` in each of these minutes."""
    return lambda minute: base + each * max(0, min(minute, end) - begin)


def _left(minute: int) -> Value:
    """140 documents come by 35, and are done one by one from the opening."""
    return min(140, 4 * minute) - max(0, min(minute, DONE) - OPENS)


def _looked_at(minute: int) -> Value:
    """Tables are looked at every 5 minutes, and every hour while work continues."""
    return 60 * (minute - minute % (60 if OPENS <= minute < DONE else 5))


def good_night() -> Night:
    """Everything as it should be: two old dead letters, and a forecast that is too high for the first ten minutes."""
    return {
        f"up{{{EXPORTER}}}": always(1),
        f"up{{{WORKER}}}": always(1),
        exported("up", 'part="broker"'): always(1),
        exported("up", 'part="store"'): always(1),
        exported("up", 'part="backlog"'): always(1),
        worked("broker_alarm"): always(0),
        exported("window_open"): between(OPENS, CLOSES),
        exported("workers"): always(1),
        exported("pending_documents", 'lane="urgent"'): always(0),
        exported("pending_documents", 'lane="normal"'): _left,
        exported("pending_documents", 'lane="backfill"'): always(0),
        exported("queue_messages", 'queue="ocr"'): _left,
        exported("queue_messages", 'queue="ner-2"'): always(0),
        exported("queue_messages", 'queue="housekeeping"'): always(1),
        exported("queue_messages", 'queue="dead"'): always(2),
        exported("forecast_left_documents", 'quantile="0.5"'): between(OPENS, OPENS + 10, 40),
        exported("forecast_left_documents", 'quantile="0.9"'): between(OPENS, OPENS + 90, 40),
        exported("last_tick_timestamp_seconds"): lambda minute: 60 * minute,
        exported("last_summary_timestamp_seconds"): _looked_at,
        exported("clock_skew_seconds"): always(0.4),
        exported("ledger_discrepancies"): always(0),
        exported("failures_open"): always(0),
        exported("callbacks_undelivered"): always(0),
        exported("brake", 'step="ocr"'): always(0),
        worked("device_busy_seconds_total", 'device="gpu:0"'): rising(OPENS + 3, DONE, 40),
        worked("device_held"): between(OPENS + 1, CLOSES + 1),
        worked("documents_total", 'outcome="done"', 'kind="ocr"', 'tenant=""'): rising(OPENS + 3, DONE, 1),
        worked("documents_total", 'outcome="accepted"', 'kind="ocr"', 'tenant=""'): rising(0, 35, 4),
    }


def empty_night() -> Night:
    """No document comes; models are never loaded, so that there is no series about them."""
    night = good_night()
    for name in list(night):
        if "nightshift-worker" in name and not name.startswith(("up", worked("device_held"))):
            del night[name]
    return night | {
        exported("pending_documents", 'lane="normal"'): always(0),
        exported("queue_messages", 'queue="ocr"'): always(0),
        exported("forecast_left_documents", 'quantile="0.5"'): always(0),
        exported("forecast_left_documents", 'quantile="0.9"'): always(0),
        worked("device_held"): always(0),
    }


def missing(night: Night, begin: int, end: int, *, of: str) -> Night:
    """The same night, without the samples of a program for some minutes: it was down, and `up` says so."""

    def gone(course: Course) -> Course:
        return lambda minute: None if begin <= minute < end else course(minute)

    def down(course: Course) -> Course:
        return lambda minute: 0 if begin <= minute < end else course(minute)

    return {
        name: course if of not in name else down(course) if name.startswith("up{") else gone(course)
        for name, course in night.items()
    }


def restarted(course: Course, at: int) -> Course:
    """A counter that begins again with 0."""
    return lambda minute: course(minute) if minute < at else (course(minute) or 0) - (course(at) or 0)


def samples(course: Course, minutes: int = MINUTES) -> str:
    """A course as promtool reads it: `2x5` is 2 and five more, `_x5` are five that are missing."""
    values = (course(minute) for minute in range(minutes + 1))
    runs = [(value, len(list(run))) for value, run in groupby(values)]
    return " ".join(f"_x{length}" if value is None else f"{value!r}x{length - 1}" for value, length in runs)


def promtool_test(night: Night, minutes: int = MINUTES) -> dict[str, Any]:
    """The part of a test for promtool that gives it the samples."""
    series = [{"series": name, "values": samples(course, minutes)} for name, course in night.items()]
    return {"interval": "1m", "input_series": series}
