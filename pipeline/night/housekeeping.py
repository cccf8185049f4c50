"""What happens once a night or now and then: release what was delayed, repair, summarise.

`tick` is called every half minute by beat. It keeps no state but what lies in the store, so it does not
matter if it is called twice, late, or not for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

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

_PATIENCE = timedelta(hours=1)  # between summaries, and between repairs, while work goes on
_LEASE = timedelta(minutes=30)  # longer than a tick may live


Publish = Callable[[list[Message]], None]


def tick(night: Night, ready: Callable[[], int], publish: Publish) -> None:
    """Do what is due. `ready()` counts the messages waiting in the broker.

    What is noted as published has been: a summary that fails costs no message.
    """
    now = datetime.now(UTC)
    release_delayed(night, now, publish)
    ask_again(night, now, publish)
    if night.schedule.window.contains(now, night.schedule.override()):
        repair(night, now, ready, publish)
    summarise_due(night, now)


class Checked(msgspec.Struct, frozen=True):
    """When something was last looked at that need not be looked at each time, or has begun to be."""

    at: datetime
    done: bool = True


def repair(night: Night, now: datetime, ready: Callable[[], int], publish: Publish) -> None:
    """Publish messages for tasks whose own are lost; a task that has one besides does nothing twice.

    At open most of them are missing when the broker has lost its disk; what workers have in hand is missing
    too, and no reason to publish a whole backlog again. Single ones show when the queues have run empty and
    tasks are left, which is looked at hourly.
    """
    key = keys.night(night.schedule.run_date(), "opened")
    last = _checked(night.store, key, now)
    if last and now - last < _PATIENCE:
        return
    with _by_one(night.store, key, now):
        tasks = sum(1 for _ in night.store.list(keys.PENDING)) - sum(
            1 for _ in night.store.list(keys.DELAYED)
        )
        waiting = ready() if tasks > 0 else 0
        lost = waiting == 0 if last else 2 * waiting < tasks
        if tasks > 0 and lost:
            for message in resume_all(night):
                publish([message])


def ask_again(night: Night, now: datetime, publish: Publish) -> None:
    """Publish callbacks whose message was lost, with a worker that died or a broker that was away; hourly."""
    key = keys.control("callbacks")
    last = _checked(night.store, key, now)
    if last and now - last < _PATIENCE:
        return
    with _by_one(night.store, key, now):
        for message in callbacks.overdue(night.store, now - _PATIENCE):
            publish([message])


@contextmanager
def _by_one(store: Store, key: str, now: datetime) -> Iterator[None]:
    """Note a check before it is made, so that the next tick makes it not too; one that breaks off is made anew."""
    store.put(key, to_json(Checked(now, done=False)))
    try:
        yield
    except Exception:
        store.delete(key)
        raise
    store.put(key, to_json(Checked(now)))


def _checked(store: Store, key: str, now: datetime) -> datetime | None:
    """When a check was made; one that was begun and not ended, as its process died, counts for a while only."""
    last = read_or_none(store, key, Checked)
    if last is None:
        return None
    return last.at if last.done or now - last.at < _LEASE else None


def release_delayed(night: Night, now: datetime, publish: Publish) -> None:
    """Publish the first step of the tasks whose time has come; then each is released."""
    for key in list(night.store.list(keys.DELAYED)):
        if keys.delayed_until(key) > now:
            break
        try:
            task = pending.get(night.store, keys.task_id_of(key))
        except Damaged:  # the status tells of it; when it is whole again, so is its time
            continue
        if task is not None:
            publish([Message.of("ingest", task)])
        night.store.delete(key)


def note_release(store: Store, run_date: str, worker: str, seconds: float) -> None:
    """Note how long after close a worker held no model any more."""
    note = {"worker": worker, "seconds": round(seconds, 1), "at": datetime.now(UTC)}
    store.put(keys.night(run_date, f"released-{worker}"), msgspec.json.encode(note))
