"""What `nightshift doctor` asks of a store that no other part needs: its time, and conditional puts."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.storage.base import Backend
from pipeline.storage.local import LocalStore


def server_time(store: Backend, key: str) -> datetime | None:
    """The time by the store's own clock, `None` where it has none; writes an object under this key.

    A folder on a network file system has the clock of its server. Raises what the store raises.
    """
    if isinstance(store, LocalStore):
        store.put(key, b"")
        return datetime.fromtimestamp((store.root / key).stat().st_mtime, UTC)
    said = _headers(store).get("date", "")
    try:
        found = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _headers(store: Backend) -> dict[str, str]:
    from pipeline.storage.s3 import S3Store

    return store.answer_headers() if isinstance(store, S3Store) else {}


def conditional_put(store: Backend, key: str) -> bool | None:
    """Whether a put can be made only where there is no object; `None` for a store that is not S3."""
    from pipeline.storage.s3 import S3Store

    return store.refuses_existing(key) if isinstance(store, S3Store) else None
