"""What is left of documents that were forgotten: tombstones, which name no task, and what they prevent.

A process that was paused may finish a document after it was forgotten. So finishing looks for a tombstone after it has
written a record, and takes it back. A tombstone is about the submissions that there were, by their times (`seen`): the
same id that is submitted again afterwards is a new task.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary, WeakSet

import msgspec

from pipeline.ledger import pseudonyms
from pipeline.models import DocumentResult, Task, to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_FRESH = 60.0  # seconds for which "nothing was ever forgotten here" is believed


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """One task that was forgotten: when (UTC), by whom, in which run; `seen`: the times at which it was submitted."""

    at: str
    actor: str
    run: str
    seen: tuple[str, ...] = ()


class _Stamped(msgspec.Struct, frozen=True):
    """When a record or marker was submitted: `submitted_at` of a task, `first_seen` of a record."""

    submitted_at: str = ""
    first_seen: str = ""

    @property
    def since(self) -> str:
        return self.submitted_at or self.first_seen


_none: WeakKeyDictionary[Store, float] = WeakKeyDictionary()
"""By store: when nothing had been forgotten there yet, by the monotonic clock."""
_some: WeakSet[Store] = WeakSet()
"""Stores in which something was forgotten."""


def bury(store: Store, name: str, tombstone: Tombstone) -> None:
    """Leave a tombstone under a task id, or the SHA-256 of a document."""
    store.put(keys.tombstone(pseudonyms.of(store, name), tombstone.run), to_json(tombstone))


def stamp(store: Store, text: str) -> None:
    """Note that something is being or was forgotten: who read records before must read them again."""
    store.put(keys.control("forgotten"), text.encode())


def last_stamp(store: Store) -> bytes:
    """The latest note, empty where nothing was ever forgotten."""
    key = keys.control("forgotten")
    return store.get(key) if store.exists(key) else b""


def is_forgotten(store: Store, task_id: str, since: str, *, fresh: bool = True) -> bool:
    """Whether the submission of this id at this time (`Task.submitted_at`) was forgotten.

    Without `fresh`, a store in which nothing was forgotten is asked once a minute only.
    """
    now = time.monotonic()
    if not since or not (fresh or now - _none.get(store, now - _FRESH) >= _FRESH):
        return False
    if store not in _some:
        if not store.exists(keys.control("forgotten")):
            _none[store] = now
            return False
        _some.add(store)
    return any(since in stone.seen for stone in tombstones(store, task_id))


def tombstones(store: Store, name: str) -> Iterator[Tombstone]:
    """All tombstones of one task id, or one SHA-256."""
    for key in store.list(keys.tombstones_of(pseudonyms.of(store, name))):
        if stone := read_or_none(store, key, Tombstone):
            yield stone


def since_of(store: Store, key: str) -> str | None:
    """When what is under the key of a record or marker was submitted; `None` if that is not known."""
    found = read_or_none(store, key, _Stamped)
    return (found.since or None) if found else None


def take_back(store: Store, result: DocumentResult, *, fresh: bool) -> bool:
    """Delete a record that was written after its task was forgotten, and its marker; whether it was forgotten."""
    task_id, run_date = result.task_id, result.run_date
    if not is_forgotten(store, task_id, result.first_seen, fresh=fresh):
        return False
    written = (
        keys.result(run_date, task_id),
        keys.partial(run_date, task_id),
        keys.failed(run_date, task_id, result.generation),
        keys.failed_again(run_date, task_id),
        keys.pending(task_id, result.generation),
    )
    for key in written:  # the same id may have been submitted again
        if since_of(store, key) == result.first_seen:
            store.delete(key)
    store.delete(keys.callback(run_date, task_id, result.generation))
    for key in list(store.list(keys.changes(run_date))):
        if keys.changed_task(key) == task_id:
            store.delete(key)
    return True


def withdraw(store: Store, task: Task, *, fresh: bool = True) -> bool:
    """Delete the marker of a task that was marked again after it was forgotten; whether it was."""
    if not is_forgotten(store, task.task_id, task.submitted_at, fresh=fresh):
        return False
    store.delete(keys.pending(task.task_id, task.generation))
    if task.generation:
        store.delete(keys.generation(task.task_id, task.generation))
    return True
