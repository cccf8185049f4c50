"""Tell a submitting system that its document has ended: one signed JSON POST, no document text in it.

A note lies in the store from before the record is written until the callback is delivered or given up, so that
beat can ask for one anew whose message was lost. A receiver may be told twice, never not at all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from pipeline.errors import Damaged, NotFound, PermanentError, TransientError
from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.models import DocumentResult, Failure, Task, to_json
from pipeline.remote.fetch import post
from pipeline.remote.policy import callback_policy
from pipeline.remote.signing import SIGNATURE_HEADER, sign
from pipeline.settings import Settings
from pipeline.storage import Store, keys, objects
from pipeline.threads import in_threads

_SLOW, _ENOUGH, _SILENCE = 2.0, 3, 60.0
_hanging: dict[str, tuple[int, float]] = {}
"""Host -> how often in a row it took over `_SLOW` s to fail, and when last: after `_ENOUGH` times this process leaves
it alone for `_SILENCE` s. A receiver that hangs must not hold up the night."""


class Owed(msgspec.Struct, frozen=True):
    """That somebody is to be told, and when a message last went out for it."""

    at: datetime


def promise(store: Store, task: Task) -> list[Message]:
    """Note that a task's end, whose record is written next, is to be told of; returns the message for it."""
    if not task.callback_url or task.reprocess:
        return []
    store.put(keys.callback(task.run_date, task.task_id), to_json(Owed(datetime.now(UTC))))
    return [structs.replace(Message.of("callback", task), run_date=task.run_date)]


def notify(store: Store, message: Message, settings: Settings) -> None:
    """Tell of an end, unless that was done; raises what `deliver` raises.

    A task that was redriven and ended anew meanwhile has a newer note, and a message for it: that one counts.
    """
    owed = _owed(store, message)
    if owed is None:
        return
    record = _record(store, message)
    if record is None:
        raise PermanentError(f"There is no result of {message.task_id} to tell of.", code="result_missing")
    try:
        deliver(record, store.url, settings)
    except PermanentError:
        if _owed(store, message) == owed:
            raise
        return
    if _owed(store, message) == owed:
        store.delete(keys.undelivered(message.run_date, message.task_id))
        store.delete(keys.callback(message.run_date, message.task_id))


def _record(store: Store, message: Message) -> DocumentResult | None:
    for where in (keys.result, keys.failed):
        with suppress(NotFound):
            return objects.read(store, where(message.run_date, message.task_id), DocumentResult)
    return None


def _owed(store: Store, message: Message) -> Owed | None:
    try:
        return objects.read(store, keys.callback(message.run_date, message.task_id), Owed)
    except NotFound:
        return None


def abandon(store: Store, message: Message, error: PermanentError) -> None:
    """It could not be told: kept where the operator finds it, with the reason."""
    reason = Failure(code=error.code, message=error.message)
    store.put(keys.undelivered(message.run_date, message.task_id), to_json(reason))
    store.delete(keys.callback(message.run_date, message.task_id))


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that was given up, and why."""

    run_date: str
    task_id: str
    code: str
    message: str


def undelivered(
    store: Store, run_date: str | None = None, task_id: str | None = None
) -> Iterator[Undelivered]:
    """Callbacks that were given up, by run date and task id; raises `Damaged`."""
    for key in store.list(keys.undelivered_of(run_date) if run_date else keys.UNDELIVERED):
        if task_id not in (None, keys.task_id_of(key)):
            continue
        try:
            why = objects.read(store, key, Failure)
        except NotFound:  # told meanwhile
            continue
        yield Undelivered(
            run_date=keys.run_date_of(key), task_id=keys.task_id_of(key), code=why.code, message=why.message
        )


def renew(store: Store, given_up: Undelivered) -> Message | None:
    """Owe a callback again; returns its message, `None` when there is no record to tell of any more.

    What tells that it was given up goes when it is told, or when there is nothing to tell. Raises `Damaged`.
    """
    record = _record(store, Message(step="callback", task_id=given_up.task_id, run_date=given_up.run_date))
    if record is None:
        store.delete(keys.undelivered(given_up.run_date, given_up.task_id))
        return None
    store.put(keys.callback(record.run_date, record.task_id), to_json(Owed(datetime.now(UTC))))
    return _message(record)


def overdue(store: Store, before: datetime) -> Iterator[Message]:
    """Messages for callbacks whose last one went out before that moment: it must have been lost.

    A note is renewed first, for its message may be done before another word is said. One without a record is about
    an end that did not come to be: its task is under way or ended otherwise.
    """
    for key, message in in_threads(
        lambda key: (key, _overdue(store, key, before)), store.list(keys.CALLBACKS)
    ):
        if message is not None and store.exists(key):
            store.put(key, to_json(Owed(datetime.now(UTC))))
            yield message


def _overdue(store: Store, key: str, before: datetime) -> Message | None:
    run_date, task_id = keys.run_date_of(key), keys.task_id_of(key)
    message = Message(step="callback", task_id=task_id, run_date=run_date)
    try:
        note, task = _owed(store, message), pending.get(store, task_id)
        if note is None or note.at >= before or (task and not task.reprocess):
            return None
        record = _record(store, message)
    except Damaged as error:
        abandon(store, message, PermanentError(error.message, code=error.code))
        return None
    if record is None:
        store.delete(key)
    return _message(record) if record else None


def _message(record: DocumentResult) -> Message:
    return Message(
        step="callback",
        task_id=record.task_id,
        trace_id=record.trace_id,
        priority=record.priority,
        run_date=record.run_date,
    )


def body_of(record: DocumentResult, store_url: str) -> bytes:
    """The JSON body of a callback (docs/messages.md)."""
    done = record.status == "done"
    where = keys.result if done else keys.failed
    return msgspec.json.encode(
        {
            "schema_version": record.schema_version,
            "task_id": record.task_id,
            "trace_id": record.trace_id,
            "status": record.status,
            "sha256": record.sha256,
            "run_date": record.run_date,
            "result": f"{store_url}/{where(record.run_date, record.task_id)}",
            "error": record.error,
        }
    )


def deliver(record: DocumentResult, store_url: str, settings: Settings) -> None:
    """Post the record's callback.

    Raises `PermanentError` when policy or receiver refuse it, or no secret is set to sign it with,
    `TransientError` when another try may help.
    """
    if not settings.callback_secret:
        raise PermanentError(
            "The callback was not sent: set NIGHTSHIFT_CALLBACK_SECRET to sign it with.", code="no_secret"
        )
    body = body_of(record, store_url)
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: sign(body, settings.callback_secret, int(time.time())),
    }
    host, started = urlsplit(record.callback_url).netloc, time.monotonic()
    times, last = _hanging.get(host, (0, 0.0))
    if times >= _ENOUGH and started - last < _SILENCE:
        raise TransientError(
            f"{host} hung {times} times in a row and is left alone for a minute.", code="callback_unavailable"
        )
    try:
        post(record.callback_url, body, headers, callback_policy(settings))
    except TransientError:
        if (now := time.monotonic()) - started > _SLOW:
            _hanging[host] = times + 1, now
        raise
    _hanging.pop(host, None)
