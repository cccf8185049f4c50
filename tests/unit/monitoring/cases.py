"""What the alerts are tried on: nights that differ from a good one by one thing."""

import msgspec

from tests.support.metric_nights import EXPORTER, WORKER, Course, Night, exported, good_night, worked

LEFT = exported("forecast_left_documents", 'quantile="0.5"')
BACKFILL = exported("pending_documents", 'lane="backfill"')
URGENT = exported("pending_documents", 'lane="urgent"')
WORKERS = exported("workers")
WINDOW = exported("window_open")
READY = exported("queue_messages", 'queue="ocr"')
BUSY = worked("device_busy_seconds_total", 'device="gpu:0"')
HELD = worked("device_held")
DEAD = exported("queue_messages", 'queue="dead"')
ENDED = worked("documents_total", 'outcome="done"', 'kind="ocr"', 'tenant=""')
TICK = exported("last_tick_timestamp_seconds")
SUMMARY = exported("last_summary_timestamp_seconds")
PENDING = exported("pending_documents", 'lane="normal"')
READ_BACKLOG = exported("up", 'part="backlog"')
STORE, BROKER = exported("up", 'part="store"'), exported("up", 'part="broker"')
BRAKE = exported("brake", 'step="ocr"')
FAILURES = exported("failures_open")
CALLBACKS = exported("callbacks_undelivered")
DISCREPANCIES = exported("ledger_discrepancies")
ALARM = worked("broker_alarm")
SKEW = exported("clock_skew_seconds")
UP_WORKER, UP_EXPORTER = f"up{{{WORKER}}}", f"up{{{EXPORTER}}}"

GOOD = good_night()
NUMBER, TIME, INSTANCE = '$value | printf "%.0f"', "$value | humanizeDuration", "$labels.instance"
"""Expressions in the templates."""


class Case(msgspec.Struct, kw_only=True):
    """A night in which the alert `fires` fires at some time, and no other; or none, though `nearly` this one.

    `at`: a minute at which it fires, with these labels, and with these values of the expressions in its texts.
    """

    name: str
    night: Night
    fires: str = ""
    nearly: str = ""
    at: int = 0
    texts: dict[str, str] = {}
    labels: dict[str, str] = {}


def quiet(name: str, night: Night, nearly: str = "") -> Case:
    """Nothing fires; `night`: what differs from a good one."""
    return Case(name=name, night=GOOD | night, nearly=nearly and f"Nightshift{nearly}")


def fires(
    alert: str,
    name: str,
    night: Night,
    *,
    at: int = 0,
    texts: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> Case:
    """This alert fires; `night`: what differs from a good one."""
    return Case(
        name=name,
        night=GOOD | night,
        fires=f"Nightshift{alert}",
        at=at,
        texts=texts or {},
        labels=labels or {},
    )


def without(night: Night, *names: str) -> Night:
    """A night without these series."""
    return {name: course for name, course in night.items() if name not in names}


def stuck(name: str, begin: int, end: int) -> Night:
    """A time stamp of a good night that does not advance for some minutes."""
    course = GOOD[name]
    return {name: lambda minute: course(begin) if begin <= minute < end else course(minute)}


def halted(name: str, begin: int, end: int) -> Night:
    """A counter of a good night that does not rise for some minutes."""
    course = GOOD[name]
    return {name: lambda minute: course(minute if minute < begin else max(begin, minute - (end - begin)))}


def gap(night: Night, begin: int, end: int) -> Night:
    """A night without any sample for some minutes."""

    def gone(course: Course) -> Course:
        return lambda minute: None if begin <= minute < end else course(minute)

    return {name: gone(course) for name, course in night.items()}
