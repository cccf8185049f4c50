"""Pending markers: the tasks that are accepted and have not ended."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import PurePosixPath

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import generations
from pipeline.models import DocumentResult, Task, from_json, to_json
from pipeline.storage import Store, keys, recent
from pipeline.storage.objects import read


def task_id_for(source: str, sha256: str | None, *, named: bool = True) -> str:
    """Task id of a document submitted without one: its file name for readability, a hash for uniqueness.

    The same source with the same bytes is the same task; with other bytes it is another one. `named`: without, the
    file name, which may be that of a person, is no part of it.
    """
    name = PurePosixPath(source.rsplit("!", 1)[-1].replace("\\", "/")).name if named else ""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:48].strip("_")
    digest = hashlib.sha256(f"{source}\0{sha256}".encode()).hexdigest()[:12]
    return f"{plain or 'document'}-{digest}"


def store_document(store: Store, data: bytes) -> str:
    """Store the original bytes under their hash, unless they are there already; returns the SHA-256 (hex)."""
    return store_bytes(store, data)[0]


def store_bytes(store: Store, data: bytes) -> tuple[str, bool]:
    """As `store_document`; also returns whether they were there: then call it again once the task is marked.

    They may be deleted with the last other task that has them, until this one has a marker.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    key = keys.document(sha256)
    new = store.put_new(key, data)
    recent.keep(store, key, data)
    return sha256, not new


def document(store: Store, sha256: str) -> bytes:
    """The original bytes of a document; raises `NotFound`, or `Damaged` if they are not those that were stored."""
    key = keys.document(sha256)
    if (known := recent.get(store, key)) is not None and hashlib.sha256(known).hexdigest() == sha256:
        return known
    data = store.get(key)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Damaged(
            f"{keys.document(sha256)} in {store.url} does not hold the bytes that were received: restore it from a "
            "backup, or delete it and submit the document again."
        )
    return data


def mark(store: Store, task: Task) -> None:
    """Write or replace the pending marker: from now on the task must end in a result or a failure."""
    key, data = keys.pending(task.task_id, task.generation), to_json(task)
    recent.drop(store, key)  # before: nobody must take it for the latest
    store.put(key, data)
    recent.keep(store, key, data)


def mark_first(store: Store, task: Task) -> bool:
    """Write the marker of a new task, unless there is one under its id; whether it was written."""
    key, data = keys.pending(task.task_id, task.generation), to_json(task)
    if not store.put_new(key, data):
        return False
    recent.keep(store, key, data)
    return True


def mark_next(store: Store, task: Task) -> None:
    """Mark a new generation of a task that has ended."""
    generations.note(store, task)
    mark(store, task)


def update(store: Store, task: Task) -> bool:
    """Replace the marker of a task, unless a duplicate message has ended the task meanwhile; whether it was there."""
    if not store.exists(keys.pending(task.task_id, task.generation)):
        return False
    mark(store, task)
    return True


def get(store: Store, task_id: str, generation: int = 0) -> Task | None:
    """The marker of an unfinished task, `None` if it has ended or was never accepted; raises `Damaged`."""
    key = keys.pending(task_id, generation)
    try:
        task = read(store, key, Task)
    except NotFound:
        recent.drop(store, key)
        return None
    if task.task_id != task_id:
        raise Damaged(
            f"{key} in {store.url} is the marker of {task.task_id}: restore it from a backup, or delete it and run "
            "`nightshift audit RUN_DATE --repair`."
        )
    return task


def keep(store: Store, task: Task) -> None:
    """Have the processes of this host find a marker that was just read."""
    recent.keep(store, keys.pending(task.task_id, task.generation), to_json(task))


def seen(store: Store, task_id: str, generation: int, within: float) -> Task | None:
    """The marker of an unfinished task as a process of this host has read or written it within so many seconds."""
    data = recent.get(store, keys.pending(task_id, generation), within)
    with suppress(msgspec.DecodeError):
        if data is not None and (task := from_json(data, Task)).task_id == task_id:
            return task
    return None


def newest(store: Store, task_id: str) -> Task | None:
    """The marker of a task's latest generation, `None` if that has ended; raises `Damaged`."""
    return get(store, task_id, generations.latest(store, task_id))


def newest_keys(store: Store) -> list[str]:
    """Keys of the markers of all unfinished tasks, of each its latest generation only."""
    found: dict[str, str] = {}
    for key in store.list(keys.PENDING):
        other = found.setdefault(keys.task_id_of(key), key)
        if keys.generation_of(key) > keys.generation_of(other):
            found[keys.task_id_of(key)] = key
    return list(found.values())


def follows(store: Store, record: DocumentResult) -> bool:
    """Whether the task of a record is pending again; generations are unknown to markers of older versions."""
    later = (record.generation + 1, 0) if record.generation == 0 else (record.generation + 1,)
    return any(store.exists(keys.pending(record.task_id, number)) for number in later)


def remove(store: Store, task_id: str, generation: int) -> None:
    """Delete the marker of a generation that has ended, and with it those of older ones."""
    for number in range(generation + 1):
        key = keys.pending(task_id, number)
        recent.drop(store, key)
        store.delete(key)
