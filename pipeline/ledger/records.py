"""Records of ended tasks: pending -> done | partial | failed.

Accepting stores the bytes, then a pending marker; finishing stores the result, then removes the marker. After a crash
between two of these the step is repeated: all of them are idempotent. Receipts are written once per batch and never
changed, so that what was received can be proven.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, NotFound, PipelineError
from pipeline.ledger import digests, discarded, ends, forgotten, generations, pending
from pipeline.ledger.ends import OWN_DATE, Dates, End
from pipeline.models import DocumentResult, Failure, Task
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.storage.objects import read, read_or_none
from pipeline.version import __version__


def ended(store: Store, run_date: str, task_id: str) -> DocumentResult | None:
    """The record that this task has for this run date, done or failed; `None` if it has not ended."""
    if record := read_or_none(store, keys.result(run_date, task_id), DocumentResult):
        return record
    for number in range(generations.latest(store, task_id), -1, -1):
        if record := read_or_none(store, keys.failed(run_date, task_id, number), DocumentResult):
            return record
    return None


def write_first(store: Store, result: DocumentResult, dates: Dates = OWN_DATE) -> bool:
    """Store a whole result under its key, where there is none; whether it was. Then `finish` it as `written`.

    Only of a task that has never ended before, and may have records under no other run date.
    """
    if result.status != "done" or result.generation or result.reprocess:
        return False
    if not dates.are_only(result.run_date):
        return False
    return store.put_new(keys.result(result.run_date, result.task_id), digests.encode(result))


def finish(
    store: Store,
    result: DocumentResult,
    dates: Dates = OWN_DATE,
    *,
    marked: bool = True,
    written: bool = False,
    ended_before: Callable[[], object] = lambda: None,
) -> End | None:
    """Store the record of a finished task, delete an older failure, then delete the pending marker.

    `marked`: it had a pending marker. `written`: by `write_first`, so that it has replaced nothing; if nobody else has
    ended the task either, little is left to do. `ended_before`: called where this record counts although another
    process had ended the task. Where its night is over, its tables are marked as changed, to be written again.
    Returns the record that counts instead, where this one does not: a failure never replaces a good result, however
    late it comes, and is stored separately where it is of a later generation. A task that is reprocessed keeps its
    result also from a new one with fewer pages. The record of a task that was forgotten meanwhile is deleted again.
    """
    if written and _is_undisputed(store, result, dates):
        pending.remove(store, result.task_id, result.generation)
        return None
    if forgotten.take_back(store, result, fresh=not marked):  # before it replaces what a new task has
        return _gone(result)
    instead = None
    if standing := _standing(store, result, dates):
        _keep(store, result, standing)
        instead = ends.of(standing)
    else:
        if result.status == "failed" and result.reprocess:  # its good result was deleted by hand
            result, late = structs.replace(result, reprocess=False), True
        else:
            late = dates.today() not in ("", result.run_date)
        _put(store, result, late=late, written=written)
        instead = _settle(store, result, dates)
    marker = forgotten.marker(store, result)
    ended_by_others = marked and marker != "own"
    if ended_by_others:
        # another process: the tables may have its record
        store.put(keys.changed(result.run_date, result.task_id, clock.now()), b"")
    if marker != "other":
        pending.remove(store, result.task_id, result.generation)
    if forgotten.take_back(store, result, fresh=ended_by_others or not marked):
        return _gone(result)
    if instead is None and ended_by_others:  # its record may be of a night that is ahead of the clock here
        instead = _settle(store, result, dates.without_end())
        if instead is None:
            ended_before()
    elif instead is None and result.status == "failed":  # again: see `_is_undisputed`
        instead = _settle(store, result, dates)
    return instead


def _gone(result: DocumentResult) -> End:
    """What counts instead of the record of a task that was forgotten: nothing of this generation."""
    return End(task_id=result.task_id, status="failed", run_date="", generation=result.generation + 1)


def _standing(store: Store, result: DocumentResult, dates: Dates) -> DocumentResult | None:
    """The good result that must not be replaced by this record."""
    if result.status != "failed" and not (result.reprocess and result.status != "done"):
        return None
    for run_date in dates.of(store, result):
        standing = read_or_none(store, keys.result(run_date, result.task_id), DocumentResult)
        if standing and (result.status == "failed" or _unread(result) > _unread(standing)):
            return standing
    return None


def _keep(store: Store, result: DocumentResult, standing: DocumentResult) -> None:
    """Store a failure, or a result of less, separately from the good result that it would replace.

    One of the same generation is a duplicate of what has ended: it is not stored.
    """
    if result.generation > standing.generation or (result.reprocess and not result.generation):
        failure = structs.replace(
            without_pages(result), status="failed", reprocess=True, run_date=standing.run_date
        )
        key = keys.failed_again(standing.run_date, result.task_id)
        store.put(key, digests.encode(failure))
        now = read_or_none(store, keys.result(standing.run_date, result.task_id), End)
        if now and now.generation > standing.generation:  # a later one has succeeded meanwhile
            store.delete(key)
    if standing.status != "partial":  # a note of a result that was never written
        store.delete(keys.partial(result.run_date, result.task_id))


def _is_undisputed(store: Store, result: DocumentResult, dates: Dates) -> bool:
    """Whether, after a result was written where there was none, nobody else can have ended its task.

    A process that records a failure looks for a result after it has deleted the marker, so that of two at the same
    moment at least one sees what the other did. Where a paused process has written the marker again, the failure is
    deleted before the night's tables are written (`healing`); `nightshift run` looks for it here. A task that was
    forgotten has no marker any more.
    """
    failed = keys.failed(result.run_date, result.task_id, result.generation)
    return (
        not (dates is OWN_DATE and store.exists(failed))
        and dates.are_only(result.run_date)  # also where this process was paused
        and not forgotten.is_forgotten(store, result.task_id, result.first_seen, result.receipt, fresh=False)
        and forgotten.marker(store, result) == "own"
    )


def _put(store: Store, result: DocumentResult, *, late: bool, written: bool) -> None:
    run_date, task_id = result.run_date, result.task_id
    good, bad = keys.result(run_date, task_id), keys.failed(run_date, task_id, result.generation)
    note = keys.partial(run_date, task_id)
    for number in range(result.generation):  # first: until its own record is there, its marker is
        store.delete(keys.failed(run_date, task_id, number))
    if result.status == "partial":
        store.put(note, digests.encode(without_pages(result)))
    if not written:
        store.put(bad if result.status == "failed" else good, digests.encode(result))
    if result.status == "failed":
        discarded.keep(store, bad, result)
    _tidy(store, result, late=late)


def _tidy(store: Store, result: DocumentResult, *, late: bool) -> None:
    """What belongs to a record that is in the store: its notes, and that none of an older one is left."""
    run_date, task_id = result.run_date, result.task_id
    good, note = keys.result(run_date, task_id), keys.partial(run_date, task_id)
    if result.status == "partial":
        if not store.exists(note):  # a failure that another process recorded meanwhile has deleted it
            store.put(note, digests.encode(without_pages(result)))
            if (now := read_or_none(store, good, End)) and now.status != "partial":  # or a whole result did
                store.delete(note)
    elif result.status == "done" or not store.exists(good):
        store.delete(note)
    if result.generation or result.reprocess or late:  # it may replace what is in the tables
        store.put(keys.changed(run_date, task_id, result.done_at), b"")
    if result.status != "failed" and (result.generation or result.reprocess):
        store.delete(keys.failed_again(run_date, task_id))
    if result.status != "failed":
        store.delete(keys.failed(run_date, task_id, result.generation))


def _settle(store: Store, result: DocumentResult, dates: Dates) -> End | None:
    """Look again after a record was written; of several records one stays. Returns it where it is another one."""
    task_id, generation, mine = result.task_id, result.generation, ends.of(result)
    superseded = generations.superseded(store, task_id, generation)
    good = result.status == "failed" and store.exists(keys.result(result.run_date, task_id))
    places = dates.of(store, result)  # the run date may have changed since the first look
    if not (superseded or good or len(places) > 1 or generation):
        return None
    latest = generations.latest(store, task_id) if superseded else generation
    waiting = superseded and pending.get(store, task_id, latest) is not None
    all_of_them = list(ends.found(store, task_id, places, range(latest + 1)))
    others = any(end.key != mine.key for end in all_of_them)
    if others and forgotten.is_forgotten(store, task_id, result.first_seen, result.receipt):
        return None  # they are of a new task; this record is taken back
    best = min([mine, *all_of_them], key=lambda end: end.rank)
    for end in all_of_them:
        remove(store, end, best)
    if best.key != mine.key:
        if result.status == "failed" and (standing := read_or_none(store, best.key, DocumentResult)):
            _keep(store, result, standing)
        return best
    if superseded and result.status == "failed" and waiting:  # its redrive was in progress before
        later = structs.replace(mine, generation=latest)
        remove(store, mine, later)
        return later
    if superseded and result.status != "failed":  # this may have replaced a better one under the same key
        read_again(store, result, latest)
    return None


def settle(store: Store, end: End, dates: Dates) -> None:
    """Remove the other records of a task that has ended; the process that wrote it may have died before it could."""
    result = read_or_none(store, end.key, DocumentResult)
    if result is None or generations.superseded(store, end.task_id, end.generation):
        return
    _tidy(store, result, late=True)
    found = list(ends.found(store, end.task_id, dates.of(store, result), range(end.generation + 1)))
    best = min([end, *found], key=lambda one: one.rank)
    for one in found:
        remove(store, one, best)


def remove(store: Store, end: End, best: End) -> None:
    """Delete a record that does not count, as `best` does, unless it is that one."""
    if end.key == best.key:
        return
    callback = keys.callback(end.run_date, end.task_id, end.generation)
    store.delete(end.key)
    if end.status != "failed":
        store.delete(keys.partial(end.run_date, end.task_id))
    if callback != keys.callback(best.run_date, best.task_id, best.generation):  # else it is of both
        store.delete(callback)
    store.put(keys.changed(end.run_date, end.task_id, clock.now()), b"")


def read_again(store: Store, result: DocumentResult, latest: int) -> None:
    """Mark a document to be reprocessed as its latest generation was: most of it is in the store.

    Housekeeping publishes it.
    """
    if task := generations.task_of(store, result.task_id, latest):
        again = structs.replace(task, generation=latest + 1, run_date=result.run_date, reprocess=True)
        pending.mark_next(store, again)


def _unread(result: DocumentResult) -> int:
    return sum(page.error is not None for page in result.pages)


def without_pages(result: DocumentResult) -> DocumentResult:
    """The record of a document without what was found on its pages."""
    return structs.replace(result, pages=(), entities=(), extraction=None, outputs={})


def remove_failure(store: Store, record: DocumentResult) -> None:
    """Delete the record of a failure that is redriven, and its callback; mark its night's tables as changed.

    A newer failure under the same key stays: the redriven task may have ended already.
    """
    key = keys.failed(record.run_date, record.task_id, record.generation)
    with suppress(NotFound, Damaged):
        if read(store, key, DocumentResult).done_at != record.done_at:
            return
    store.put(keys.changed(record.run_date, record.task_id, record.done_at), b"")
    store.delete(key)
    store.delete(keys.discarded(key))
    store.put(
        keys.changed(record.run_date, record.task_id, clock.now()), b""
    )  # a summary may have used up the first one
    store.delete(keys.callback(record.run_date, record.task_id, record.generation))
    store.delete(keys.undelivered(record.run_date, record.task_id, record.generation))


def failure_of(task: Task, error: PipelineError, *, run_date: str, settings_digest: str) -> DocumentResult:
    """The record of a task that failed permanently."""
    return DocumentResult.of(
        task,
        source=public_source(task.source),
        status="failed",
        run_date=run_date,
        media_type=task.media_type,
        error=Failure(code=error.code, message=error.message),
        settings_digest=settings_digest,
        done_at=clock.now(),
        pipeline_version=__version__,
        reprocess=task.reprocess,
    )


def fail(
    store: Store,
    task: Task,
    error: PipelineError,
    *,
    run_date: str,
    settings_digest: str,
    dates: Dates = OWN_DATE,
) -> DocumentResult:
    """Record that a task failed permanently, with the reason; returns the record.

    Its `reprocess` is set only if there is a good result to keep.
    """
    result = failure_of(task, error, run_date=run_date, settings_digest=settings_digest)
    instead = finish(store, result, dates)
    return structs.replace(result, reprocess=instead is not None and instead.status != "failed")
