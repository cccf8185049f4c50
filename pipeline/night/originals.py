"""Deleting the bytes of documents that no task needs, while others may be accepted with the same bytes.

No lock keeps a document from being accepted meanwhile. So a part of the bytes is read and deleted, then the store is
asked who needs them now, and those are written back. A process that accepts one later finds that its bytes are not
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from datetime import timedelta
from typing import NamedTuple

from pipeline import clock
from pipeline.errors import NotFound
from pipeline.night import inventory
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_BYTES = 64 * 1024**2  # that one part holds in memory, without what is being read
_MOST = 1000  # documents of one part
_AT_ONCE = 4  # documents that are being read
_LATELY = timedelta(days=2)  # what is accepted meanwhile ends on a run date that is no older


class Deleted(NamedTuple):
    """Documents whose bytes were deleted, and earlier versions of them that the store does not let go."""

    documents: int = 0
    locked: int = 0


def erase(store: Store, key: str) -> int:
    """Delete an object with its earlier versions; returns how many of these are locked."""
    store.delete(key)
    return store.purge(key)


def delete(store: Store, hashes: Iterable[str], *, since: str = "", own: Set[str] = frozenset()) -> Deleted:
    """Delete the bytes of documents by SHA-256, but those that are needed by a task that was accepted meanwhile.

    `since`: needed are those of pending tasks, and of records from this run date on, or of the last days. `own`: tasks
    whose rows do not count. Raises `Damaged`, and what the store raises: then the part that was begun is written back.
    """
    since = max(since, f"{clock.utc() - _LATELY:%Y-%m-%d}")
    needed: Set[str] = frozenset()
    count = locked = 0
    for part in _parts(store, hashes):
        found = {sha256: data for sha256, data in part.items() if sha256 not in needed}
        needed, refused = _delete(store, found, lambda: _needed(store, since, own))
        count += len(found.keys() - needed)
        locked += refused
    return Deleted(count, locked)


def _parts(store: Store, hashes: Iterable[str]) -> Iterator[dict[str, bytes]]:
    """The bytes that there are, by SHA-256, in parts that fit in memory."""
    part: dict[str, bytes] = {}
    size = 0
    names = sorted(hashes)
    for start in range(0, len(names), _AT_ONCE):
        reading = names[start : start + _AT_ONCE]
        for sha256, data in in_threads(lambda name: (name, _read(store, name)), reading, batch=1):
            if data is not None:
                part[sha256] = data
                size += len(data)
        if size >= _BYTES or len(part) >= _MOST:
            yield part
            part, size = {}, 0
    if part:
        yield part


def _read(store: Store, sha256: str) -> bytes | None:
    try:
        return store.get(keys.document(sha256))
    except NotFound:
        return None


def _delete(store: Store, part: dict[str, bytes], needed_now: Callable[[], Set[str]]) -> tuple[Set[str], int]:
    """Delete a part; returns the hashes that are needed now, and the locked versions."""
    needed: Set[str] = part.keys()  # until that is known
    try:
        locked = sum(in_threads(lambda sha256: erase(store, keys.document(sha256)), part))
        needed = needed_now()
    finally:
        for sha256 in part.keys() & needed:
            store.put(keys.document(sha256), part[sha256])
    if (back := part.keys() & needed) and (unused := back - needed_now()):  # these were forgotten meanwhile
        again, more = _delete(store, {sha256: part[sha256] for sha256 in unused}, needed_now)
        return (needed - unused) | again, locked + more
    return needed, locked


def _needed(store: Store, since: str, own: Set[str]) -> set[str]:
    items = inventory.items(store, since=since)
    return {item.sha256 for item in items if item.sha256 and (item.key or item.task_id not in own)}
