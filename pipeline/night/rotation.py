"""Rotation: objects that are not encrypted with the first key are encrypted again with it.

Workers may run meanwhile, and no store can write an object only if it is unchanged. So

- what belongs to a task that has not ended is left alone: it is replaced or deleted when the task ends,
- an object that never changes is written if it still exists,
- any other is read again just before it is written, and left alone if it has changed.

Encrypting the same object again does no harm, so an interrupted rotation is simply run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import msgspec

from pipeline.encryption import header
from pipeline.encryption.header import BadHeader, Locked
from pipeline.errors import Damaged, NotFound, UsageError
from pipeline.ledger import generations
from pipeline.storage import EncryptedStore, keys
from pipeline.threads import in_threads

PLAIN, EMPTY, DAMAGED = "plain", "empty", "damaged"
"""What is not under any key, next to the key ids: not encrypted, nothing to encrypt, no whole header."""

_UNCHANGING = (keys.DOCUMENTS, keys.RECEIPTS, "ocr/", "ner/")
_WORK = (keys.PENDING, keys.DEADLINES, keys.DELAYED, keys.CALLBACKS)  # deleted by the work itself

Kind = Literal["current", "rewritten", "in_progress", "changed", "locked", "damaged"]
"""`current`: nothing to do. `in_progress`: of a task that has not ended. `changed`, or deleted, by another process at
the same moment. `locked`: its key is not in the settings. `damaged`: not what was encrypted, or refused as plain."""

_REMAINING: tuple[Kind, ...] = ("in_progress", "changed", "locked", "damaged")


class Looked(msgspec.Struct, frozen=True):
    """One object: what became of it, and the sentence that says why it could not be encrypted again."""

    key: str
    kind: Kind
    why: str = ""


class Rotated(msgspec.Struct, frozen=True):
    """How many objects ended as each `Kind`, and the sentences about `locked` and `damaged` ones (100 at most)."""

    counts: dict[str, int]
    problems: list[str]

    @property
    def remaining(self) -> int:
        """Objects that are not encrypted with the first key yet."""
        return sum(self.counts.get(kind, 0) for kind in _REMAINING)


def count(store: EncryptedStore) -> Iterator[Counter[str]]:
    """How many objects are under which key id, or `PLAIN`, `EMPTY`, `DAMAGED`: the counts so far, now and then."""
    counts: Counter[str] = Counter()
    looked = in_threads(lambda key: _under(store, key), store.list(""))
    for number, under in enumerate(looked):
        if under:
            counts[under] += 1
        if number % 100 == 0:
            yield counts
    yield counts


def rotate(store: EncryptedStore) -> Iterator[Looked]:
    """Encrypt with the first key what is not; yields each object. Raises `UsageError` without keys."""
    if store.keyring.first is None:
        raise UsageError(
            "There is no key to rotate to: set NIGHTSHIFT_ENCRYPTION_KEYS (docs/how-to/encryption.md)."
        )
    return in_threads(lambda key: _renew(store, key), store.list(""), threads=8, batch=8)


def summed(looked: Iterator[Looked]) -> Rotated:
    """What became of all of them."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for one in looked:
        counts[one.kind] += 1
        if one.why and len(problems) < 100:
            problems.append(one.why)
    return Rotated(dict(counts), problems)


def _under(store: EncryptedStore, key: str) -> str:
    """The id of an object's key, or `PLAIN`, `EMPTY`, `DAMAGED`; empty if it was deleted meanwhile."""
    with suppress(NotFound):
        try:
            head = store.inner.head(key, header.LONGEST)
            if header.is_sealed(head):
                return header.parse(head).key_id
            return PLAIN if head else EMPTY
        except (BadHeader, Locked):
            return DAMAGED
    return ""


def _renew(store: EncryptedStore, key: str) -> Looked:
    try:
        return Looked(key, _renewed(store, key))
    except NotFound:
        return Looked(key, "changed")
    except Locked as error:
        return Looked(key, "locked", error.message)
    except Damaged as error:
        return Looked(key, "damaged", error.message)


def _renewed(store: EncryptedStore, key: str) -> Kind:
    first, under = store.keyring.first, _under(store, key)
    assert first is not None
    if under in (first.id, EMPTY) or (under == PLAIN and store.stays_plain(key)):
        return "current"
    if _in_progress(store, key):
        return "in_progress"
    before = store.inner.get(key)
    data = store.opened(key, before)
    unchanged = store.exists(key) if key.startswith(_UNCHANGING) else store.inner.get(key) == before
    if not unchanged:
        return "changed"
    store.put(key, data)
    return "rewritten"


def _in_progress(store: EncryptedStore, key: str) -> bool:
    """Whether an object belongs to a task that has not ended, whose steps may replace or delete it."""
    if key.startswith(_WORK):
        return True
    task_id = keys.owner(key)
    return bool(task_id) and store.exists(keys.pending(task_id, generations.latest(store, task_id)))
