"""A store is a URL: `file:///path`, a plain path, `s3://bucket/prefix`, or `memory://name` for tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipeline.errors import UsageError
from pipeline.storage.base import Backend, Store
from pipeline.storage.encrypted import EncryptedStore

if TYPE_CHECKING:
    from pipeline.settings import Settings

__all__ = ["EncryptedStore", "Store", "exists", "open_backend", "open_store"]


def open_store(url: str, settings: Settings) -> EncryptedStore:
    """Give Nightshift's own store, that `url` names, encrypted if the settings have keys.

    Nothing is created or contacted yet. Raises what `open_backend` raises, and `UsageError` for invalid keys.
    """
    return EncryptedStore.around(open_backend(url, settings), settings)


def open_backend(url: str, settings: Settings) -> Backend:
    """Give what `url` names, with its objects as they are: for the store itself, and for sources of documents.

    `memory://name` is for tests and simulations: it is shared by all that open it in one process, and nothing is
    kept after the process ends. Raises `UsageError` for a scheme there is no store for.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        from pipeline.storage.s3 import S3Store

        if not parts.netloc:
            raise UsageError(f"{url} names no bucket; write s3://bucket/prefix.")
        return S3Store(parts.netloc, parts.path.strip("/"), settings)
    if parts.scheme in ("", "file"):
        from pipeline.storage.local import LocalStore

        return LocalStore(Path(unquote(parts.path) if parts.scheme else url))
    if parts.scheme == "memory":
        from pipeline.storage.memory import MemoryStore

        if not (name := url.removeprefix("memory:").strip("/")):
            raise UsageError(f"{url} has no name: write memory://name.")
        return MemoryStore.named(name)
    raise UsageError(f"{url}: there is no store for {parts.scheme}://; use a folder, file:// or s3://.")


def exists(store: Store) -> bool:
    """Whether there is a store to read: a local folder that exists, or a server that answers, empty or not.

    Nothing is written. Raises `StoreUnavailable`, or `RunError` where there is no such bucket or no access.
    """
    from pipeline.storage.local import LocalStore

    if isinstance(store, EncryptedStore):
        store = store.inner
    if isinstance(store, LocalStore):
        return store.is_there()
    any(store.folders(""))
    return True
