"""Tell a submitting system that its document has ended: one signed JSON POST, no document text in it.

A note lies in the store from before the record is written until the callback is delivered or given up, so that
beat can ask for one anew whose message was lost. A receiver may be told twice, never not at all.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec
from msgspec import structs

from pipeline import keys, ledger
from pipeline.errors import NotFound, PermanentError
from pipeline.fetch import post
from pipeline.models import DocumentResult, Task, from_json, to_json
from pipeline.security import SIGNATURE_HEADER, SourcePolicy, sign
from pipeline.settings import Settings
from pipeline.step_messages import Message, message
from pipeline.storage import Store


class Owed(msgspec.Struct, frozen=True):
    """That somebody is to be told, and when a message last went out for it."""

    at: datetime


def promise(store: Store, task: Task) -> list[Message]:
    """Note that a task's end, whose record is written next, is to be told of; returns the message for it."""
    if not task.callback_url or task.reprocess:
        return []
    store.put(keys.callback(task.run_date, task.task_id), to_json(Owed(datetime.now(UTC))))
    return [structs.replace(message("callback", task), run_date=task.run_date)]


def owed(store: Store, order: Message) -> bool:
    """Whether nobody has told of it yet."""
    return store.exists(keys.callback(order.run_date, order.task_id))


def settle(store: Store, order: Message) -> None:
    """It was told."""
    store.delete(keys.callback(order.run_date, order.task_id))


def give_up(store: Store, order: Message, error: PermanentError) -> None:
    """It could not be told: kept where the operator finds it, with the reason."""
    reason = msgspec.json.encode({"code": error.code, "message": error.message})
    store.put(keys.undelivered(order.run_date, order.task_id), reason)
    settle(store, order)


def overdue(store: Store, before: datetime) -> list[Message]:
    """Messages for callbacks whose last one went out before that moment: it must have been lost.

    A note without a record is about an end that did not come to be: its task is under way or ended otherwise.
    """
    messages = []
    for key in list(store.list(keys.CALLBACKS)):
        run_date, task_id = keys.run_date_of(key), keys.task_id_of(key)
        try:
            note = from_json(store.get(key), Owed)
        except NotFound:  # told meanwhile
            continue
        if note.at >= before or ledger.pending(store, task_id):
            continue
        record = ledger.ended(store, run_date, task_id)
        if record is None:
            store.delete(key)
            continue
        messages.append(
            Message(
                step="callback",
                task_id=task_id,
                trace_id=record.trace_id,
                priority=record.priority,
                run_date=run_date,
            )
        )
        store.put(key, to_json(Owed(datetime.now(UTC))))
    return messages


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


def policy(settings: Settings) -> SourcePolicy:
    """Where callbacks may go."""
    return SourcePolicy.callbacks(settings.allowed_callbacks, allow_private=settings.allow_private_hosts)


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
    post(record.callback_url, body, headers, policy(settings))
