"""Nightshift: scanned documents in, text lines and entities out, overnight and without losing one.

This package is the domain: it never imports Celery, `tasks` or `celeryconfig`; only its commands and `submit` do,
when they are called.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipeline.version import __version__

__all__ = ["__version__", "submit"]


def submit(
    document: str | Path | bytes,
    *,
    task_id: str = "",
    task_type: str = "document",
    priority: int = 5,
    tenant: str = "",
    trace_id: str = "",
    traceparent: str = "",
    tracestate: str = "",
    callback_url: str = "",
    not_before: str | datetime | None = None,
    deadline: str | datetime | None = None,
    metadata: dict[str, str] | None = None,
) -> str:
    """Submit one document for overnight processing; returns its task id, which names its result.

    `document`: its bytes, a path, an `s3://` URL (read now), or an `https://` URL (fetched by a worker, if
    NIGHTSHIFT_ALLOWED_SOURCES allows it). `not_before` (start no earlier), `deadline` (should be done by then): a local
    time such as `"04:00"`, an ISO date-time, or an aware datetime. When this returns, the document is stored and
    published. Store and broker come from the environment (docs/reference/settings.md). `traceparent`, `tracestate`: W3C
    Trace Context of the caller, which the document's trace continues; an invalid one is ignored.

    Raises `PermanentError` when this document can't be accepted, `UsageError` for wrong arguments, `RunError`
    or `StoreUnavailable` when broker or store are unavailable: then call again, it stays one task.
    """
    from pipeline.night.window import moment
    from pipeline.settings import Settings
    from pipeline.submission.producer import Request
    from tasks import client

    settings = Settings.from_env()
    producer = client.producer(settings)
    request = Request(
        task_id=task_id,
        task_type=task_type,
        priority=priority,
        tenant=tenant,
        trace_id=trace_id,
        traceparent=traceparent,
        tracestate=tracestate,
        callback_url=callback_url,
        not_before=moment(not_before, settings.timezone),
        deadline=moment(deadline, settings.timezone),
        metadata=metadata or {},
    )
    producer.check(request)
    client.reach(client.celery())
    done = producer.submit_document(document, request)
    assert done.task_id is not None
    return done.task_id
