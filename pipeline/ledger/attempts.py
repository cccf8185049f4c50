"""How often a step is attempted and retried: all rules are here.

**Attempts** are steps that were begun and never ended by themselves: they crashed or hung their worker. A document is
abandoned as poison after NIGHTSHIFT_MAX_ATTEMPTS of them without progress in between (`following`, `poison`). In the
night they are counted by message (`counted`): one that a broker delivers again after its worker died is the same
message, while a second one for the same step (from `audit --repair`, or a producer that repeats itself) is no further
attempt. What is abandoned is the page that was being read, up to `MAX_SKIPPED_PAGES` of them, else the document.
Nothing is written for a message that the broker delivers for the first time: most of them end well, and a
night has no time for the store. One that it delivers again is assumed to have been begun before, though it may only
have waited in the worker that died.

**Retries** are failures in an orderly way that may pass: NIGHTSHIFT_MAX_RETRIES of them (`may_retry`). Outages, such as
a store that is unavailable, use up none of them: such a message waits for as long as it takes.

**Restarts**: a task whose pages are not found under the settings in force goes back to its first step, at most
`MAX_RESTARTS` times. `nightshift run`, which has no broker to wait in, asks an unavailable store `STORE_ATTEMPTS`
times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from pipeline import guard
from pipeline.errors import PermanentError, Poison
from pipeline.messages import Message
from pipeline.models import Failure, to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

MAX_RESTARTS = 3
"""Times that a task goes back to its first step, before the workers' settings are taken to disagree."""

MAX_SKIPPED_PAGES = 3
"""Pages of one document that may be given up for crashing or hanging a worker, before the document is."""

STORE_ATTEMPTS = 5
"""Times that `nightshift run` asks an unavailable store for one job before the run ends."""


class Attempts(msgspec.Struct, frozen=True):
    """How often a step was begun and not ended, and how many pages it had when it last was.

    `fatal`: why the document ended the process, where another attempt would end likewise.
    """

    count: int = 0
    progress: int = 0
    fatal: Failure | None = None


def following(last: Attempts, progress: int) -> Attempts:
    """The next attempt: counted from 1 again where the last one got further than the one before it."""
    return Attempts(1 if progress > last.progress else last.count + 1, progress)


def poison(what: str, first: int, last: int, attempts: int, advice: str) -> Poison:
    """The error for a document that `what` (crashed or hung its worker) at each attempt; pages 0 mean all."""
    where = f" on pages {first} to {last}" if first else ""
    return Poison(
        f"The document {what}{where} at each of {attempts} attempts; inspect it manually, or {advice}."
    )


def may_retry(message: Message, max_retries: int) -> bool:
    """Whether a step that failed in an orderly way is tried again."""
    return retries_of(message) < max_retries


def retries_of(message: Message) -> int:
    """How many retries a message has used up: outages are none."""
    return message.retries - message.outages


@contextmanager
def counted(store: Store, message: Message, limit: int, progress: Callable[[], int]) -> Iterator[None]:
    """Count an attempt before the work inside starts; when that ends by itself, well or not, it did no harm.

    `progress()` is asked only when there was an attempt before. Raises `Poison` over the limit, and at once the reason
    that an attempt before left behind.
    """
    key = keys.attempts(message.task_id, message.step, message.id)

    def note(reason: PermanentError) -> None:
        store.put(key, to_json(Attempts(fatal=Failure(code=reason.code, message=reason.message))))

    with guard.giving_up(note):
        if message.redelivered:
            with _counted(store, message, key, limit, progress):
                yield
        else:
            yield


@contextmanager
def _counted(
    store: Store, message: Message, key: str, limit: int, progress: Callable[[], int]
) -> Iterator[None]:
    last = read_or_none(store, key, Attempts)
    if last and last.fatal:
        raise PermanentError(last.fatal.message, code=last.fatal.code)
    # without a note there was one before: the first delivery
    this = following(last, progress()) if last else Attempts(min(2, limit), progress())
    store.put(key, to_json(this))
    if this.count > limit:
        raise poison(
            f"crashed or hung its worker in step {message.step}",
            message.first,
            message.last,
            limit,
            "redrive it with other settings",
        )
    try:
        yield
    except Exception:  # unlike the death of a process
        store.delete(key)
        raise
    store.delete(key)


def drop(store: Store, message: Message) -> None:
    """Drop the count of a message whose task has ended: nobody else does."""
    store.delete(keys.attempts(message.task_id, message.step, message.id))


def forget(store: Store, task_id: str) -> None:
    """Count from the beginning again, or not any more."""
    for key in list(store.list(keys.attempts_of(task_id))):
        store.delete(key)
