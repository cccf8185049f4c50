"""Checks that are not made at each tick: noted in the store, so that the next tick does not make them too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec

from pipeline import clock
from pipeline.models import to_json
from pipeline.storage import Store
from pipeline.storage.objects import read_or_none

CHECK_PERIOD = timedelta(hours=1)
"""Between two repairs, and between two checks for overdue callbacks."""

_LEASE = timedelta(minutes=30)  # longer than a tick may run


class Checked(msgspec.Struct, frozen=True):
    """When a check was last made (`done`) or begun."""

    at: datetime
    done: bool = True


@contextmanager
def claimed(store: Store, key: str, now: datetime) -> Iterator[None]:
    """Note a check before it is made, so that the next tick does not make it too; one that fails is made again."""
    store.put(key, to_json(Checked(now, done=False)))
    try:
        yield
    except Exception:
        store.delete(key)
        raise
    store.put(key, to_json(Checked(now)))


def last_made(store: Store, key: str, now: datetime) -> datetime | None:
    """When a check was last made; one that was begun and never ended, as its process died, counts for `_LEASE` only.

    `None` also for a stamp of a clock that was ahead.
    """
    last = read_or_none(store, key, Checked)
    age = clock.age(last.at, now) if last else None
    if last is None or age is None:
        return None
    return last.at if last.done or age < _LEASE else None
