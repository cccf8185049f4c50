"""Ids that were submitted again since it was planned to forget what they named: what is under them is of another task.

A process that forgets may be paused for hours at any call, while another one carries out its plan and the id is free.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.ledger import claims, forgotten, receipts, restoring
from pipeline.ledger.forgetting import Plan, Target
from pipeline.night import inventory
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none
from pipeline.threads import in_threads


class _Found(msgspec.Struct, frozen=True):
    """What is read of a record or marker."""

    sha256: str | None = None
    receipt: str = ""


def ids(store: Store, plan: Plan, *, resumed: bool) -> dict[str, set[str]]:
    """Those of a plan, each with the receipts of its new submissions that are known.

    `resumed`: also those whose new task may have ended, as this process may have been paused.
    """
    looked = in_threads(lambda t: (t.task_id, _receipts(store, t, plan, resumed=resumed)), plan.targets)
    return {task_id: named for task_id, named in looked if named is not None}


def _receipts(store: Store, target: Target, plan: Plan, *, resumed: bool) -> set[str] | None:
    """Those of an id that was submitted again since it was planned to forget it: that is another task, or was one."""
    known = [keys.pending(target.task_id)]
    if resumed:
        known += inventory.just_ended(store, target.task_id, target.generations)
    if new := [key for key in known if _is_new(store, target, key)]:
        return {found.receipt for key in new if (found := read_or_none(store, key, _Found))}
    claimed = resumed and plan.stage != "planned" and restoring.accepted_on(store, target.task_id)
    return set() if claimed else None


def _is_new(store: Store, target: Target, key: str) -> bool:
    return forgotten.since_of(store, key) not in (None, *target.seen)


def own_of(store: Store, target: Target, names: Iterable[str]) -> list[str]:
    """Those records or markers that are a target's; since the plan was made, a new task may have the same keys."""
    return [key for key in names if not _is_new(store, target, key)]


def give_back(store: Store, deleted: Iterable[tuple[Target, list[str]]]) -> None:
    """Write the claims of new tasks again, which this process has deleted with these keys as it was paused before.

    Else their ids would be free, and the same document could be accepted twice.
    """
    free = [(target, names) for target, names in deleted if not restoring.accepted_on(store, target.task_id)]
    lost: dict[str, list[tuple[Target, str]]] = {}  # by run date
    for target, names in free:
        for key in names:
            if (origin := keys.origin_of(key)) and (run_date := keys.taken_on(key)):
                lost.setdefault(run_date, []).append((target, origin))
    for run_date, claimed in lost.items():
        received = receipts.received(store, run_date, {target.task_id for target, _ in claimed})
        for target, origin in claimed:
            if target.task_id in received:
                claims.claim(store, target.task_id, origin, run_date)
                if sha256 := _new_bytes(store, target):
                    claims.note_first(store, target.task_id, origin, claims.Claim(sha256=sha256))


def _new_bytes(store: Store, target: Target) -> str | None:
    """The hash of the bytes of an id's new task, if it is known."""
    known = [keys.pending(target.task_id), *inventory.just_ended(store, target.task_id, target.generations)]
    found = (read_or_none(store, key, _Found) for key in known if _is_new(store, target, key))
    return next((one.sha256 for one in found if one and one.sha256), None)
