"""What is left of documents that were forgotten: tombstones, which name no task, and what they prevent.

A process that was paused may finish a document after it was forgotten. So finishing looks for a tombstone after it has
written a record, and takes it back. A tombstone is about the submissions that there were, by their times (`seen`): the
same id that is submitted again afterwards is a new task.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal
from weakref import WeakKeyDictionary, WeakSet

import msgspec

from pipeline.errors import NotFound
from pipeline.ledger import pseudonyms, redaction, restoring
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


def is_forgotten(store: Store, task_id: str, since: str, receipt: str = "", *, fresh: bool = True) -> bool:
    """Whether the submission of this id at this time (`Task.submitted_at`), with this receipt, was forgotten.

    Without `fresh`, a store in which nothing was forgotten is asked once a minute only.
    """
    return _stone(store, task_id, since, receipt, fresh=fresh) is not None


def _stone(store: Store, task_id: str, since: str, receipt: str, *, fresh: bool = True) -> Tombstone | None:
    """The tombstone of this submission.

    One that had neither marker nor record yet, as its refusal was paused, is not in it: its receipt is rewritten.
    """
    if not since or not _has_any(store, fresh=fresh):
        return None
    stones = list(tombstones(store, task_id))
    for stone in stones:
        if since in stone.seen:
            return stone
    return stones[-1] if stones and receipt and not redaction.names(store, receipt, task_id) else None


def _has_any(store: Store, *, fresh: bool) -> bool:
    """Whether anything was ever forgotten in a store."""
    now = time.monotonic()
    if not (fresh or now - _none.get(store, now - _FRESH) >= _FRESH):
        return False
    if store not in _some:
        if not store.exists(keys.control("forgotten")):
            _none[store] = now
            return False
        _some.add(store)
    return True


def sweeper(store: Store) -> Callable[[DocumentResult], bool]:
    """Takes back a record if its task was forgotten, and says so: for who reads all records of a night.

    Tombstones are listed once. A process that was paused for days may have written the record and died before it could
    take it back, and its message was handled long before.
    """
    if not _has_any(store, fresh=True):
        return lambda _: False
    named = {keys.pseudonym_of(key) for key in store.list(keys.TOMBSTONES)}
    key = pseudonyms.key_of(store)

    def sweep(record: DocumentResult) -> bool:
        known = pseudonyms.pseudonym(key, record.task_id) in named
        return known and take_back(store, record, fresh=True)

    return sweep


def tombstones(store: Store, name: str) -> Iterator[Tombstone]:
    """All tombstones of one task id, or one SHA-256."""
    for key in store.list(keys.tombstones_of(pseudonyms.of(store, name))):
        if stone := read_or_none(store, key, Tombstone):
            yield stone


def since_of(store: Store, key: str) -> str | None:
    """When what is under the key of a record or marker was submitted; `None` if that is not known."""
    found = read_or_none(store, key, _Stamped)
    return (found.since or None) if found else None


def marker(store: Store, result: DocumentResult) -> Literal["own", "none", "other"]:
    """Whether the marker of a task that has ended is there, or that of another one under the same id."""
    found = read_or_none(store, keys.pending(result.task_id, result.generation), _Stamped)
    if found is None:
        return "none"
    return "own" if found.since == result.first_seen else "other"


def take_back(store: Store, result: DocumentResult, *, fresh: bool) -> bool:
    """Delete a record that was written after its task was forgotten, its marker, and its line in a receipt.

    Where the id was submitted again, the new task keeps what it has. Returns whether it was forgotten.
    """
    task_id, run_date = result.task_id, result.run_date
    if not is_forgotten(store, task_id, result.first_seen, result.receipt, fresh=fresh):
        return False
    take_back_receipt(store, task_id, result.first_seen, result.receipt)
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
    if restoring.accepted_on(store, task_id):
        restoring.renew(store, task_id)
        return True
    store.delete(keys.callback(run_date, task_id, result.generation))
    for key in list(store.list(keys.changes(run_date))):
        if keys.changed_task(key) == task_id:
            store.delete(key)
    return True


def take_back_receipt(store: Store, task_id: str, since: str, receipt: str) -> None:
    """Forget the line of a receipt that a paused process wrote after the task was forgotten.

    Not where the id was submitted again since: the receipt of the new task may be the same object.
    """
    stone = _stone(store, task_id, since, receipt) if receipt else None
    if stone is None or restoring.accepted_on(store, task_id):
        return
    names = {task_id: pseudonyms.of(store, task_id)}
    with suppress(NotFound):  # which the audit reports
        redaction.rewrite(store, receipt, names, at=stone.at, actor=stone.actor, run=stone.run)
        store.purge(receipt)


def withdraw(store: Store, task: Task, *, fresh: bool = True) -> bool:
    """Delete the marker of a task that was marked again after it was forgotten; whether it was."""
    if not is_forgotten(store, task.task_id, task.submitted_at, task.receipt, fresh=fresh):
        return False
    store.delete(keys.pending(task.task_id, task.generation))
    if task.generation:
        store.delete(keys.generation(task.task_id, task.generation))
    return True
