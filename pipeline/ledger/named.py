"""Receipts that something names, and that are not there: what records, tables, markers and claims say was accepted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import receipts
from pipeline.ledger.chains import Broken
from pipeline.ledger.gaps import Gap
from pipeline.ledger.receipts import Accepted, Receipt
from pipeline.ledger.sheets import Sheets
from pipeline.models import Task, from_json
from pipeline.remote.urls import public_source
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

_RESTORE = "restore it from a backup, and find out who can delete or change receipts"


class _Claim(msgspec.Struct, frozen=True):
    """What ingest found out: the bytes, or the run date of the failure."""

    sha256: str | None = None
    failed: str = ""


class Named:
    """The receipts named so far, and one task of each."""

    def __init__(self, store: Store, run_date: str, known: Mapping[str, Receipt[Accepted]]) -> None:
        self._store, self._run_date, self.known = store, run_date, known
        self._tasks = Sheets().new(tuple[str, str])

    def add(self, receipt: str, task_id: str, source: str) -> None:
        """Note that a task names this receipt; an empty one is of an older version."""
        if receipt:
            self._tasks.setdefault(receipt, (task_id, source))

    def add_markers(self, markers: Iterable[str]) -> None:
        """Add what the markers of other tasks name, which may have been received on this date too."""
        for task in in_threads(self._marker, markers):
            if task and task.receipt.startswith(keys.receipts(self._run_date)):
                self.add(task.receipt, task.task_id, public_source(task.source))

    def _marker(self, key: str) -> Task | None:
        with suppress(NotFound, Damaged, msgspec.DecodeError):
            return from_json(self._store.get(key), Task)
        return None

    def gaps(self, broken: Iterable[Broken]) -> Iterator[Gap]:
        """Receipts that are missing or changed: `broken` ones, and named ones that are not in the store."""
        why = {one.key: one for one in broken}
        missing = [key for key in self._tasks if key not in self.known and key not in why]
        for key, there in zip(missing, in_threads(self._exists, missing), strict=True):
            if not there:
                task_id = self._tasks[key][0]
                why[key] = Broken("receipt_missing", key, f"is missing: {task_id} was accepted with it.")
        for one in why.values():
            task_id, source = self._tasks.get(one.key, ("", one.key))
            detail = f"{one.key} {one.why.removesuffix('.')}: {_RESTORE}"
            yield Gap(kind=one.kind, task_id=task_id, source=source, detail=detail)

    def _exists(self, key: str) -> bool:
        """Whether there is such a receipt: of another date, or written since those of this date were listed."""
        return keys.receipt_name(key) is not None and self._store.exists(key)


def unreceived(store: Store, run_date: str, received: Container[str]) -> Iterator[Gap]:
    """Tasks that were accepted on this run date and ingested, as their claims say, and that have no receipt.

    It lists all claims, and reads those of such tasks only: usually none. A claim that ingest has said nothing of may
    be all that there ever was, of a producer that died. An alias of the same document has no receipt of its own. A
    process that was paused before it claimed the id may have left another run date.
    """
    taken: dict[tuple[str, str], list[str]] = {}
    for task_id, listed in groupby(store.list(keys.CLAIMS), keys.claimed_task):
        if task_id not in received:
            taken |= _taken(task_id, listed, run_date)
    claimed = list(taken)
    for day in sorted({day for days in taken.values() for day in days}):
        # some may have been accepted since the receipts were listed
        now = receipts.received(store, day, {task_id for task_id, _ in claimed})
        claimed = [who for who in claimed if who[0] not in now]
    for (task_id, origin), claim in zip(
        claimed, in_threads(lambda who: _claim(store, keys.claim(*who)), claimed), strict=True
    ):
        if claim and (claim.sha256 or claim.failed):
            key = keys.claim(task_id, origin)
            detail = (
                f"was accepted on {run_date}, as {key} says, but it has no receipt: restore it from a backup, or, "
                "where its record is gone as well, submit it again under another id"
            )
            yield Gap(kind="receipt_missing", task_id=task_id, source=key, detail=detail)


def _taken(task_id: str, claims: Iterable[str], run_date: str) -> dict[tuple[str, str], list[str]]:
    """The days on which a task was accepted, by its origin, where the first is this run date and ingest knew it."""
    taken: dict[tuple[str, str], list[str]] = {}
    known: set[tuple[str, str]] = set()
    for key in claims:
        if not (origin := keys.origin_of(key)) or f"#{origin}" in task_id:
            continue
        if day := keys.taken_on(key):
            taken.setdefault((task_id, origin), []).append(day)
        else:
            known.add((task_id, origin))
    return {who: days for who, days in taken.items() if min(days) == run_date and who in known}


def _claim(store: Store, key: str) -> _Claim | None:
    with suppress(NotFound, Damaged, msgspec.DecodeError):
        return from_json(store.get(key), _Claim)
    return None
