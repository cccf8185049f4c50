"""Claims: which submissions used a task id, identified by their origin, and which bytes they had.

An id belongs permanently to the one submission that claimed it alone, so that an id stays one task. Two that claim it
at the same moment see each other, and neither gets it: stores offer no safer lock. A claim is an object named by its
origin and its run date, which is written once and never replaced: a process that was paused before it wrote its own
finds the others. What ingest finds out is in an object of its own.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import NamedTuple

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import generations, pending
from pipeline.models import to_json
from pipeline.storage import Store, keys, objects

_SUBMISSION = 12  # digits at the end of an origin; those before them are of the tenant


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest found out about a submission: the hash of its bytes, or the run date on which it failed.

    `refused`: run date on which it was refused, if it was never accepted: it has not used up its id.
    """

    sha256: str | None = None
    failed: str = ""
    refused: str = ""


def origin_of(source: str, data: bytes | None, tenant: str = "") -> str:
    """Digest of the source of a submission, including the query of a signed URL, after one of its tenant.

    `tenant`: where it is bound to broker users, so that no other one can take its ids (`pipeline.tenants`).
    """
    return (
        _mark_of(tenant) + hashlib.sha256(source.encode() + b"\0" + (data or b"")).hexdigest()[:_SUBMISSION]
    )


def _mark_of(tenant: str) -> str:
    return hashlib.sha256(tenant.encode()).hexdigest()[:_SUBMISSION] if tenant else ""


def same_tenant(origin: str, other: str) -> bool:
    """Whether two submissions are of the same tenant, or of none that is bound."""
    return origin[:-_SUBMISSION] == other[:-_SUBMISSION]


def names_source(store: Store, task_id: str, source: str) -> bool:
    """Whether this is the whole source of a submission of this id; not where it is shown without its query."""
    digest = origin_of(source, None)
    return any(origin.endswith(digest) for origin in origins(store, task_id))


class Known(NamedTuple):
    """The run dates on which each origin has claimed an id, and the latest generation of its task.

    An empty run date is the claim of an older version, or what ingest has noted.
    """

    origins: dict[str, list[str]]
    generation: int

    def accepted_on(self, origin: str, otherwise: str) -> str:
        """The first run date on which an origin claimed the id."""
        return min(filter(None, self.origins.get(origin, ())), default=otherwise)


def look(store: Store, task_id: str) -> Known:
    """What has been claimed of an id."""
    found: dict[str, list[str]] = {}
    generation = 0
    for key in store.list(keys.claims(task_id)):
        if origin := keys.origin_of(key):
            found.setdefault(origin, []).append(keys.taken_on(key))
        else:
            generation = max(generation, generations.number_in(key))
    return Known(found, generation)


def origins(store: Store, task_id: str) -> list[str]:
    """Origins that have claimed an id."""
    return list(look(store, task_id).origins)


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


def note_first(store: Store, task_id: str, origin: str, claim: Claim) -> bool:
    """Write what is known of a submission, unless something was known before; whether it was written."""
    return store.put_new(keys.claim(task_id, origin), to_json(claim))


def note(store: Store, task_id: str, origin: str, claim: Claim) -> None:
    """Write or replace what is known of a submission."""
    store.put(keys.claim(task_id, origin), to_json(claim))


def claim(store: Store, task_id: str, origin: str, run_date: str) -> None:
    """Claim an id for a submission; whether it gets it shows when it looks again."""
    store.put(keys.taken(task_id, origin, run_date), b"")


def claim_first(store: Store, task_id: str, origin: str, run_date: str) -> bool:
    """Claim an id as `claim` does; whether this submission had not claimed it on this run date before."""
    return store.put_new(keys.taken(task_id, origin, run_date), b"")


class Taken(NamedTuple):
    """Whether an id belongs to this submission (`mine`), and whether it had been claimed before (`known`).

    `accepted_on`: run date of its receipt, the same for all who ask. `generation`: the latest of its task. `others`:
    origins of the other submissions that were seen to claim it.
    """

    mine: bool
    known: bool
    accepted_on: str = ""
    generation: int = 0
    others: tuple[str, ...] = ()

    def foreign(self, origin: str) -> bool:
        """Whether only submissions of other tenants have claimed it, so that it is another task under the same id."""
        return bool(self.others) and not any(same_tenant(origin, other) for other in self.others)


def take(store: Store, task_id: str, origin: str, run_date: str) -> Taken:
    """Claim an id for a submission on this run date, unless it belongs to another one; raises `Damaged`."""
    found = look(store, task_id)
    if not found.origins:
        return _alone(store, task_id, origin, run_date)
    return _known(store, task_id, origin, found, run_date)


def _known(store: Store, task_id: str, origin: str, found: Known, run_date: str) -> Taken:
    if origin not in found.origins or len(found.origins) == 1:
        mine = origin in found.origins
    else:  # several claimed it at once: one of them may have got it
        task = pending.get(store, task_id, found.generation)
        mine = task.origin == origin if task else _has_ended(get(store, task_id, origin))
    others = tuple(other for other in found.origins if other != origin)
    return Taken(mine, True, found.accepted_on(origin, run_date), found.generation, others)


def _has_ended(claim: Claim) -> bool:
    return claim != Claim() and not claim.refused


def refused_on(store: Store, task_id: str, origin: str) -> str:
    """The last run date on which submissions under this id were refused, if none was ever accepted; else empty.

    An empty claim of `origin` itself does not count: its acceptance was interrupted. Those of other tenants are theirs.
    """
    found = {other: get(store, task_id, other) for other in origins(store, task_id)}
    if not all(same_tenant(origin, other) for other in found):
        return ""
    counted = [claim.refused for other, claim in found.items() if other != origin or claim != Claim()]
    return max(counted, default="") if all(counted) else ""


def _alone(store: Store, task_id: str, origin: str, run_date: str) -> Taken:
    claim(store, task_id, origin, run_date)
    while not (found := look(store, task_id)).origins:  # forgotten meanwhile, with the task that had the id
        claim(store, task_id, origin, run_date)
    if list(found.origins) == [origin]:
        known = found.origins[origin] != [run_date]  # by another process, since it was looked up
        return Taken(True, known, found.accepted_on(origin, run_date), found.generation)
    store.delete(keys.taken(task_id, origin, run_date))
    return Taken(False, False, others=tuple(other for other in found.origins if other != origin))


def contents(store: Store, task_id: str, like: str | None = None) -> set[str]:
    """SHA-256 of the documents known under an id: none, one, or more if the store is inconsistent.

    `like`: only those of the tenant that this origin is of.
    """
    known = look(store, task_id)
    found = set()
    with suppress(Damaged):
        # read first: its hash is noted as a claim before the task ends
        task = pending.get(store, task_id, known.generation)
        if task and (like is None or same_tenant(like, task.origin)):
            found.add(task.sha256)
    for origin in (one for one in known.origins if like is None or same_tenant(like, one)):
        with suppress(Damaged):
            found.add(get(store, task_id, origin).sha256)
    return {sha256 for sha256 in found if sha256}
