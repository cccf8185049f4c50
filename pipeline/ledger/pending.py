"""Pending markers: what is accepted and has not ended."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from pipeline.errors import NotFound
from pipeline.models import Task, to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read


def task_id_for(source: str, sha256: str | None) -> str:
    """Task id of a document that came without one: its file name for people, a hash for uniqueness.

    The same source with the same bytes is the same task; with other bytes it is another.
    """
    name = PurePosixPath(source.rsplit("!", 1)[-1].replace("\\", "/")).name
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:48].strip("_")
    digest = hashlib.sha256(f"{source}\0{sha256}".encode()).hexdigest()[:12]
    return f"{plain or 'document'}-{digest}"


def store_document(store: Store, data: bytes) -> str:
    """Store the original bytes under their hash, once; returns the sha256."""
    sha256 = hashlib.sha256(data).hexdigest()
    key = keys.document(sha256)
    if not store.exists(key):
        store.put(key, data)
    return sha256


def mark(store: Store, task: Task) -> None:
    """Write or replace the pending marker: from now on the task must end in results or failed."""
    store.put(keys.pending(task.task_id), to_json(task))


def update(store: Store, task: Task) -> None:
    """Replace the marker of a task, unless a message beside this one has ended it meanwhile."""
    if store.exists(keys.pending(task.task_id)):
        mark(store, task)


def get(store: Store, task_id: str) -> Task | None:
    """The marker of a task under way, `None` when it has ended or was never accepted; raises `Damaged`."""
    try:
        return read(store, keys.pending(task_id), Task)
    except NotFound:
        return None
