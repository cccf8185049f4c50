"""Notes of retries that are due: which step of a task failed, why, and when its message comes back.

A broker does not say when a message that waits there is due. So it is noted next to the attempts, for an operator who
asks (`nightshift why`), and removed when the step has succeeded. Nothing depends on a note: one that cannot be written
is left out, and a store that is unavailable is not asked at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from pipeline import clock
from pipeline.errors import PipelineError, StoreUnavailable
from pipeline.messages import Message
from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a task that failed at `at` and is due again at `due` (UTC).

    `count`: retries that it has used up, this one included; 0 while only outages delayed it, which use up none.
    """

    step: str
    code: str
    message: str
    at: datetime
    due: datetime
    count: int = 0
    first: int = 0


def note(store: Store, message: Message, error: PipelineError, seconds: float, *, outage: bool) -> None:
    """Note that the message of a step was published to come back after so many seconds.

    Where the task ended, or was forgotten, meanwhile, nothing is left.
    """
    if isinstance(error, StoreUnavailable):
        return
    now = clock.utc()
    found = Retry(
        step=message.step,
        code=error.code,
        message=error.message,
        at=now,
        due=now + timedelta(seconds=seconds),
        count=message.retries - message.outages + (not outage),
        first=message.first,
    )
    key = _key(message)
    with suppress(PipelineError):
        store.put(key, to_json(found))
        if not store.exists(_waits_for(message)):
            store.delete(key)


def drop(store: Store, message: Message) -> None:
    """Remove the note of a message that was retried, as its step has ended; the first delivery has none."""
    if message.retries:
        with suppress(PipelineError):
            store.delete(_key(message))


def of_task(store: Store, task_id: str) -> Iterator[Retry]:
    """The retries that are noted of a task, also those that were due in the past."""
    for key in store.list(keys.retries_of(task_id)):
        if found := read_or_none(store, key, Retry):
            yield found


def _key(message: Message) -> str:
    return keys.retry(message.task_id, message.step, message.first)


def _waits_for(message: Message) -> str:
    """What is in the store for as long as the message has something to do."""
    if message.step == "callback":
        return keys.callback(message.run_date, message.task_id, message.generation)
    return keys.pending(message.task_id, message.generation)
