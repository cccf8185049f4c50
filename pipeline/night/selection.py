"""Which tasks are forgotten, and everything that must be known of them before they are."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Set
from itertools import chain, islice

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, NotFound
from pipeline.ledger import claims, forgotten, redaction
from pipeline.ledger.forgetting import Plan, Target
from pipeline.models import from_json
from pipeline.night import containers, inventory
from pipeline.night.fingerprints import Fingerprints
from pipeline.night.inventory import Item
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_ORIGIN = re.compile(r"((?:[0-9a-f]{12}){1,2})(?:-\d+)?")
_MARKS = ("0" * 12, "0" * 12 + "-2", "0" * 12 + "-10")  # of each length: a long id is shortened for it
_LINES = 50  # of one document, ...
_ALL_LINES = 200_000  # ... and of all of them, that are searched for afterwards


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be forgotten: all that is given must fit.

    `before`: run dates before this one, `night`: what the tables of this one have; of what has ended, and is on no
    other night.
    """

    sha256: str = ""
    task_id: str = ""
    tenant: str = ""
    before: str = ""
    night: str = ""

    @property
    def by(self) -> tuple[str, ...]:
        """The names of what is given, for reports: the values may be personal data."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name))

    def fits(self, item: Item, derived: Set[str] = frozenset()) -> bool:
        """Whether a task is chosen; with its id, also those that were `derived` from it."""
        if self.task_id and item.task_id != self.task_id and item.task_id not in derived:
            return False
        if self.sha256 and item.sha256 != self.sha256:
            return False
        if self.tenant and item.tenant != self.tenant:
            return False
        if self.night and not (item.ended and item.run_date == self.night):
            return False
        return not self.before or (item.ended and item.run_date < self.before)


class _Page(msgspec.Struct, frozen=True):
    text: str = ""


class _Record(msgspec.Struct, frozen=True):
    """What is read of a record or a marker."""

    source: str = ""
    sha256: str | None = None
    submitted_at: str = ""
    first_seen: str = ""
    receipt: str = ""
    accepted_on: str = ""
    run_date: str = ""
    replaces: str = ""
    generation: int = 0
    pages: tuple[_Page, ...] | int = ()

    @property
    def texts(self) -> list[str]:
        return [page.text for page in self.pages] if isinstance(self.pages, tuple) else []


class _Claim(msgspec.Struct, frozen=True):
    sha256: str | None = None


class Draft:
    """A plan in the making: what was found of each task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.items: dict[str, list[Item]] = {}
        self.nights: set[str] = set()
        self.dates: set[str] = set()
        self.receipts: set[str] = set()
        self.sources: set[str] = set()
        self.lines: set[str] = set()
        self.targets: list[Target] = []
        self._ended_only = False

    def choose(self, selector: Selector, most: int | None = None) -> None:
        """Find the tasks that a selector chooses, and those that were derived from them and are the same document."""
        derived = self._derived({selector.task_id}) if selector.task_id else set()
        others: set[str] = set()
        self._ended_only = bool(selector.before or selector.night)
        if selector.night:
            found = inventory.in_tables(self._store, selector.night)
        else:
            found = inventory.items(self._store, before=selector.before)
        for item in found:
            if selector.fits(item, derived):
                self.items.setdefault(item.task_id, []).append(item)
            elif "#" in item.task_id:
                others.add(item.task_id)
        if self._ended_only:
            self._leave(selector, derived, others)
        elif selector.task_id and any(True for _ in self._store.list(keys.claims(selector.task_id))):
            self.items.setdefault(selector.task_id, [])
        self.items = dict(islice(self.items.items(), most))
        for name in self._derived(self.items.keys()) - others:
            self.items.setdefault(name, [])

    def _leave(self, selector: Selector, derived: Set[str], others: set[str]) -> None:
        """Leave what is in progress again, or has a record of a night that is not chosen."""
        for item in inventory.items(self._store) if self.items else ():
            if not selector.fits(item, derived):
                self.items.pop(item.task_id, None)
                if "#" in item.task_id:
                    others.add(item.task_id)

    def _derived(self, task_ids: Set[str]) -> set[str]:
        """Ids that were derived from these: the origin in their name has claimed them, others only look like it."""
        begins = {keys.derived_from(name, mark) for name in task_ids for mark in _MARKS}
        found = set()
        for folder in self._store.folders(keys.CLAIMS) if begins else ():
            name = keys.claimed_task(f"{keys.CLAIMS}{folder}/")
            begin, mark, rest = name.rpartition("#")
            origin = _ORIGIN.fullmatch(rest)
            if origin and begin + mark in begins and origin[1] in claims.origins(self._store, name):
                found.add(name)
        return found

    def read(self) -> None:
        """Read what the store has of each chosen task, and find the receipts that name it."""
        fingerprints = Fingerprints(self._store)
        for target, records in in_threads(self._read, list(self.items.items()), batch=8):
            if target is None:
                continue
            self.targets.append(target)
            texts = chain.from_iterable(record.texts for record in records)
            longest = sorted(set(fingerprints.lines(texts)), key=len, reverse=True)[:_LINES]
            if len(self.lines) < _ALL_LINES:
                self.lines |= set(map(fingerprints.of, longest))
        keys_of = (key for date in sorted(self.dates) for key in self._store.list(keys.receipts(date)))
        self.receipts |= {key for key, named in in_threads(self._named, keys_of) if named}

    def _read(self, chosen: tuple[str, list[Item]]) -> tuple[Target | None, list[_Record]]:
        task_id, items = chosen
        notes = list(self._store.list(keys.claims(task_id)))
        generations = [keys.generation_of(key) for key in notes if not keys.origin_of(key)]
        last = max([0, *generations])
        read = [(item, self._record(item.key)) for item in items]
        gone = [i for i, found in read if i.ended and i.key and not found and not self._store.exists(i.key)]
        if gone and self._ended_only:  # it is in progress again, or another process has forgotten it
            del self.items[task_id]
            return None, []
        records = [found for _, found in read if found]
        if not items or gone or any(not item.ended for item in items):
            after = max((keys.generation_of(item.key) for item in gone), default=-1)
            later = self._later(task_id, last + 1, after)
            items = self.items[task_id] = [*items, *later]
            records += later.values()
        claimed = [self._claim(key) for key in notes if keys.origin_of(key) and not keys.taken_on(key)]
        hashes = {item.sha256 for item in items} | {r.sha256 for r in records} | set(claimed)
        self.nights |= {item.run_date for item in items if item.ended and item.run_date}
        for record in records:
            self.sources |= {record.source, public_source(record.source)}
            self.dates |= {record.accepted_on, record.run_date, record.replaces}
            if name := keys.receipt_name(record.receipt):
                self.dates.add(name.run_date)
        self.dates |= {item.run_date for item in items} | {
            keys.taken_on(key) for key in notes if keys.origin_of(key)
        }
        self.dates.discard("")
        seen = {r.submitted_at or r.first_seen for r in records} - {""}
        target = Target(
            task_id=task_id,
            seen=tuple(sorted(seen)),
            hashes=tuple(sorted(filter(None, hashes))),
            keys=tuple(sorted({item.key for item in items} - {""})),
            generations=max([0, *generations, *(keys.generation_of(i.key) for i in items if i.key)]),
        )
        return target, records

    def _later(self, task_id: str, generations: int, after: int) -> dict[Item, _Record]:
        """Where a task is that was accepted or redriven, or has ended, since markers and records were listed.

        Only generations after this one: one that was submitted again after it was forgotten begins at 0.
        """
        markers = [keys.pending(task_id, number) for number in range(generations + 1)]
        going = [Item(task_id, None, "", "", key, ended=False) for key in markers if self._store.exists(key)]
        ended = inventory.just_ended(self._store, task_id, generations)  # after the markers, as a task ends
        found = [*going, *(Item(task_id, None, "", keys.run_date_of(key), key) for key in ended)]
        read = ((item, self._record(item.key)) for item in found)
        return {item: record for item, record in read if record and record.generation > after}

    def _record(self, key: str) -> _Record | None:
        try:
            return from_json(self._store.get(key), _Record) if key else None
        except (NotFound, Damaged, msgspec.DecodeError):
            return None

    def _claim(self, key: str) -> str | None:
        try:
            return from_json(self._store.get(key), _Claim).sha256
        except (NotFound, Damaged, msgspec.DecodeError):
            return None

    def _named(self, key: str) -> tuple[str, bool]:
        try:
            data = self._store.get(key)
        except (NotFound, Damaged):
            return key, False
        return key, not self.items.keys().isdisjoint(redaction.tasks_in(data))


def plan(
    store: Store, selector: Selector, *, actor: str, reason: str = "", most: int | None = None
) -> Plan | None:
    """What is to be deleted for a selector, `None` where nothing is; `most`: of so many tasks only.

    Nothing is deleted. Raises `Damaged`.
    """
    draft = Draft(store)
    draft.choose(selector, most)
    if not draft.items:
        return None
    draft.read()
    if not draft.targets:
        return None
    # a night's documents go with those around them
    outer = set() if selector.night else containers.around(store, draft.sources, draft.items)
    return Plan(
        run=f"{clock.utc():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        at=clock.now(),
        actor=actor,
        by=selector.by,
        reason=reason,
        targets=tuple(draft.targets),
        nights=tuple(sorted(draft.nights)),
        receipts=tuple(sorted(draft.receipts)),
        sources=tuple(sorted(draft.sources - {"", "message"})),
        lines=tuple(sorted(draft.lines)),
        containers=tuple(sorted(outer)),
        working=_working(draft.items.values()),
    )


def with_ends(store: Store, plan: Plan) -> Plan:
    """A plan with the records of the tasks that have ended since it was made, before the tombstones were there.

    Also with the bytes that steps in progress have ingested since, and with what was redriven.
    """

    def look(target: Target) -> Target:
        notes = store.list(keys.claims(target.task_id))
        last = max((keys.generation_of(key) for key in notes if not keys.origin_of(key)), default=0)
        if not plan.working and last <= target.generations:  # it had ended, and was not redriven since
            return target
        last = max(last, target.generations)
        found = inventory.just_ended(store, target.task_id, last)
        new = {key for key in found if forgotten.since_of(store, key) in target.seen}
        hashes = {*target.hashes, *claims.contents(store, target.task_id)}
        return structs.replace(
            target, keys=tuple(sorted({*target.keys, *new})), hashes=tuple(sorted(hashes)), generations=last
        )

    targets = tuple(in_threads(look, plan.targets))
    nights = {keys.run_date_of(key) for t in targets for key in t.keys if not key.startswith(keys.PENDING)}
    return structs.replace(
        plan,
        targets=targets,
        nights=tuple(sorted({*plan.nights, *nights})),
        working=plan.working or targets != plan.targets,
    )


def _working(items: Iterable[list[Item]]) -> bool:
    return any(not item.ended for found in items for item in found)
