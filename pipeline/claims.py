"""Claims: which submissions came under a task id, told by their origin, and which bytes those turned out to be.

An id belongs to the one submission that claimed it alone; nothing deletes its claim, so an id stays one task.
Two that claim it at the same moment see each other, and neither has it: stores offer no safer lock.
"""

from __future__ import annotations

import hashlib

import msgspec

from pipeline import keys, ledger
from pipeline.errors import NotFound
from pipeline.models import to_json
from pipeline.storage import Store


class Claim(msgspec.Struct, frozen=True):
    """What the bytes are, `None` until the document was taken in."""

    sha256: str | None


def origin_of(source: str, data: bytes | None) -> str:
    """Digest of where a submission came from, the query of a signed URL included."""
    return hashlib.sha256(source.encode() + b"\0" + (data or b"")).hexdigest()[:12]


def origins(store: Store, task_id: str) -> list[str]:
    """Origins that have claimed an id."""
    return [keys.origin_of(key) for key in store.list(keys.claims(task_id))]


def only(store: Store, task_id: str) -> str:
    """The one origin that has claimed an id, empty if none or several have."""
    found = origins(store, task_id)
    return found[0] if len(found) == 1 else ""


def note(store: Store, task_id: str, origin: str, sha256: str | None) -> None:
    """Claim an id, or note which bytes the claim turned out to be about."""
    store.put(keys.claim(task_id, origin), to_json(Claim(sha256)))


def alone(store: Store, task_id: str, origin: str) -> bool:
    """Claim an id that nobody has; false, and no claim left, if somebody else did at the same moment."""
    note(store, task_id, origin, None)
    if origins(store, task_id) == [origin]:
        return True
    store.delete(keys.claim(task_id, origin))
    return False


def contents(store: Store, task_id: str) -> set[str]:
    """SHA-256 of the documents that an id is known to stand for: none, one, or more where the store is at fault."""
    task = ledger.pending(store, task_id)  # first, for what it says is noted before it ends
    found = {_sha256(store, key) for key in store.list(keys.claims(task_id))}
    return {sha256 for sha256 in (task and task.sha256, *found) if sha256}


def sha256_of(store: Store, task_id: str, origin: str) -> str | None:
    """What the bytes of one claim are, as far as is known."""
    return _sha256(store, keys.claim(task_id, origin))


def _sha256(store: Store, key: str) -> str | None:
    try:
        return ledger.read(store, key, Claim).sha256
    except NotFound:
        return None
