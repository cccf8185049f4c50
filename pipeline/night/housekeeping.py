"""Housekeeping: release delayed tasks, republish lost messages, write summaries.

Beat calls `tick` every 30 seconds. All its state is in the store, so it may be called twice, late, or not for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec

from pipeline import clock
from pipeline.errors import Damaged
from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.models import to_json
from pipeline.night import callbacks
from pipeline.night.dispatch import resume_all
from pipeline.night.night import Night
from pipeline.night.summaries import summarise_due
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_CHECK_PERIOD = timedelta(hours=1)  # between two repairs, and between two checks for overdue callbacks
_LEASE = timedelta(minutes=30)  # longer than a tick may run

Publish = Callable[[list[Message]], None]


def tick(night: Night, ready: Callable[[], int], publish: Publish) -> None:
    """Do what is due. `ready()` counts the messages waiting at the broker; `publish` sends messages, confirmed.

    Only what was published is noted as published, and summaries come last: one that fails costs no message. Raises what
    `ready`, `publish` and the store raise; the next tick tries again.
    """
    now = clock.utc()
    release_delayed(night, now, publish)
    resend_overdue_callbacks(night, now, publish)
    if night.schedule.window.contains(now, night.schedule.override()):
        repair(night, now, ready, publish)
    summarise_due(night, now)


class Checked(msgspec.Struct, frozen=True):
    """When a check that is not made at each tick was last made (`done`) or begun."""

    at: datetime
    done: bool = True


def repair(night: Night, now: datetime, ready: Callable[[], int], publish: Publish) -> None:
    """Publish messages for tasks whose own are lost; for a task that still has one this does nothing twice.

    When the window opens, most messages are missing if the broker has lost its disk; those that workers hold are not
    counted either, which is no reason to publish a whole backlog again. Single lost ones show once the queues are empty
    and tasks are left, which is checked hourly.
    """
    key = keys.night(night.schedule.run_date(), "opened")
    last = _checked(night.store, key, now)
    if last and now - last < _CHECK_PERIOD:
        return
    with _claimed(night.store, key, now):
        tasks = sum(1 for _ in night.store.list(keys.PENDING)) - sum(
            1 for _ in night.store.list(keys.DELAYED)
        )
        waiting = ready() if tasks > 0 else 0
        lost = waiting == 0 if last else 2 * waiting < tasks
        if tasks > 0 and lost:
            for message in resume_all(night):
                publish([message])


def resend_overdue_callbacks(night: Night, now: datetime, publish: Publish) -> None:
    """Publish callbacks again whose message was lost with a worker or a broker; hourly."""
    key = keys.control("callbacks")
    last = _checked(night.store, key, now)
    if last and now - last < _CHECK_PERIOD:
        return
    with _claimed(night.store, key, now):
        for message in callbacks.overdue(night.store, now - _CHECK_PERIOD):
            publish([message])


@contextmanager
def _claimed(store: Store, key: str, now: datetime) -> Iterator[None]:
    """Note a check before it is made, so that the next tick does not make it too; one that fails is made again."""
    store.put(key, to_json(Checked(now, done=False)))
    try:
        yield
    except Exception:
        store.delete(key)
        raise
    store.put(key, to_json(Checked(now)))


@contextmanager
def once_an_hour(store: Store, key: str, now: datetime) -> Iterator[bool]:
    """Whether a check of this name is due; it is noted, unless what is inside raises."""
    last = _checked(store, key, now)
    if last and now - last < _CHECK_PERIOD:
        yield False
        return
    with _claimed(store, key, now):
        yield True


def _checked(store: Store, key: str, now: datetime) -> datetime | None:
    """When a check was last made; one that was begun and never ended, as its process died, counts for `_LEASE` only."""
    last = read_or_none(store, key, Checked)
    if last is None:
        return None
    return last.at if last.done or now - last.at < _LEASE else None


def release_delayed(night: Night, now: datetime, publish: Publish) -> None:
    """Publish the first step of each delayed task that is due, then remove its delay."""
    for key in list(night.store.list(keys.DELAYED)):
        if keys.delayed_until(key) > now:
            break
        try:
            task = pending.newest(night.store, keys.task_id_of(key))
        except Damaged:  # reported by `status`; released once the marker is repaired
            continue
        if task is not None:
            publish([Message.of("ingest", task)])
        night.store.delete(key)
