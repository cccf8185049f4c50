"""Tell a submitting system that its document has ended: one signed JSON POST, no document text in it."""

from __future__ import annotations

import time

import msgspec

from pipeline import keys
from pipeline.errors import PermanentError
from pipeline.fetch import post
from pipeline.models import DocumentResult
from pipeline.security import SIGNATURE_HEADER, SourcePolicy, sign
from pipeline.settings import Settings


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
