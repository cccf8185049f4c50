"""Documents in a bucket: the objects below an `s3://` prefix."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.documents.sources import names
from pipeline.documents.sources.base import Notes, Source
from pipeline.errors import UsageError
from pipeline.storage import open_backend

if TYPE_CHECKING:
    from pipeline.settings import Settings


def documents(url: str, settings: Settings, notes: Notes) -> Iterator[Source]:
    """All objects at or below `url` except litter and the store in use; raises `UsageError` if there are none."""
    parts = urlsplit(url)
    store = open_backend(f"s3://{parts.netloc}", settings)
    prefix = parts.path.lstrip("/")
    own = settings.store_url.removeprefix(f"s3://{parts.netloc}/").strip("/") + "/"
    empty = True
    for key in store.list(prefix):
        # "scans/a" means the object or the folder of that name, not "scans/abc.jpg"
        rest = key.removeprefix(prefix)
        if key.endswith("/") or not (prefix in ("", key) or prefix.endswith("/") or rest.startswith("/")):
            continue
        if key.startswith(own) and not prefix.startswith(own):
            notes.left_out[f"objects of the {names.STORE}"] += 1
            continue
        if names.no_document_at(rest.strip("/")) == names.SYSTEM:
            notes.left_out[names.SYSTEM] += 1
            continue
        empty = False
        yield Source(f"s3://{parts.netloc}/{names.shown(key)}", partial(store.get, key))
    if empty:
        raise UsageError(f"Nothing found at {names.shown(url)}: check the bucket and the key.")
