"""Plans of what is to be forgotten: in the store from before the first object is deleted until nothing is left.

A plan is the only object that still names the documents; a process that dies in between leaves it, and housekeeping
continues once it is old enough. Two processes at once might bring back what the other one has deleted, so a plan that
was begun a short time ago is left alone. It is kept for a while where a task was in progress, whose step may still
write.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import msgspec

from pipeline import clock
from pipeline.models import to_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

LEASE = timedelta(hours=2)
"""After which a plan that was begun and not carried out is taken to have been left by a process that died."""

SETTLED = timedelta(hours=1)
"""After which no step of a task that was forgotten while it was in progress runs any more."""

Stage = Literal["planned", "deleted"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One task: `seen`: when it was submitted; `hashes`: SHA-256 of its bytes; `keys`: its records and markers."""

    task_id: str
    seen: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    generations: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one run forgets.

    `nights`: whose tables have its rows. `receipts`: those that name it. `sources`, `lines`: what is searched for
    afterwards: URLs, and fingerprints of lines of text. `containers`: other tasks whose bytes have its documents
    inside. `working`: a task was in progress. `stage`: `planned`, or `deleted` once everything was deleted for the
    first time. `begun`: when it was begun last. `again`: not before this time is it done again.
    """

    run: str
    at: str
    actor: str
    by: tuple[str, ...] = ()
    reason: str = ""
    targets: tuple[Target, ...] = ()
    nights: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    working: bool = False
    stage: Stage = "planned"
    begun: str = ""
    again: str = ""

    @property
    def hashes(self) -> set[str]:
        """SHA-256 of all documents."""
        return {sha256 for target in self.targets for sha256 in target.hashes}


def note(store: Store, plan: Plan) -> None:
    """Write or replace a plan."""
    store.put(keys.forgetting(plan.run), to_json(plan))


def end(store: Store, plan: Plan) -> None:
    """Delete a plan: nothing names its documents any more."""
    store.delete(keys.forgetting(plan.run))
    store.purge(keys.forgetting(plan.run))


def is_begun(store: Store, plan: Plan) -> bool:
    """Whether a plan is there as it was begun: no other process has carried it out since, or is about to."""
    return read_or_none(store, keys.forgetting(plan.run), Plan) == plan


def is_due_again(store: Store, plan: Plan) -> bool:
    """Whether a plan that was carried out is to be carried out once more."""
    noted = read_or_none(store, keys.forgetting(plan.run), Plan)
    return noted is not None and bool(noted.again)


def plans(store: Store) -> Iterator[Plan]:
    """The plans that are not carried out, or not yet again."""
    for key in list(store.list(keys.FORGETTING)):
        if plan := read_or_none(store, key, Plan):
            yield plan


def in_progress(store: Store) -> Plan | None:
    """A plan that another process seems to be carrying out, `None` if there is none."""
    return next((plan for plan in plans(store) if plan.stage == "planned" and _is_fresh(plan)), None)


def left(store: Store, *, at_once: bool = False) -> Iterator[Plan]:
    """The plans that are to be continued now; `at_once`: also those that may still be in progress elsewhere."""
    for plan in plans(store):
        again = clock.moment(plan.again)
        due = not again or again <= clock.utc()
        if at_once or not _is_fresh(plan) if plan.stage == "planned" else due:
            yield plan


def _is_fresh(plan: Plan) -> bool:
    age = clock.age(clock.moment(plan.begun), clock.utc())
    return age is not None and age < LEASE


def task_ids(store: Store, stage: Stage | None = None) -> set[str]:
    """Ids of the tasks that are being forgotten: what is known of them contradicts itself meanwhile.

    `stage`: by the plans that are at this one only.
    """
    chosen = (plan for plan in plans(store) if stage in (None, plan.stage))
    return {target.task_id for plan in chosen for target in plan.targets}
