"""Forgetting documents: what a plan names is deleted wherever it is, and what proves the rest is rewritten.

Everything may be done twice. The tombstones come first, then the markers, so that a step
in progress ends without a record, or takes it back (`pipeline.ledger.forgotten`). The bytes come last, and only those
that no other task has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, filterfalse

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import NotFound
from pipeline.ledger import forgetting, forgotten, pseudonyms, redaction, reported, restoring
from pipeline.ledger.forgetting import Plan, Target
from pipeline.ledger.forgotten import Tombstone
from pipeline.night import brake, inventory, originals, recount, resubmitted, selection
from pipeline.night.summaries import NIGHTS
from pipeline.storage import Store, keys
from pipeline.tables.names import TABLES
from pipeline.threads import in_threads

_NAMED = (
    keys.PARTIAL,
    keys.FAILED_AGAIN,
    keys.CALLBACKS,
    keys.UNDELIVERED,
    keys.DISCARDED,
    keys.DEADLINES,
    keys.DELAYED,
    keys.CHANGED,
)
"""Prefixes with a key per task that has something there, most have not: they are listed once."""
_SHOWN = 12  # digits of a hash that stand for a masked source


class Done(msgspec.Struct, kw_only=True):
    """What a run deleted.

    `documents`: bytes; `kept`: documents whose bytes other tasks have; `rows`: of the tables; `receipts`: lines of
    receipts; `locked`: earlier versions of objects that the store does not let go.
    """

    tasks: int = 0
    objects: int = 0
    documents: int = 0
    kept: int = 0
    rows: int = 0
    receipts: int = 0
    locked: int = 0


def carry_out(store: Store, plan: Plan) -> Done:
    """Delete all that a plan names; raises what the store raises, and `Damaged` for a table that can't be read."""
    resumed, plan = bool(plan.begun), structs.replace(plan, begun=clock.now())
    forgetting.note(store, plan)
    done = Done(tasks=len(plan.targets))
    forgotten.stamp(store, plan.run)
    stone = Tombstone(at=plan.at, actor=plan.actor, run=plan.run)
    for _ in in_threads(lambda t: _bury(store, t, stone), plan.targets):
        pass
    if (known := selection.with_ends(store, plan)) != plan:
        plan = known
        forgetting.note(store, plan)
    back = resubmitted.ids(store, plan, resumed=resumed)
    targets = [target for target in plan.targets if target.task_id not in back]
    _delete(store, (key for target in targets for key in _markers(store, target)), done)
    recorded = (key for target in plan.targets for key in resubmitted.own_of(store, target, target.keys))
    done.objects += _delete(store, recorded, done)
    listed = list(in_threads(lambda target: (target, _own(store, target)), targets))
    back |= resubmitted.ids(
        store, plan, resumed=True
    )  # this process may have been paused meanwhile, for long
    listed = [(target, names) for target, names in listed if target.task_id not in back]
    own = list(chain.from_iterable(names for _, names in listed))
    # a message that was delivered again may be in progress although its task has ended
    working = plan.working or any(key.startswith(keys.ATTEMPTS) for key in own)
    # before the claims: a new task that claims the id must not find itself superseded
    done.objects += _delete(store, filter(_is_generation, own), done)
    # claims before other notes: without them, a late process removes its own itself (`forgotten.take_back`)
    done.objects += _delete(store, filterfalse(_is_generation, own), done)
    done.objects += _delete(store, _named(store, {target.task_id for target, _ in listed}), done)
    brake.forget_examples(store, (*(target.task_id for target in plan.targets), *plan.sources))
    forgotten.stamp(store, f"{plan.run} {clock.now()}")  # who read the records before must read them again
    _remove_rows(store, plan, back, done, resumed=resumed)
    forgotten.stamp(store, f"{plan.run} {clock.now()} tables")  # and who read the tables
    done.locked += _purge_tables(store, plan)
    _remove_reports(store, plan, done)
    _redact(store, plan, back, done)
    _delete_documents(store, plan, back, done)
    overtaken = plan.stage == "planned" and not forgetting.is_begun(store, plan)
    forgetting.note(store, structs.replace(plan, stage="deleted", again=_soon() if working else ""))
    if overtaken:  # this process was paused later still
        resubmitted.give_back(store, listed)
    for _ in in_threads(lambda t: restoring.renew(store, t.task_id), plan.targets):
        pass
    return done


def _bury(store: Store, target: Target, stone: Tombstone) -> None:
    forgotten.bury(store, target.task_id, structs.replace(stone, seen=target.seen))
    for sha256 in target.hashes:
        forgotten.bury(store, sha256, stone)


def _soon() -> str:
    return (clock.utc() + forgetting.SETTLED).isoformat()


def _markers(store: Store, target: Target) -> list[str]:
    names = [keys.pending(target.task_id, number) for number in range(target.generations + 2)]
    return resubmitted.own_of(store, target, names)


def _named(store: Store, task_ids: set[str]) -> Iterator[str]:
    for prefix in _NAMED:
        name_in = keys.changed_task if prefix == keys.CHANGED else keys.task_id_of
        yield from [key for key in store.list(prefix) if name_in(key) in task_ids]


def _own(store: Store, target: Target) -> list[str]:
    """What is in a folder, or under a key, of the task itself."""
    prefixes = [keys.claims(target.task_id), keys.attempts_of(target.task_id)]
    prefixes += [keys.outputs_of(target.task_id, n) for n in range(target.generations + 2)]
    found = [key for prefix in prefixes for key in store.list(prefix)]
    url = keys.callback_url(target.task_id)
    return [*found, url] if store.exists(url) else found


def _is_generation(key: str) -> bool:
    """Whether a key of `_own` notes a generation."""
    return key.startswith(keys.CLAIMS) and not keys.origin_of(key)


def _delete(store: Store, names: Iterable[str], done: Done) -> int:
    """Delete objects, with their earlier versions; returns how many."""
    locked = list(in_threads(lambda key: originals.erase(store, key), names))
    done.locked += sum(locked)
    return len(locked)


def _remove_rows(store: Store, plan: Plan, back: Collection[str], done: Done, *, resumed: bool) -> None:
    from pipeline.tables.without import remove_rows

    gone = {target.task_id for target in plan.targets}
    counted = inventory.nights(store)[-NIGHTS:]
    for night in plan.nights:
        before = _look(store, night)
        done.rows += sum(remove_rows(store, night, gone).values())
        # a summary that was written meanwhile may have been replaced, also by a process that died, and a new task has
        # lost its rows; the latest nights are due by the number of their records, which may be what it was
        if back or resumed or night in counted or _look(store, night) != before:
            store.put(keys.changed(night, "tables", clock.now()), b"")


def _purge_tables(store: Store, plan: Plan) -> int:
    """Delete the earlier versions of the tables that may have had the tasks; returns how many are locked.

    Also those of parts that a summary has removed, and those of the nights between: a task that failed and was redriven
    had its rows there.
    """
    dates = {*plan.nights, *(name.run_date for key in plan.receipts if (name := keys.receipt_name(key)))}
    nights = [night for night in inventory.nights(store) if dates and min(dates) <= night <= max(dates)]
    parts = (keys.summary_parts(table, night) for night in nights for table in TABLES)
    return sum(in_threads(store.purge_below, parts))


def _remove_reports(store: Store, plan: Plan, done: Done) -> None:
    """Delete the morning reports that may show the documents; housekeeping writes them again."""
    names = {target.task_id for target in plan.targets} | {sha256[:_SHOWN] for sha256 in plan.hashes}
    nights = {*plan.nights, *reported.showing(store, names | set(plan.sources))}
    for night in keys.run_dates(store.folders(keys.REPORTS)):
        if night not in nights:
            continue
        reported.mark(store, night)
        done.locked += reported.erase(store, night)


def _look(store: Store, night: str) -> bytes:
    key = keys.night(night, "summarised")
    return store.get(key) if store.exists(key) else b""


def _redact(store: Store, plan: Plan, back: Mapping[str, set[str]], done: Done) -> None:
    """Forget the lines of all receipts that name the tasks, but those of their new submissions."""
    key = pseudonyms.key_of(store)
    names = {target.task_id: pseudonyms.pseudonym(key, target.task_id) for target in plan.targets}

    def rewrite(receipt: str) -> tuple[int, int]:
        try:
            old = {name: names[name] for name in names if receipt not in back.get(name, ())}
            count = redaction.rewrite(store, receipt, old, at=plan.at, actor=plan.actor, run=plan.run)
        except NotFound:  # which the audit reports
            return 0, 0
        return count, store.purge(receipt)

    for count, locked in in_threads(rewrite, plan.receipts):
        done.receipts += count
        done.locked += locked


def _delete_documents(store: Store, plan: Plan, back: Mapping[str, object], done: Done) -> None:
    """Delete bytes that no other task has, and all that was computed from them."""
    own = {target.task_id for target in plan.targets} - back.keys()
    others = {sha256 for sha256, users in inventory.users(store, plan.hashes).items() if users - own}
    done.kept = len(others)
    unused = sorted(plan.hashes - others)
    caches = (key for found in in_threads(lambda s: _caches(store, s), unused) for key in found)
    done.objects += _delete(store, caches, done)
    deleted = originals.delete(store, unused, own=own)
    done.documents += deleted.documents
    done.locked += deleted.locked


def _caches(store: Store, sha256: str) -> list[str]:
    return [key for prefix in keys.caches_of(sha256) for key in store.list(prefix)]


def is_about(store: Store, plan: Plan) -> Callable[[str | None], bool]:
    """Whether a dead letter about a task id is of a forgotten task: once a plan was carried out.

    Not where the id was submitted again since, and so has a claim: the letter may be of that task, whose failure needs
    one. What is left of the forgotten one goes with the sweeps of `pipeline.night.dead`.
    """
    names = {target.task_id for target in plan.targets}
    return lambda task_id: task_id in names and not restoring.accepted_on(store, task_id)


def finish(store: Store, plan: Plan, done: Done, **proof: object) -> None:
    """Leave a note of what was done, without personal data; the plan ends, unless a task was in progress."""
    report = {
        "run": plan.run,
        "at": plan.at,
        "actor": plan.actor,
        "by": plan.by,
        "reason": plan.reason,
        **structs.asdict(done),
        **proof,
    }
    store.put(keys.forgotten(plan.run), msgspec.json.encode(report))
    recount.ask(store)
    if not forgetting.is_due_again(store, plan):
        forgetting.end(store, plan)


def resume(store: Store, *, at_once: bool = False) -> int:
    """Carry out plans that a process has left, and those that are due again; returns how many.

    `at_once`: also those that another process may still be carrying out.
    """
    count = 0
    for plan in forgetting.left(store, at_once=at_once):
        done = carry_out(store, plan)
        if plan.stage == "planned":
            finish(store, plan, done)
        else:
            forgetting.end(store, plan)
        count += 1
    return count
