"""Receipts: the immutable proof of what was accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from pipeline.errors import RunError
from pipeline.models import Task, from_json
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_RECEIPT = (
    "task_id",
    "sha256",
    "size",
    "task_type",
    "media_type",
    "priority",
    "tenant",
    "callback_url",
    "metadata",
)


def write(store: Store, run_date: str, tasks: Sequence[Task]) -> None:
    """Store the immutable proof of what was accepted, one JSON line per task.

    A line decodes to the `Task`, so that a lost one can be restored. The key is the hash of the content, so the same
    batch is the same object.
    """
    lines = b"\n".join(
        msgspec.json.encode(
            {"source": public_source(t.source)}
            | {n: getattr(t, n) for n in _RECEIPT}
            | ({"refused": t.refused} if t.refused else {})
        )
        for t in sorted(tasks, key=lambda t: t.task_id)
    )
    key = keys.receipt(run_date, hashlib.sha256(lines).hexdigest()[:32])
    if tasks and not store.exists(key):
        store.put(key, lines + b"\n")


def received(store: Store, run_date: str) -> dict[str, list[Task]]:
    """What was received on a run date, by task id: one `Task` per receipt. Raises `RunError` for a damaged one."""
    found: dict[str, list[Task]] = {}
    for lines in in_threads(lambda key: _lines(store, key), store.list(keys.receipts(run_date))):
        for task in lines:
            found.setdefault(task.task_id, []).append(task)
    return {task_id: _accepted(tasks) for task_id, tasks in found.items()}


def _accepted(tasks: list[Task]) -> list[Task]:
    """Without those that were refused, if one under the same id was accepted: it has taken their place."""
    return [task for task in tasks if not task.refused] or tasks


def _lines(store: Store, key: str) -> list[Task]:
    try:
        return [from_json(line, Task) for line in store.get(key).splitlines()]
    except msgspec.DecodeError as error:
        raise RunError(f"The receipt {key} is damaged ({error}): restore it from a backup.") from error
