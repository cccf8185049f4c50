"""Which messages ask for a task's work: its first step, or the one it has reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal

from pipeline.errors import Damaged, Newer
from pipeline.ledger import forgotten, pending
from pipeline.messages import Message
from pipeline.models import TEXT, Task
from pipeline.night.night import Night
from pipeline.steps.task_types import after
from pipeline.storage import keys
from pipeline.threads import in_threads


def begin(task: Task, spread_pages: int) -> list[Message]:
    """Messages of the first step after ingest; a document of more than `spread_pages` spreads over workers."""
    step = after(task.task_type, "ingest")
    if step != "ocr" or task.pages <= spread_pages:
        return [Message.of(step, task)]
    return [
        Message.of(step, task, first, min(first + spread_pages - 1, task.pages))
        for first in range(1, task.pages + 1, spread_pages)
    ]


def resume(task: Task, spread_pages: int) -> list[Message]:
    """Messages that take a task up again; steps that are done are found in the store and skipped."""
    # a text has its type and bytes from the start; ingest finds out whether it repeats another, or exceeds a quota
    unseen = not task.ingested_by and (task.alias_of or (task.media_type == TEXT and not task.reprocess))
    if task.media_type is None or task.sha256 is None or task.not_before or unseen:
        return [Message.of("ingest", task)]
    return begin(task, spread_pages)


def resume_all(night: Night) -> Iterator[Message]:
    """Messages for every pending task, from the step it has reached; delayed ones stay delayed."""
    tasks = waiting_tasks(night)
    return chain.from_iterable(resume(task, night.settings.spread_pages) for task in tasks)


def waiting_tasks(night: Night, see: Callable[[Task | None], None] = lambda _: None) -> Iterator[Task]:
    """Every pending task, each shown to `see` on the way; also a damaged marker, as `None`.

    A damaged marker is skipped, and one of a later version: status and audit report it, a message would only run into
    it.
    """
    for one in in_threads(lambda key: _task(night, key), night.store.list(keys.PENDING)):
        if isinstance(one, Task):
            see(one)
            yield one
        elif one == "damaged":
            see(None)


def _task(night: Night, key: str) -> Task | Literal["gone", "damaged"]:
    """What is under the key of a marker."""
    try:
        task = pending.get(night.store, keys.task_id_of(key), keys.generation_of(key))
    except (Damaged, Newer):
        return "damaged"
    # a process that was paused may have marked it again
    return "gone" if task is None or forgotten.withdraw(night.store, task, fresh=False) else task
