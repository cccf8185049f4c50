"""Attempts: steps that were begun and never ended, so that a document that kills its worker is given up.

They are counted by message: one that a broker delivers again after its worker died is the same message, while a
second one for the same step (from `audit --repair`, or a producer that repeats itself) is no further attempt.
Nothing is written for a message that the broker delivers for the first time: most of them end well, and a night
has no time for the store. One that it delivers again is taken to have been begun before, though it may only have
waited in the worker that died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from pipeline.errors import Poison
from pipeline.messages import Message
from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


class Attempts(msgspec.Struct, frozen=True):
    """How often a step was begun and not ended, and where it stood when it last was."""

    count: int
    progress: int


@contextmanager
def counted(store: Store, order: Message, limit: int, progress: Callable[[], int]) -> Iterator[None]:
    """Count an attempt before the work inside starts; when that ends by itself, well or not, it did no harm.

    The count starts anew when the last attempt got further than the one before it; `progress()` is asked only
    when there was an attempt before. Raises `Poison` over the limit.
    """
    if not order.redelivered:
        yield
        return
    key = keys.attempts(order.task_id, order.step, order.id)
    if _begin(store, key, limit, progress) > limit:
        where = f" on pages {order.first} to {order.last}" if order.first else ""
        raise Poison(
            f"The document killed or hung its worker in step {order.step}{where} at each of {limit} tries; "
            "look at it by hand, or redrive it with other settings."
        )
    try:
        yield
    except Exception:  # unlike the death of a process
        store.delete(key)
        raise
    store.delete(key)


def _begin(store: Store, key: str, limit: int, progress: Callable[[], int]) -> int:
    last, reached = read_or_none(store, key, Attempts), progress()
    if last is None:
        this = Attempts(min(2, limit), reached)  # it gets one try that is surely its own
    else:
        this = Attempts(1 if reached > last.progress else last.count + 1, reached)
    store.put(key, to_json(this))
    return this.count


def forget(store: Store, task_id: str) -> None:
    """Count anew, or not any more."""
    for key in list(store.list(keys.attempts_of(task_id))):
        store.delete(key)
