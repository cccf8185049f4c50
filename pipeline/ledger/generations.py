"""Generations of a task: as it was accepted (0), and once more for each redrive and each reprocessing.

Each has a marker of its own, so a process that was paused in an older one can't touch what a newer one does. A note of
a generation, with its task, is written before its marker and never removed: it is how the last check of an older one
finds out that it has been superseded.
"""

from __future__ import annotations

from pipeline.models import Task, to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none


def note(store: Store, task: Task) -> None:
    """Note that this generation of a task exists; the first needs no note."""
    if task.generation:
        store.put(keys.generation(task.task_id, task.generation), to_json(task))


def begin(store: Store, task: Task) -> bool:
    """Note this generation unless another submission has begun it; whether it is this one's.

    Of two that take the place of the same record at the same moment, one begins. A task whose origin is not known is
    taken for another one.
    """
    if store.put_new(keys.generation(task.task_id, task.generation), to_json(task)):
        return True
    begun = task_of(store, task.task_id, task.generation)
    return begun is not None and begun.origin == task.origin


def superseded(store: Store, task_id: str, generation: int) -> bool:
    """Whether there is a later generation: they are numbered without gaps."""
    return store.exists(keys.generation(task_id, generation + 1))


def latest(store: Store, task_id: str) -> int:
    """The latest generation of a task."""
    return max(map(number_in, store.list(keys.claims(task_id))), default=0)


def number_in(key: str) -> int:
    """Generation that a key under `keys.claims` notes; 0 for a claim."""
    return 0 if keys.origin_of(key) else keys.generation_of(key)


def task_of(store: Store, task_id: str, generation: int) -> Task | None:
    """The task of a generation as it began."""
    return read_or_none(store, keys.generation(task_id, generation), Task)
