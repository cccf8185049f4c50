"""Marking tasks as pending again by their receipts, where nothing else is left of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from pipeline import clock
from pipeline.ledger import (
    claims,
    counting,
    ends,
    forgetting,
    generations,
    pending,
    places,
    receipts,
    redaction,
)
from pipeline.models import Task
from pipeline.storage import Store, keys


def mark(store: Store, task: Task, run_date: str) -> Task | None:
    """Mark a task of a receipt of this run date if its bytes are in the store or may be fetched again.

    One that was refused is marked in any case: its first step refuses it again.
    """
    sha256 = task.sha256 or next(iter(claims.contents(store, task.task_id)), None)
    kept = bool(sha256 and store.exists(keys.document(sha256)))
    if not (kept or task.refused or _can_be_fetched(store, task)):
        return None
    task = structs.replace(
        task,
        sha256=sha256 if kept else None,
        origin=claims.only(store, task.task_id),
        submitted_at=clock.now(),
        generation=generations.latest(store, task.task_id),
        accepted_on=run_date,
    )
    pending.mark(store, task)
    counting.of(store).accepted(task)
    # the tables may still have what was lost
    store.put(keys.changed(run_date, task.task_id, task.submitted_at), b"")
    return task


def _can_be_fetched(store: Store, task: Task) -> bool:
    """Whether a receipt names the whole source of a task; the query of a web address is not in it.

    Claims say so too, unless they were deleted: by a process that forgot another task under the id, and was paused.
    """
    if not task.source.startswith(("file://", "s3://")):
        return False
    return claims.names_source(store, task.task_id, task.source) or not claims.origins(store, task.task_id)


def still_received(store: Store, restored: Sequence[Task], run_date: str) -> list[Task]:
    """Those of the marked tasks that were not forgotten meanwhile; the markers of the others are deleted."""
    kept = []
    for task in restored:
        if redaction.names(store, task.receipt, task.task_id):
            kept.append(task)
            continue
        store.delete(keys.pending(task.task_id, task.generation))
        counting.of(store).gone(task)
        store.delete(keys.changed(run_date, task.task_id, task.submitted_at))
    return kept


def accepted_on(store: Store, task_id: str) -> list[str]:
    """The run dates on which an id was claimed: none for one that was forgotten and not submitted again.

    While it is being forgotten, these may be those of the submission that is.
    """
    claimed = (key for key in store.list(keys.claims(task_id)) if keys.origin_of(key))
    return sorted({on for key in claimed if (on := keys.taken_on(key))})


def renew(store: Store, task_id: str) -> None:
    """Mark a task that was submitted again after it was forgotten, if a paused process has replaced all it had.

    The process of the forgotten submission has its marker and its record under the same keys. While it is being
    forgotten, nothing tells the two apart: then this is done at the end of that.
    """
    claimed = accepted_on(store, task_id)
    if not claimed or task_id in forgetting.task_ids(store, stage="planned"):
        return
    for run_date in claimed:
        tasks = receipts.received(store, run_date).get(task_id)
        if not tasks or tasks[-1].refused:
            continue
        numbers = range(generations.latest(store, task_id) + 1)
        if any(store.exists(keys.pending(task_id, number)) for number in numbers):
            return
        if any(ends.found(store, task_id, places.nights(store, run_date), numbers)):
            return
        if task := mark(store, tasks[-1], run_date):
            still_received(store, [task], run_date)
        return
