"""Failed documents: listed by reason, redriven with other settings, or discarded.

A discarded failure keeps its record, with the code `discarded`: the document was received and is not done, so the audit
must still count it as failed. Lists and redrives omit it unless asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.environment import printable
from pipeline.errors import ModelMissing, NotFound, PermanentError, UsageError
from pipeline.ledger import (
    attempts,
    claims,
    counting,
    digests,
    discarded,
    ends,
    forgotten,
    generations,
    pending,
    records,
)
from pipeline.ledger.discarded import DISCARDED
from pipeline.models import NOT_OVERRIDDEN, TEXT, DocumentResult, Task, from_json
from pipeline.settings import Settings
from pipeline.steps import recognize
from pipeline.storage import Store, keys, objects
from pipeline.threads import in_threads

OWN_LIMITS = ("max_bytes", "max_pages", "max_pixels", "max_side", "render_dpi", "text_layer")
_FETCHED = ("file", "s3", "http", "https")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Failures with one code: how many, and one of them as an example."""

    code: str
    count: int
    example: str
    task_id: str


def find(
    store: Store, *, run_date: str | None = None, code: str | None = None, task_id: str | None = None
) -> Iterator[DocumentResult]:
    """Failed records that match every criterion given, by run date and task id.

    Done documents that could not be reprocessed come last. Raises `Damaged` for a record that can't be read.
    """
    prefixes = (
        (keys.failures(run_date), keys.partials(run_date), keys.failures_again(run_date))
        if run_date
        else (keys.FAILED, keys.PARTIAL, keys.FAILED_AGAIN)
    )
    listed = (key for prefix in prefixes for key in store.list(prefix))
    found = (key for key in listed if task_id in (None, keys.task_id_of(key)))
    for record in in_threads(lambda key: _read(store, key), found):
        if record is not None and code in (None, code_of(record)):
            yield record


def _read(store: Store, key: str) -> DocumentResult | None:
    try:
        return objects.read(store, key, DocumentResult)
    except NotFound:  # redriven since it was listed
        return None


def code_of(record: DocumentResult) -> str:
    """The stable code of the reason (snake_case)."""
    return record.error.code if record.error else "unknown"


def group(records: Iterable[DocumentResult]) -> list[Group]:
    """Failures by code, most frequent first."""
    first: dict[str, DocumentResult] = {}
    counts: dict[str, int] = {}
    for record in records:
        code = code_of(record)
        first.setdefault(code, record)
        counts[code] = counts.get(code, 0) + 1
    return [
        Group(
            code=code,
            count=counts[code],
            example=error.message if (error := first[code].error) else "",
            task_id=first[code].task_id,
        )
        for code in sorted(counts, key=lambda code: (-counts[code], code))
    ]


def overrides(pairs: Sequence[str]) -> dict[str, str]:
    """Settings of one task, from `name=value` pairs; raises `UsageError` for unknown names and invalid values."""
    from pipeline.steps.engines import Engines

    found: dict[str, str] = {}
    allowed = [
        name
        for name in Settings.__struct_fields__
        if (name.startswith(("ocr_", "ner_")) or name in OWN_LIMITS) and name not in NOT_OVERRIDDEN
    ]
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in allowed:
            raise UsageError(
                f'Invalid --set "{printable(name)[:60]}": expected name=value with one of the names '
                f"{', '.join(allowed)}."
            )
        found[name] = value
    with suppress(ModelMissing):  # it may be installed on the workers' machine
        _ = Engines(Settings.from_env(None, **found)).digest
    return found


def redrive(store: Store, record: DocumentResult, changed: dict[str, str], *, today: str = "") -> Task:
    """Make a failed or partial task pending again, from its first step; the caller publishes it.

    Attempts are counted from 0. The record is removed after the marker is written, so that a crash leaves both and
    redriving again fixes it. A document that could not be reprocessed, or is partial, is reprocessed under its old run
    date; its result stays until a new one takes its place. `today`: the run date now, from which the new records are
    looked for.
    Raises `PermanentError` (`not_redrivable`) if its bytes are neither in the store nor can be fetched again.
    """
    if not _is_current(store, record):
        raise PermanentError(f"{record.task_id} is already being redriven.", code="not_redrivable")
    if record.status == "partial" and pending.follows(store, record):
        raise PermanentError(f"{record.task_id} is already being redriven.", code="not_redrivable")
    sha256 = _bytes_of(store, record)
    if sha256 is None:
        if task_stands(record) or urlsplit(record.source).scheme not in _FETCHED:
            raise PermanentError(
                f"{record.task_id} cannot be redriven: its bytes are not in the store. Submit it again under "
                "another id.",
                code="not_redrivable",
            )
        web = urlsplit(record.source).scheme in ("http", "https")
        known = web and claims.origins(store, record.task_id)
        if known and not claims.names_source(store, record.task_id, record.source):
            raise PermanentError(
                f"{record.task_id} cannot be redriven: the query string of its URL is not stored, as it may contain a "
                "secret. Submit it again under another id.",
                code="not_redrivable",
            )
    task = structs.replace(
        task_of(record),
        sha256=sha256,
        overrides=changed,
        origin=claims.only(store, record.task_id),
        generation=record.generation + 1,
        accepted_on=max(today, record.run_date),  # also where the clock here is behind
        replaces=record.run_date,
    )
    if task_stands(record):
        task = structs.replace(task, run_date=record.run_date, reprocess=True)
    if sha256:
        recognize.forget_unread(store, sha256)
    _begin(store, task)
    mark_again(store, task)
    if was_discarded := code_of(record) == DISCARDED:
        store.delete(keys.discarded(_key(record)))
    if record.status != "partial":
        counting.of(store).failure_removed(record, discarded=was_discarded)
    if record.status == "partial":
        return task  # its note goes with the next result
    if record.reprocess:
        store.delete(_key(record))
    else:
        records.remove_failure(store, record)
    return task


def _begin(store: Store, task: Task) -> None:
    """Begin a generation; raises `PermanentError` if a submission has begun it, in place of a refusal."""
    if not generations.begin(store, task):
        raise PermanentError(f"{task.task_id} was submitted again meanwhile.", code="not_redrivable")


def _bytes_of(store: Store, record: DocumentResult) -> str | None:
    """Hash of the bytes of a failed document that the store has, by its record or by what ingest noted of it."""
    if record.sha256 is not None:
        return record.sha256 if store.exists(keys.document(record.sha256)) else None
    known = [
        sha256 for sha256 in claims.contents(store, record.task_id) if store.exists(keys.document(sha256))
    ]
    return known[0] if len(known) == 1 else None


def task_stands(record: DocumentResult) -> bool:
    """Whether the task has a result that stays until a better one takes its place."""
    return record.reprocess or record.status == "partial"


def task_of(record: DocumentResult) -> Task:
    """The task that a record is about, as it was submitted: not ingested, without run date or settings of its own."""
    return Task(
        task_id=record.task_id,
        sha256=record.sha256,
        source=record.source,
        task_type=record.task_type,
        media_type=TEXT if record.media_type == TEXT else None,  # anything else is detected again by ingest
        trace_id=record.trace_id,
        traceparent=record.traceparent,
        tenant=record.tenant,
        priority=record.priority,
        callback_url=record.callback_url,
        submitted_at=record.first_seen,
        metadata=record.metadata,
        receipt=record.receipt,
    )


def mark_again(store: Store, task: Task) -> None:
    """Mark a task that has ended as pending again, with its attempts counted from 0.

    Raises `PermanentError` (`forgotten`) if it was forgotten meanwhile.
    """
    pending.mark_next(store, task)
    if forgotten.withdraw(store, task):
        raise PermanentError(f"{task.task_id} was forgotten.", code="forgotten")
    counting.of(store).accepted(task)
    attempts.forget(store, task.task_id)


def _key(record: DocumentResult) -> str:
    if record.status == "partial":
        return keys.partial(record.run_date, record.task_id)
    if record.reprocess:
        return keys.failed_again(record.run_date, record.task_id)
    return keys.failed(record.run_date, record.task_id, record.generation)


def _is_current(store: Store, record: DocumentResult) -> bool:
    """Whether a failure is still the one that was listed, so was not redriven meanwhile."""
    now = _read(store, _key(record))
    return now is not None and now.done_at == record.done_at


def discard(store: Store, record: DocumentResult, reason: str) -> DocumentResult:
    """Discard a failure permanently; its record and receipt stay. Returns the record as it is now."""
    if not _is_current(store, record):
        return record
    if code_of(record) == DISCARDED:
        store.put(keys.discarded(_key(record)), b"")
        return record
    kept = discarded.of(record, reason)
    data = digests.encode(kept)
    if not record.reprocess:  # the tables differ from the record until they are rewritten
        store.put(keys.changed(record.run_date, record.task_id, record.done_at), b"")
    store.put(_key(record), data)
    store.put(keys.discarded(_key(record)), b"")
    _keep(store, kept)
    if record.status == "failed":
        counting.of(store).opened("failed_again" if record.reprocess else "failed", -1)
    if not record.reprocess:  # a summary may have used up the first note
        store.put(keys.changed(record.run_date, record.task_id, clock.now()), b"")
        if generations.superseded(store, record.task_id, record.generation):
            _withdraw(store, kept)
    return from_json(data, DocumentResult)


def _keep(store: Store, record: DocumentResult) -> None:
    """Replace the record again where a process that was paused has recorded the failure meanwhile."""
    now = _read(store, _key(record))
    if now and now.status == "failed" and code_of(now) != DISCARDED:
        store.put(_key(record), digests.encode(record))


def _withdraw(store: Store, record: DocumentResult) -> None:
    """Delete the record of a failure again, where it was redriven while it was discarded."""
    latest = generations.latest(store, record.task_id)
    later = pending.get(store, record.task_id, latest) is not None
    nights = keys.run_dates(name for p in (keys.RESULTS, keys.FAILED) for name in store.folders(p))
    dates = [night for night in nights if night >= record.run_date]
    since = range(record.generation + 1, latest + 1)
    if later or any(end.key != _key(record) for end in ends.found(store, record.task_id, dates, since)):
        store.delete(_key(record))
