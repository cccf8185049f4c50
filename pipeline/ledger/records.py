"""Records of ended tasks: pending -> done | partial | failed.

Accepting stores the bytes, then a pending marker; finishing stores the result, then removes the marker. After a crash
between two of these the step is repeated: all of them are idempotent. Receipts are written once per batch and never
changed, so that what was received can be proven.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, NotFound, PipelineError
from pipeline.ledger import digests
from pipeline.models import DocumentResult, Failure, Task
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.storage.objects import read, read_or_none
from pipeline.version import __version__


def ended(store: Store, run_date: str, task_id: str) -> DocumentResult | None:
    """The record that this task has for this run date, done or failed; `None` if it has not ended."""
    for key in (keys.result(run_date, task_id), keys.failed(run_date, task_id)):
        if record := read_or_none(store, key, DocumentResult):
            return record
    return None


def finish(store: Store, result: DocumentResult, *, late: bool = False) -> None:
    """Store the record of a finished task, delete an older failure, then delete the pending marker.

    `late`: its night is over, so its tables must be marked as changed to be written again. A failure never replaces a
    good result, however late it comes: it is stored separately. A task that is reprocessed keeps its result also
    from a new one with fewer pages.
    """
    standing = None
    if result.status == "failed" or (result.reprocess and result.status != "done"):
        standing = read_or_none(store, keys.result(result.run_date, result.task_id), DocumentResult)
    if standing and (result.status == "failed" or _unread(result) > _unread(standing)):
        _keep(store, result, standing)
    elif result.status == "failed" and result.reprocess:  # its good result was deleted by hand
        _put(store, structs.replace(result, reprocess=False), late=True)
    else:
        _put(store, result, late=late)
    marker = keys.pending(result.task_id)
    if not store.exists(marker):  # another process had ended it: the tables may have its record
        store.put(keys.changed(result.run_date, result.task_id, clock.now()), b"")
    store.delete(marker)


def _keep(store: Store, result: DocumentResult, standing: DocumentResult) -> None:
    """Store a failure, or a result of less, separately from the good result that it would replace."""
    failure = structs.replace(without_pages(result), status="failed", reprocess=True)
    store.put(keys.failed_again(result.run_date, result.task_id), digests.encode(failure))
    if standing.status != "partial":  # a note of a result that was never written
        store.delete(keys.partial(result.run_date, result.task_id))


def _put(store: Store, result: DocumentResult, *, late: bool) -> None:
    good, bad = keys.result(result.run_date, result.task_id), keys.failed(result.run_date, result.task_id)
    note = keys.partial(result.run_date, result.task_id)
    if result.status == "partial":
        store.put(note, digests.encode(without_pages(result)))
    store.put(bad if result.status == "failed" else good, digests.encode(result))
    if result.status != "partial":
        store.delete(note)
    if result.reprocess or late:
        store.put(keys.changed(result.run_date, result.task_id, result.done_at), b"")
    if result.reprocess:
        store.delete(keys.failed_again(result.run_date, result.task_id))
    if result.status != "failed":
        store.delete(bad)
    elif standing := read_or_none(store, good, DocumentResult):  # another process finished it meanwhile
        _keep(store, result, standing)
        store.delete(bad)


def _unread(result: DocumentResult) -> int:
    return sum(page.error is not None for page in result.pages)


def without_pages(result: DocumentResult) -> DocumentResult:
    """The record of a document without what was found on its pages."""
    return structs.replace(result, pages=(), entities=(), extraction=None, outputs={})


def remove_failure(store: Store, record: DocumentResult) -> None:
    """Delete the record of a failure that is redriven, and its callback; mark its night's tables as changed.

    A newer failure under the same key stays: the redriven task may have ended already.
    """
    key = keys.failed(record.run_date, record.task_id)
    with suppress(NotFound, Damaged):
        if read(store, key, DocumentResult).done_at != record.done_at:
            return
    store.put(keys.changed(record.run_date, record.task_id, record.done_at), b"")
    store.delete(key)
    store.put(
        keys.changed(record.run_date, record.task_id, clock.now()), b""
    )  # a summary may have used up the first one
    store.delete(keys.callback(record.run_date, record.task_id))
    store.delete(keys.undelivered(record.run_date, record.task_id))


def fail(
    store: Store,
    task: Task,
    error: PipelineError,
    *,
    run_date: str,
    settings_digest: str,
    late: bool = False,
) -> DocumentResult:
    """Record that a task failed permanently, with the reason; returns the record.

    Its `reprocess` is set only if there is a good result to keep.
    """
    result = DocumentResult.of(
        task,
        source=public_source(task.source),
        status="failed",
        run_date=run_date,
        media_type=task.media_type,
        error=Failure(code=error.code, message=error.message),
        settings_digest=settings_digest,
        done_at=clock.now(),
        pipeline_version=__version__,
        reprocess=store.exists(keys.result(run_date, task.task_id)),
    )
    finish(store, result, late=late or task.reprocess)
    return result
