"""Notify a submitting system that its document has ended: one signed JSON POST, without document text.

A note is in the store from before the record is written until the callback is delivered or abandoned, so that
housekeeping can resend one whose message was lost. A receiver may be notified twice, but never not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, Newer, NotFound, PermanentError, TransientError
from pipeline.ledger import counting, pending
from pipeline.ledger.attempts import may_retry
from pipeline.ledger.ends import End
from pipeline.messages import Message
from pipeline.models import DocumentResult, Failure, Task, to_json
from pipeline.remote.fetch import post
from pipeline.remote.policy import callback_policy
from pipeline.remote.signing import SIGNATURE_HEADER, sign
from pipeline.remote.urls import public_callback
from pipeline.settings import Settings
from pipeline.storage import Store, keys, objects
from pipeline.telemetry import spans
from pipeline.telemetry.w3c import NONE, Context
from pipeline.threads import in_threads

log = logging.getLogger("nightshift")

GIVEN = timedelta(days=1)
"""How long an unavailable receiver is tried before its callbacks are abandoned."""

_SLOW, _ENOUGH, _SILENCE = 2.0, 3, 60.0
_hanging: dict[str, tuple[int, float]] = {}
"""Host -> how often in a row a request to it failed only after `_SLOW` s, and when it last did. After `_ENOUGH` times
this process sends it nothing for `_SILENCE` s: a receiver that hangs must not hold up the night."""


class Due(msgspec.Struct, frozen=True):
    """The note that a callback is due: when its message was last published, and `since` when it has been failing."""

    at: datetime
    since: datetime | None = None


def note_due(store: Store, task: Task) -> list[Message]:
    """Note that a callback is due for a task whose record is written next; returns its message, if it has one."""
    if not task.callback_url or task.reprocess:
        return []
    store.put(keys.callback(task.run_date, task.task_id, task.generation), to_json(Due(clock.utc())))
    return [structs.replace(Message.of("callback", task), run_date=task.run_date)]


def notify(store: Store, message: Message, settings: Settings) -> None:
    """Send a callback, unless it was sent already; raises what `deliver` raises.

    A task that was redriven and has ended again meanwhile has a newer note, with a message of its own: that one counts.
    While a receiver is unavailable the note stays when the message has used up its retries: housekeeping publishes
    another one every hour, for `GIVEN` in all.
    """
    due = _due(store, message)
    if due is None:
        return
    record = _record(store, message)
    if record is None and _due(store, message) != due:  # delivered by another process, or forgotten
        return
    if record is None:
        raise PermanentError(
            f"{message.task_id} has no result to send a callback for.", code="result_missing"
        )
    try:
        trace = spans.of(message) or Context(record.traceparent)
        deliver(_with_query(store, record), store.url, settings, trace)
    except PermanentError:
        if _due(store, message) == due:
            raise
        return
    except TransientError as error:
        if may_retry(message, settings.max_retries) or not _put_off(store, message, due):
            raise
        log.warning("callback put off for up to an hour: %s", error.message)
        return
    if _due(store, message) == due:
        _remove_undelivered(store, message.run_date, message.task_id, message.generation)
        store.delete(_key(message))


def _remove_undelivered(store: Store, run_date: str, task_id: str, generation: int) -> None:
    """Delete the record of a callback that could not be delivered, if there is one."""
    key = keys.undelivered(run_date, task_id, generation)
    if store.exists(key):
        store.delete(key)
        counting.of(store).opened("undelivered", -1)


def _put_off(store: Store, message: Message, due: Due) -> bool:
    """Whether a callback may be tried again within the hour; notes the first time that it could not be sent."""
    now = clock.utc()
    tried_for = clock.age(due.since, now)
    if tried_for is not None and tried_for >= GIVEN:
        return False
    if tried_for is None and _due(store, message) == due:
        store.put(_key(message), to_json(structs.replace(due, since=now)))
    return True


def _record(store: Store, message: Message) -> DocumentResult | None:
    for key in _places(message):
        with suppress(NotFound):
            return objects.read(store, key, DocumentResult)
    return None


def _places(message: Message) -> tuple[str, str]:
    return (
        keys.result(message.run_date, message.task_id),
        keys.failed(message.run_date, message.task_id, message.generation),
    )


def _with_query(store: Store, record: DocumentResult) -> DocumentResult:
    """The record with the whole URL of its callback; the one in the store has no query."""
    if not record.callback_url.endswith("?"):
        return record
    with suppress(NotFound):
        url = store.get(keys.callback_url(record.task_id)).decode()
        if public_callback(url) == record.callback_url:
            return structs.replace(record, callback_url=url)
    return record


def _due(store: Store, message: Message) -> Due | None:
    try:
        return objects.read(store, _key(message), Due)
    except NotFound:
        return None


def _key(message: Message) -> str:
    return keys.callback(message.run_date, message.task_id, message.generation)


def abandon(store: Store, message: Message, error: PermanentError) -> None:
    """Record that a callback could not be delivered, with the reason, for the operator.

    Not of a task that was forgotten, or redriven, meanwhile.
    """
    reason = Failure(code=error.code, message=error.message)
    key = keys.undelivered(message.run_date, message.task_id, message.generation)
    known = store.exists(key)  # it was resent, and stays listed meanwhile
    store.put(key, to_json(reason))
    counting.of(store).opened("undelivered", not known)
    store.delete(_key(message))
    if not any(map(store.exists, _places(message))):
        _remove_undelivered(store, message.run_date, message.task_id, message.generation)


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that was abandoned, and why."""

    run_date: str
    task_id: str
    code: str
    message: str
    generation: int = 0


def undelivered(
    store: Store, run_date: str | None = None, task_id: str | None = None
) -> Iterator[Undelivered]:
    """Callbacks that were abandoned, by run date and task id; raises `Damaged`."""
    for key in store.list(keys.undelivered_of(run_date) if run_date else keys.UNDELIVERED):
        if task_id not in (None, keys.task_id_of(key)):
            continue
        try:
            why = objects.read(store, key, Failure)
        except NotFound:  # delivered meanwhile
            continue
        yield Undelivered(
            run_date=keys.run_date_of(key),
            task_id=keys.task_id_of(key),
            code=why.code,
            message=why.message,
            generation=keys.generation_of(key),
        )


def resend(store: Store, abandoned: Undelivered) -> Message | None:
    """Make an abandoned callback due again; returns its message, `None` if its record no longer exists.

    It stays listed as undelivered until it is delivered, or until there is no record. Raises `Damaged`.
    """
    message = Message(
        step="callback",
        task_id=abandoned.task_id,
        run_date=abandoned.run_date,
        generation=abandoned.generation,
    )
    record = _record(store, message)
    if record is None:
        _remove_undelivered(store, abandoned.run_date, abandoned.task_id, abandoned.generation)
        return None
    store.put(_key(message), to_json(Due(clock.utc())))
    return _message(record, message.generation)


def overdue(store: Store, before: datetime) -> Iterator[Message]:
    """Messages for callbacks whose last message was published before that moment: it must have been lost.

    The note is updated first, as the message may be handled at once. A note without a record is removed: its task did
    not end then, and is in progress or ended otherwise.
    """
    for key, found in in_threads(lambda key: (key, _overdue(store, key, before)), store.list(keys.CALLBACKS)):
        if found is not None and store.exists(key):
            note, message = found
            store.put(key, to_json(structs.replace(note, at=clock.utc())))
            yield message


def _overdue(store: Store, key: str, before: datetime) -> tuple[Due, Message] | None:
    message = Message(
        step="callback",
        task_id=keys.task_id_of(key),
        run_date=keys.run_date_of(key),
        generation=keys.generation_of(key),
    )
    try:
        note, task = _due(store, message), pending.newest(store, message.task_id)
        if note is None or (task and not task.reprocess):
            return None
        if clock.age(note.at, clock.utc()) is not None and note.at >= before:
            return None
        record = _record(store, message)
    except Newer:  # the later version publishes it; the others must not wait for that
        return None
    except Damaged as error:
        abandon(store, message, PermanentError(error.message, code=error.code))
        return None
    if record is None:
        store.delete(key)
    return (note, _message(record, message.generation)) if record else None


def left(store: Store, end: End) -> list[Message]:
    """The message of the callback of a task that has ended, where that was not delivered yet."""
    key = keys.callback(end.run_date, end.task_id, end.generation)
    return [_message(end, end.generation)] if store.exists(key) else []


def withdraw(store: Store, task: Task) -> None:
    """Remove the note of a callback for a task whose record does not count, as another one does."""
    store.delete(keys.callback(task.run_date, task.task_id, task.generation))


def _message(record: DocumentResult | End, generation: int) -> Message:
    return Message(
        step="callback",
        task_id=record.task_id,
        trace_id=record.trace_id,
        traceparent=record.traceparent,
        priority=record.priority,
        run_date=record.run_date,
        generation=generation,
    )


def body_of(record: DocumentResult, store_url: str) -> bytes:
    """The JSON body of a callback (docs/reference/messages.md)."""
    ended_well = record.status != "failed"
    key = keys.result(record.run_date, record.task_id)
    if not ended_well:
        key = keys.failed(record.run_date, record.task_id, record.generation)
    return msgspec.json.encode(
        {
            "schema_version": record.schema_version,
            "task_id": record.task_id,
            "trace_id": record.trace_id,
            "status": record.status,
            "sha256": record.sha256,
            "run_date": record.run_date,
            "result": f"{store_url}/{key}",
            "error": record.error,
        }
    )


def deliver(record: DocumentResult, store_url: str, settings: Settings, trace: Context = NONE) -> None:
    """Post the record's callback. `trace`: where its trace continues if this process has no spans.

    Raises `PermanentError` if the policy or the receiver refuses it or no signing secret is set, `TransientError` if a
    retry may help.
    """
    if not settings.callback_secret:
        raise PermanentError(
            "The callback was not sent: it cannot be signed; set NIGHTSHIFT_CALLBACK_SECRET.",
            code="no_secret",
        )
    body = body_of(record, store_url)
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: sign(body, settings.callback_secret, int(clock.utc().timestamp())),
    }
    url, started = urlsplit(record.callback_url), time.monotonic()
    host = url.netloc
    times, last = _hanging.get(host, (0, 0.0))
    if times >= _ENOUGH and started - last < _SILENCE:
        raise TransientError(
            f"{host} timed out {times} times in a row; no callback is sent to it for a minute.",
            code="callback_unavailable",
        )
    try:
        with spans.posting(url, trace) as span:
            status = post(record.callback_url, body, headers | span.headers, callback_policy(settings))
            spans.note({"http.response.status_code": status})
    except TransientError:
        if (now := time.monotonic()) - started > _SLOW:
            _hanging[host] = times + 1, now
        raise
    _hanging.pop(host, None)
