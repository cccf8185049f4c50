"""Housekeeping: release delayed tasks, hurry those with a deadline, republish lost messages, write summaries.

Beat calls `tick` every 30 seconds. All its state is in the store, so it may be called twice, late, or not for a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pipeline import clock
from pipeline.errors import Damaged, Newer
from pipeline.ledger import counting, pending
from pipeline.messages import Message
from pipeline.models import to_json
from pipeline.night import callbacks, deadlines, forget, pace
from pipeline.night.checks import CHECK_PERIOD, Checked, claimed, last_made
from pipeline.night.course import Course
from pipeline.night.night import Night
from pipeline.night.repair import Queued, repair
from pipeline.night.retention import retain
from pipeline.night.summaries import summarise_due
from pipeline.storage import keys

Publish = Callable[[list[Message]], None]


def tick(night: Night, queued: Callable[[], Queued], publish: Publish, course: Course | None = None) -> None:
    """Do what is due. `queued()` counts the messages waiting at the broker; `publish` sends messages, confirmed.

    `course`: takes the samples of the night, first, so that there is one also where the rest fails.
    Only what was published is noted as published, and summaries come last: one that fails costs no message. Raises what
    `queued`, `publish` and the store raise; the next tick tries again.
    """
    now = clock.utc()
    if course:
        course.keep(night, now, queued)
    release_delayed(night, now, publish)
    pace.refresh(night, now)
    deadlines.hurry(night, now, publish)
    resend_overdue_callbacks(night, now, publish)
    repair(night, now, queued, publish)
    try:
        summarise_due(night, now)
    finally:
        forget.resume(night.store)
        retain(night, now)
    night.store.put(keys.control("tick"), to_json(Checked(clock.utc())))  # for those who watch over it


def resend_overdue_callbacks(night: Night, now: datetime, publish: Publish) -> None:
    """Publish callbacks again whose message was lost with a worker or a broker; hourly."""
    key = keys.control("callbacks")
    last = last_made(night.store, key, now)
    if last and now - last < CHECK_PERIOD:
        return
    with claimed(night.store, key, now):
        for message in callbacks.overdue(night.store, now - CHECK_PERIOD):
            publish([message])


def release_delayed(night: Night, now: datetime, publish: Publish) -> None:
    """Publish the first step of each delayed task that is due, then remove its delay."""
    for key in list(night.store.list(keys.DELAYED)):
        if keys.delayed_until(key) > now:
            break
        try:
            task = pending.newest(night.store, keys.task_id_of(key))
        except (
            Damaged,
            Newer,
        ):  # reported by `status`; released once the marker is repaired, or by a later version
            continue
        if task is not None:
            publish([Message.of("ingest", task)])
        night.store.delete(key)
        counting.of(night.store).opened("delayed", -1)
