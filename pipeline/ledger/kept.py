"""The documents' bytes in the store, compared with the hashes under which they were received."""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Literal

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger.comparison import Ended
from pipeline.ledger.gaps import Gap
from pipeline.ledger.track import Track
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_THREADS = 8  # each holds a whole document in memory


class Kept(msgspec.Struct):
    """How many documents were read and are as received, their bytes, and how many ended ones are no longer kept."""

    documents: int = 0
    bytes: int = 0
    not_kept: int = 0
    gaps: list[Gap] = []


Wanted = MutableMapping[str, Ended]
"""Documents whose bytes are to be read, by their keys, each with a task that it is of."""


def add_to(wanted: Wanted, one: Ended) -> None:
    """Want the document of a task: each is read once. What is pending needs its bytes; what has ended does not."""
    with suppress(ValueError):  # no hash: an edited record
        if one.sha256 and (keys.document(one.sha256) not in wanted or one.status == "pending"):
            wanted[keys.document(one.sha256)] = one


def check(store: Store, wanted: Wanted, track: Track) -> Kept:
    """Hash the bytes of each document."""
    kept = Kept()
    sizes = in_threads(lambda key: _size(store, key), wanted, threads=_THREADS, batch=1)
    for (key, one), size in zip(wanted.items(), track(sizes, "documents", len(wanted)), strict=True):
        if isinstance(size, int):
            kept.documents += 1
            kept.bytes += size
        elif size == "changed":
            detail = (
                f"{key} does not hold the bytes that were received: restore it from a backup, or delete it; what was "
                "read of it since it was changed is not about this document"
            )
            kept.gaps.append(_gap("document_changed", one, detail))
        elif one.status == "pending":
            detail = f"is pending, but {key} is missing: restore it from a backup, or submit it again"
            kept.gaps.append(_gap("document_missing", one, detail))
        else:
            kept.not_kept += 1
    return kept


def _size(store: Store, key: str) -> int | Literal["missing", "changed"]:
    """Bytes of a document, if they are those that were stored under this key."""
    try:
        data = store.get(key)
    except NotFound:
        return "missing"
    except Damaged:
        return "changed"
    return len(data) if keys.document(hashlib.sha256(data).hexdigest()) == key else "changed"


def _gap(kind: Literal["document_missing", "document_changed"], one: Ended, detail: str) -> Gap:
    return Gap(kind=kind, task_id=one.task_id, source=one.source, detail=detail)
