"""Nightshift: scanned documents in, text lines and entities out, overnight and without losing one.

This package is the domain: it never imports Celery, `tasks` or `celeryconfig`; only its commands do.
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
    callback_url: str = "",
    not_before: str | datetime | None = None,
    metadata: dict[str, str] | None = None,
) -> str:
    """Hand one document in for the night; returns its task id, which names its result.

    `document`: its bytes, a path, an `s3://` URL (read now), or an `https://` URL (fetched by a worker, if
    NIGHTSHIFT_ALLOWED_SOURCES lets it). When this returns, the document is stored and announced. Store and
    broker come from the environment (docs/reference/settings.md).

    Raises `PermanentError` when this document can't be taken, `UsageError` for wrong arguments, `RunError`
    or `StoreUnavailable` when broker or store are away: then call again, it stays one task.
    """
    from pipeline.cli.submit import submit_one

    return submit_one(
        document,
        not_before,
        task_id=task_id,
        task_type=task_type,
        priority=priority,
        tenant=tenant,
        trace_id=trace_id,
        callback_url=callback_url,
        metadata=metadata or {},
    )
