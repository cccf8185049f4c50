"""Claims: which submissions came under a task id, told by their origin, and which bytes those turned out to be.

An id belongs to the one submission that claimed it alone, for good, so that an id stays one task. Two that
claim it at the same moment see each other, and neither has it: stores offer no safer lock.
"""

from __future__ import annotations

import hashlib

import msgspec

from pipeline import keys, ledger
from pipeline.errors import NotFound
from pipeline.models import to_json
from pipeline.storage import Store


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a submission: its source without a URL's query, and its bytes once it was taken in.

    `failed`: the night in which taking it in failed; it may be tried anew.
    """

    source: str
    sha256: str | None = None
    failed: str = ""


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


def get(store: Store, task_id: str, origin: str) -> Claim | None:
    """One claim; raises `Damaged`."""
    return _read(store, keys.claim(task_id, origin))


def _read(store: Store, key: str) -> Claim | None:
    try:
        return ledger.read(store, key, Claim)
    except NotFound:
        return None


def note(store: Store, task_id: str, origin: str, claim: Claim) -> None:
    """Write or replace a claim."""
    store.put(keys.claim(task_id, origin), to_json(claim))


def take(store: Store, task_id: str, origin: str, source: str) -> bool:
    """Whether an id is this submission's, from now on or from before."""
    found, source = origins(store, task_id), ledger.public_source(source)
    if not found:
        return _only_with(store, task_id, origin, Claim(source=source), [])
    if found == [origin]:
        return True
    if origin in found:  # several claimed it at once: one may have it
        task, claim = ledger.pending(store, task_id), get(store, task_id, origin)
        return task.origin == origin if task else claim is not None and claim.sha256 is not None
    return len(found) == 1 and _resigned(store, task_id, origin, source, found[0])


def _only_with(store: Store, task_id: str, origin: str, claim: Claim, others: list[str]) -> bool:
    """Claim an id; when more than `others` claim it at the same moment, stand back."""
    note(store, task_id, origin, claim)
    if set(origins(store, task_id)) == {origin, *others}:
        return True
    store.delete(keys.claim(task_id, origin))
    return False


def _resigned(store: Store, task_id: str, origin: str, source: str, before: str) -> bool:
    """Take the place of a URL that failed and differs in its query alone: its signature was made anew."""
    old = get(store, task_id, before)
    if old is None or not old.failed or old.source != source or "://" not in source:
        return False
    if ledger.pending(store, task_id):  # redriven meanwhile
        return False
    if not _only_with(store, task_id, origin, old, [before]):
        return False
    store.delete(keys.claim(task_id, before))
    return True


def contents(store: Store, task_id: str) -> set[str]:
    """SHA-256 of the documents that an id is known to stand for: none, one, or more where the store is at fault."""
    task = ledger.pending(store, task_id)  # first, for what it says is noted before it ends
    found = [claim.sha256 for key in store.list(keys.claims(task_id)) if (claim := _read(store, key))]
    return {sha256 for sha256 in (task and task.sha256, *found) if sha256}
