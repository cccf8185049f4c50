"""Which documents a store has: by the tables of each night, and by records and markers that are not in them.

No object names the tasks that have the same bytes, or the documents of a tenant. The tables do: one object per night.
What ended or changed since they were written is read one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import tabled
from pipeline.models import from_json
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_LAST = 3  # run dates on which a task that ended a moment ago may have its record


class Item(NamedTuple):
    """A task, and where it is: `key` of its record or marker, empty where only the tables of `run_date` have it.

    `ended`: it is a record or a row, not a marker.
    """

    task_id: str
    sha256: str | None
    tenant: str
    run_date: str
    key: str
    ended: bool = True


class _Read(msgspec.Struct, frozen=True):
    task_id: str = ""
    sha256: str | None = None
    tenant: str = ""
    run_date: str = ""


def nights(store: Store) -> list[str]:
    """Run dates that have records or tables, in order."""
    prefixes = (keys.RESULTS, keys.FAILED, f"{keys.SUMMARY}documents/")
    return keys.run_dates(name for prefix in prefixes for name in store.folders(prefix))


def items(store: Store, *, since: str = "", before: str = "") -> Iterator[Item]:
    """Every task that has a marker, or a record or row of these run dates; one may come more than once.

    Raises `Damaged`.
    """
    yield from in_threads(lambda key: _read(store, key, ended=False), store.list(keys.PENDING))
    for night in nights(store):
        if night >= since and (not before or night < before):
            yield from of_night(store, night)


def of_night(store: Store, night: str) -> Iterator[Item]:
    """The tasks that ended on a run date; raises `Damaged` for tables that can't be read."""
    rows = tabled.rows(store, night)
    changed = tabled.marked(store, night)
    unknown, listed = [], set()
    for key in chain(store.list(keys.results(night)), store.list(keys.failures(night))):
        task_id = keys.task_id_of(key)
        listed.add(task_id)
        row = rows.get(task_id)
        if row is None or task_id in changed:
            unknown.append(key)
        else:
            yield Item(task_id, row.sha256, row.tenant, night, key)
    yield from in_threads(lambda key: _read(store, key, ended=True), unknown)
    for task_id, row in rows.items():
        if task_id not in listed or task_id in changed:
            yield Item(task_id, row.sha256, row.tenant, night, "")


def in_tables(store: Store, night: str) -> Iterator[Item]:
    """The tasks of a night as its tables have them, without those that changed since; raises `Damaged`."""
    known = tabled.rows(store, night).keys() - tabled.marked(store, night)
    return (item for item in of_night(store, night) if item.task_id in known)


def _read(store: Store, key: str, *, ended: bool) -> Item:
    """What a record or marker says of its task; a damaged one has its key only."""
    found = _Read()
    with suppress(NotFound, Damaged, msgspec.DecodeError):  # changed since it was listed, or damaged
        found = from_json(store.get(key), _Read)
    run_date = keys.run_date_of(key) if ended else found.run_date
    return Item(keys.task_id_of(key), found.sha256, found.tenant, run_date, key, ended)


def just_ended(store: Store, task_id: str, generations: int) -> list[str]:
    """Keys of the records that a task has on the last run dates: for one that may have ended a moment ago."""
    names = (
        key
        for night in nights(store)[-_LAST:]
        for key in (
            keys.result(night, task_id),
            *(keys.failed(night, task_id, number) for number in range(generations + 1)),
        )
    )
    return [key for key in names if store.exists(key)]


def users(store: Store, hashes: set[str]) -> dict[str, set[str]]:
    """Ids of the tasks that have these bytes, by SHA-256."""
    found: dict[str, set[str]] = {}
    for item in items(store) if hashes else ():
        if item.sha256 in hashes:
            found.setdefault(item.sha256, set()).add(item.task_id)
    return found
