"""What the store knows of one task: a few reads, however large the store is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from pipeline.errors import Damaged
from pipeline.ledger import attempts, forgotten, generations, pending, removed, retries, tabled
from pipeline.ledger.actions import Action
from pipeline.ledger.forgotten import Tombstone
from pipeline.ledger.retries import Retry
from pipeline.models import DocumentResult, Failure, Task
from pipeline.night.callbacks import Due
from pipeline.night.night import Night
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_GENERATIONS = 50  # of which the notes are read


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What the claims to an id say: the run dates on which it was claimed, and how many submissions claimed it."""

    dates: tuple[str, ...] = ()
    origins: int = 0
    generation: int = 0


class Facts(msgspec.Struct, kw_only=True):
    """All that was read. `marker`: of the latest generation; `damaged`: why it cannot be read.

    `records`: the one that counts first. `gone`: run date from which retention removed its record. `begun`: the task of
    each later generation. `pages_read`: by the settings that have most of them. `first_pending`: the task whose id it
    came with is not ingested yet. `other_ids`: of documents that came with this id, and were given another one.
    """

    task_id: str
    claimed: Claimed
    marker: Task | None = None
    damaged: str = ""
    records: list[DocumentResult] = []
    discarded: bool = False
    failed_again: DocumentResult | None = None
    gone: str = ""
    tombstones: list[Tombstone] = []
    begun: list[Task] = []
    retries: list[Retry] = []
    attempts: int = 0
    pages_read: int = 0
    entities: bool = False
    due: Due | None = None
    undelivered: Failure | None = None
    other_ids: tuple[str, ...] = ()
    original: bool = False
    first_pending: bool = False
    actions: list[Action] = []

    @property
    def known(self) -> bool:
        """Whether the store knows this id at all."""
        return bool(self.marker or self.damaged or self.records or self.tombstones or self.gone) or bool(
            self.claimed.origins
        )

    @property
    def is_only_forgotten(self) -> bool:
        """Whether there is nothing but tombstones."""
        return bool(self.tombstones) and not (
            self.marker or self.damaged or self.records or self.claimed.origins
        )

    @property
    def record(self) -> DocumentResult | None:
        """The record that counts."""
        return self.records[0] if self.records else None


def of(night: Night, task_id: str, days: int) -> Facts:
    """Read the facts of one id; records of the nights since its claims, at most of the latest `days` nights.

    Raises `StoreUnavailable`, and `PermanentError` for an id that no task can have.
    """
    store = night.store
    facts = Facts(task_id=task_id, claimed=_claimed(store, task_id))
    try:
        facts.marker = pending.get(store, task_id, facts.claimed.generation)
    except Damaged as error:
        facts.damaged = error.message
    facts.records = _records(night, facts, days)
    if store.exists(keys.control("forgotten")):
        facts.tombstones = sorted(forgotten.tombstones(store, task_id), key=lambda stone: stone.at)
    if not facts.known:
        return facts
    if not (facts.marker or facts.damaged or facts.records):
        facts.gone = _removed_from(store, facts)
    _progress(store, facts)
    _end(store, facts)
    latest = min(facts.claimed.generation, _GENERATIONS)
    begun = (generations.task_of(store, task_id, number) for number in range(1, latest + 1))
    facts.begun = [task for task in begun if task]
    facts.other_ids = _other_ids(store, task_id)
    return facts


def _claimed(store: Store, task_id: str) -> Claimed:
    found, origins, generation = set(), set(), 0
    for key in store.list(keys.claims(task_id)):
        if origin := keys.origin_of(key):
            origins.add(origin)
            found.add(keys.taken_on(key))
        else:
            generation = max(generation, generations.number_in(key))
    return Claimed(dates=tuple(sorted(found - {""})), origins=len(origins), generation=generation)


def nights(store: Store, today: str, days: int) -> list[str]:
    """Run dates that have receipts, results, failures or tables, newest first: of the last `days` days."""
    prefixes = (keys.RESULTS, keys.FAILED, keys.RECEIPTS, f"{keys.SUMMARY}documents/")
    named = keys.run_dates(name for prefix in prefixes for name in store.folders(prefix))
    first = (datetime.fromisoformat(today) - timedelta(days=days)).date().isoformat()
    return [day for day in reversed(named) if day > first]


def _records(night: Night, facts: Facts, days: int) -> list[DocumentResult]:
    """Records of the task: first where its claims and its marker say, then in the nights since."""
    store, marker = night.store, facts.marker
    own = [marker.run_date, marker.accepted_on, marker.replaces] if marker else []
    known = list(dict.fromkeys(filter(None, (*own, *facts.claimed.dates))))
    if found := _records_of(store, facts, known):
        return found
    since = min(known, default="")
    others = [d for d in nights(store, night.schedule.run_date(), days) if d >= since and d not in known]
    for day in sorted(others) if since else others:
        if found := _records_of(store, facts, [day]):
            return found
    return []


def _records_of(store: Store, facts: Facts, dates: Iterable[str]) -> list[DocumentResult]:
    found = []
    for day in dates:
        names = [keys.result(day, facts.task_id)]
        names += [keys.failed(day, facts.task_id, n) for n in range(facts.claimed.generation + 1)]
        found += [one for key in names if (one := read_or_none(store, key, DocumentResult))]
    return sorted(found, key=lambda one: (one.status == "failed", -one.generation, one.run_date))


def _removed_from(store: Store, facts: Facts) -> str:
    """The night whose tables have the task, although retention has removed its record; empty if there is none."""
    for day in facts.claimed.dates:
        first = datetime.fromisoformat(day).date()
        for later in range(3):  # it may have ended in a later night than it was accepted for
            night = (first + timedelta(days=later)).isoformat()
            if removed.of(store, night).records:
                with suppress(Damaged):
                    if facts.task_id in tabled.rows(store, night):
                        return night
    return ""


def _progress(store: Store, facts: Facts) -> None:
    """How far a pending task has got."""
    task = facts.marker
    facts.retries = sorted(retries.of_task(store, facts.task_id), key=lambda one: one.due)
    notes = keys.retries_of(facts.task_id)
    for key in store.list(keys.attempts_of(facts.task_id)):
        if not key.startswith(notes) and (last := read_or_none(store, key, attempts.Attempts)):
            facts.attempts = max(facts.attempts, last.count)
    if task and task.alias_of:
        with suppress(Damaged):
            first = pending.newest(store, task.alias_of)
            facts.first_pending = first is not None and first.sha256 is None
    if task is None or task.sha256 is None or (task.reprocess and not task.reading):
        return  # of a document that is processed again, what is there may be of other models
    prefix = keys.pages(task.sha256, task.reading) if task.reading else keys.readings(task.sha256)
    counts: dict[str, int] = {}
    for key in store.list(prefix):
        folder = key.rpartition("/")[0]
        counts[folder] = counts.get(folder, 0) + 1
    facts.pages_read = min(max(counts.values(), default=0), task.pages)
    facts.entities = any(store.list(keys.caches_of(task.sha256)[1]))


def _end(store: Store, facts: Facts) -> None:
    """What belongs to the record that counts."""
    record = facts.record
    if record is None:
        return
    task_id, day = facts.task_id, record.run_date
    if record.status == "failed":
        facts.discarded = store.exists(keys.discarded(keys.failed(day, task_id, record.generation)))
    else:
        facts.failed_again = read_or_none(store, keys.failed_again(day, task_id), DocumentResult)
    if record.callback_url:
        facts.due = read_or_none(store, keys.callback(day, task_id, record.generation), Due)
        facts.undelivered = read_or_none(store, keys.undelivered(day, task_id, record.generation), Failure)
    facts.original = bool(record.sha256) and store.exists(keys.document(record.sha256 or ""))


def _other_ids(store: Store, task_id: str) -> tuple[str, ...]:
    """Ids that other documents were given that came with this id."""
    begins = keys.derived_from(task_id, "0" * 12)
    prefix = keys.CLAIMS + keys.beginning(begins)
    names = (keys.claimed_task(key) for key in store.list(prefix))
    return tuple(dict.fromkeys(name for name in islice(names, 100) if name != task_id))
