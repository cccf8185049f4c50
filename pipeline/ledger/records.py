"""pending -> done | failed: what was accepted, and that each of it ends.

Accepting stores the bytes, then a pending marker; finishing stores the result, then removes the
marker. A crash between two of these is mended by doing the step again: all of them are idempotent.
Receipts are written once a batch and never touched again, so that what was received can be proven.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath

import msgspec

from pipeline import __version__
from pipeline.errors import Damaged, NotFound, PipelineError
from pipeline.models import DocumentResult, Failure, T, Task, from_json, to_json
from pipeline.remote.urls import shown
from pipeline.storage import Store, keys


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def public_source(source: str) -> str:
    """A source as results may tell it: the query of a signed URL is a secret."""
    return shown(source) if source.startswith(("http://", "https://")) else source


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


def read(store: Store, key: str, kind: type[T]) -> T:
    """One JSON object; raises `NotFound`, or `Damaged` when it can't be read."""
    try:
        return from_json(store.get(key), kind)
    except msgspec.DecodeError as error:
        raise Damaged(
            f"The object {key} in {store.url} is damaged ({error}): restore it from a backup, or delete it and "
            "give `nightshift audit RUN_DATE --repair`."
        ) from error


def mark(store: Store, task: Task) -> None:
    """Write or replace the pending marker: from now on the task must end in results or failed."""
    store.put(keys.pending(task.task_id), to_json(task))


def update(store: Store, task: Task) -> None:
    """Replace the marker of a task, unless a message beside this one has ended it meanwhile."""
    if store.exists(keys.pending(task.task_id)):
        mark(store, task)


def pending(store: Store, task_id: str) -> Task | None:
    """The marker of a task under way, `None` when it has ended or was never accepted; raises `Damaged`."""
    try:
        return read(store, keys.pending(task_id), Task)
    except NotFound:
        return None


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


def write_receipt(store: Store, run_date: str, tasks: Sequence[Task]) -> None:
    """Leave the immutable proof of what was accepted, one JSON line a task.

    A line reads as the `Task` it was, so that a lost one can be taken up again. The key is the hash of the
    content, so the same batch leaves the same object.
    """
    lines = b"\n".join(
        msgspec.json.encode({"source": public_source(t.source)} | {n: getattr(t, n) for n in _RECEIPT})
        for t in sorted(tasks, key=lambda t: t.task_id)
    )
    key = keys.receipt(run_date, hashlib.sha256(lines).hexdigest()[:32])
    if tasks and not store.exists(key):
        store.put(key, lines + b"\n")


def ended(store: Store, run_date: str, task_id: str) -> DocumentResult | None:
    """The record this task already has for this run date, done or failed."""
    for key in (keys.result(run_date, task_id), keys.failed(run_date, task_id)):
        try:
            return from_json(store.get(key), DocumentResult)
        except (NotFound, msgspec.DecodeError):
            # A record that an older or newer version wrote is made anew.
            continue
    return None


def finish(store: Store, result: DocumentResult, *, late: bool = False) -> None:
    """Store the record of a finished task, take away a contrary older one, then the pending marker.

    `late`: its night is over, so that nobody looks there for new records unless told.

    A task that was done already and failed to be read anew keeps its good result: its failure is filed apart.
    """
    again = keys.failed_again(result.run_date, result.task_id)
    good, bad = keys.result(result.run_date, result.task_id), keys.failed(result.run_date, result.task_id)
    if result.reprocess and result.status == "failed":
        store.put(again, to_json(result))
    else:
        written, stale = (good, bad) if result.status == "done" else (bad, good)
        store.put(written, to_json(result))
        if result.reprocess or late:
            store.put(keys.changed(result.run_date, result.task_id, result.done_at), b"")
        if result.reprocess:
            store.delete(again)
        store.delete(stale)
    store.delete(keys.pending(result.task_id))


def take_back(store: Store, record: DocumentResult) -> None:
    """A failure is tried anew: its record goes, and what is owed or due because of it; its night's tables follow.

    A newer failure under the same key stays: the new try may have ended already.
    """
    key = keys.failed(record.run_date, record.task_id)
    with suppress(NotFound, Damaged):
        if read(store, key, DocumentResult).done_at != record.done_at:
            return
    store.put(keys.changed(record.run_date, record.task_id, record.done_at), b"")
    store.delete(key)
    store.put(
        keys.changed(record.run_date, record.task_id, now()), b""
    )  # a summary may have taken the first one
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
    """Record that a task failed for good, with its reason; returns the record.

    It says `reprocess` only where there is a good result to keep.
    """
    result = DocumentResult(
        task_id=task.task_id,
        sha256=task.sha256,
        source=public_source(task.source),
        status="failed",
        run_date=run_date,
        task_type=task.task_type,
        media_type=task.media_type,
        error=Failure(code=error.code, message=error.message),
        settings_digest=settings_digest,
        attempts=task.attempts + 1,
        priority=task.priority,
        callback_url=task.callback_url,
        trace_id=task.trace_id,
        tenant=task.tenant,
        metadata=task.metadata,
        first_seen=task.submitted_at,
        done_at=now(),
        pipeline_version=__version__,
        overrides=task.overrides,
        reprocess=task.reprocess and store.exists(keys.result(run_date, task.task_id)),
    )
    finish(store, result, late=late)
    return result
