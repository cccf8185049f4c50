"""Claims: which submissions used a task id, identified by their origin, and which bytes they had.

An id belongs permanently to the one submission that claimed it alone, so that an id stays one task. Two that claim it
at the same moment see each other, and neither gets it: stores offer no safer lock.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import NamedTuple

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import pending
from pipeline.models import to_json
from pipeline.storage import Store, keys, objects


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest found out about a submission: the hash of its bytes, or the run date on which it failed."""

    sha256: str | None = None
    failed: str = ""


def origin_of(source: str, data: bytes | None) -> str:
    """Digest of the source of a submission, including the query of a signed URL."""
    return hashlib.sha256(source.encode() + b"\0" + (data or b"")).hexdigest()[:12]


def origins(store: Store, task_id: str) -> list[str]:
    """Origins that have claimed an id."""
    return [keys.origin_of(key) for key in store.list(keys.claims(task_id))]


def only(store: Store, task_id: str) -> str:
    """The only origin that has claimed an id; empty if none or several have."""
    found = origins(store, task_id)
    return found[0] if len(found) == 1 else ""


def get(store: Store, task_id: str, origin: str) -> Claim:
    """One claim; an empty one if there is none. Raises `Damaged`."""
    try:
        return objects.read(store, keys.claim(task_id, origin), Claim)
    except NotFound:
        return Claim()


def note(store: Store, task_id: str, origin: str, claim: Claim) -> None:
    """Write or replace a claim."""
    store.put(keys.claim(task_id, origin), to_json(claim))


class Taken(NamedTuple):
    """Whether an id belongs to this submission (`mine`), and whether it had been claimed before (`known`)."""

    mine: bool
    known: bool


def take(store: Store, task_id: str, origin: str) -> Taken:
    """Claim an id for a submission, unless it belongs to another one; raises `Damaged`."""
    found = origins(store, task_id)
    if not found:
        return Taken(_alone(store, task_id, origin), known=False)
    if origin not in found or found == [origin]:
        return Taken(origin in found, known=True)
    task = pending.get(store, task_id)  # several claimed it at once: one of them may have got it
    mine = task.origin == origin if task else get(store, task_id, origin) != Claim()
    return Taken(mine, known=True)


def _alone(store: Store, task_id: str, origin: str) -> bool:
    note(store, task_id, origin, Claim())
    if origins(store, task_id) == [origin]:
        return True
    store.delete(keys.claim(task_id, origin))
    return False


def contents(store: Store, task_id: str) -> set[str]:
    """SHA-256 of the documents known under an id: none, one, or more if the store is inconsistent."""
    found = set()
    with suppress(Damaged):
        task = pending.get(store, task_id)  # read first: its hash is noted as a claim before the task ends
        found.add(task and task.sha256)
    for origin in origins(store, task_id):
        with suppress(Damaged):
            found.add(get(store, task_id, origin).sha256)
    return {sha256 for sha256 in found if sha256}
