"""One record or marker compared with what is known of it otherwise: receipt, claim, digest, and the night's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.ledger import claims, digests, tabled
from pipeline.ledger.gaps import Gap, Kind
from pipeline.ledger.receipts import Accepted
from pipeline.ledger.tabled import Row
from pipeline.models import NewerSchema, from_json
from pipeline.storage import Store, keys
from pipeline.storage.objects import damaged, newer

_RESTORE = (
    "restore it from a backup, or delete it and run `nightshift audit {} --repair`, which reads it again"
)

_RESTORE_MARKER = "restore it from a backup, or delete it and run the audit with `--repair`"


class Ended(msgspec.Struct, frozen=True):
    """What is read of a record or a marker: a record may contain a thousand pages."""

    task_id: str
    source: str
    sha256: str | None = None
    run_date: str = ""
    status: str = "pending"
    receipt: str = ""
    digest: str | None = None


class Compared(NamedTuple):
    """What was read under a key, and the discrepancy found; `agrees`: its bytes are those that were received.

    `suspect`: it differs from its night's tables, which may just be about to be written again. `unread`: it was not
    read, as these say how the task ended.
    """

    key: str
    ended: Ended | None = None
    gap: Gap | None = None
    agrees: bool = False
    suspect: bool = False
    unread: bool = False


def compare(store: Store, key: str, tasks: Sequence[Accepted], row: Row | None, *, trust: bool) -> Compared:
    """Compare what is under `key` with the receipts of the task and its row in the tables of its night.

    `trust`: a record is not read of which the row says how the task ended.
    """
    task_id = keys.task_id_of(key)
    source = min((task.source for task in tasks), default=key)
    ended, found = None, _two_sources(tasks)
    unread = trust and row is not None and row.is_of(key)
    try:
        # a receipt written before the bytes were fetched has no hash; ingest noted it later
        expected = {task.sha256 for task in tasks if task.sha256}
        expected = expected or (claims.contents(store, task_id) if tasks else set())
        if unread and row is not None:
            ended = Ended(task_id, row.source, row.sha256, status=row.status, receipt=row.receipt)
        else:
            data = store.get(key)
            ended = from_json(data, Ended)
            found = found or _changed(key, data, ended)
        found = found or _other_bytes(key, ended, expected)
    except NotFound:  # changed since it was listed
        pass
    except msgspec.DecodeError as error:
        why = newer if isinstance(error, NewerSchema) else damaged
        found = found or ("damaged", why(store, key, error).message)
    except Damaged as error:
        found = found or ("damaged", error.message)
    if found:
        kind, detail = found
        gap = Gap(kind=kind, task_id=task_id, source=source, detail=detail)
        return Compared(key, ended, gap, unread=unread)
    if ended is None:
        return Compared(key)
    suspect = not unread and row is not None and row.digest not in ("", ended.digest)
    return Compared(key, ended, None, bool(expected and ended.sha256), suspect, unread)


def _two_sources(tasks: Sequence[Accepted]) -> tuple[Kind, str] | None:
    sources = sorted({task.source for task in tasks})
    if not sources[1:]:
        return None
    return (
        "two_sources",
        f"is the id of {' and '.join(sources)}: submit the missing one under an id of its own",
    )


def _other_bytes(key: str, ended: Ended, expected: set[str]) -> tuple[Kind, str] | None:
    """A record about other bytes than were received; a failure and a marker may be from before these were known."""
    if not expected or {ended.sha256} == expected:
        return None
    if ended.sha256 is None and ended.status not in ("done", "partial"):
        return None
    detail = f"was received with the bytes {', '.join(sorted(expected))}, but {key} is about {ended.sha256}"
    return "other_bytes", detail


def _changed(key: str, data: bytes, ended: Ended) -> tuple[Kind, str] | None:
    """A record that is not what was written, or that was written under another key."""
    if key.startswith(keys.PENDING):
        if ended.task_id == keys.task_id_of(key):
            return None
        return "damaged", f"{key} is the marker of {ended.task_id}: {_RESTORE_MARKER}"
    why = ""
    if digests.check(data, ended.digest) == "changed":
        why = "is not what was written: its digest differs"
    elif (ended.task_id, ended.run_date) != (keys.task_id_of(key), keys.run_date_of(key)):
        why = f"is the record of {ended.task_id} of {ended.run_date}"
    return ("record_changed", f"{key} {why}: {_RESTORE.format(keys.run_date_of(key))}") if why else None


def unlike_table(store: Store, night: str, rows: Mapping[str, Row]) -> list[Gap]:
    """Which of the `rows` of a night's tables, that differed from their records, really do.

    A record that is replaced, redriven or discarded differs until the tables are written again. Meanwhile a marker
    says so, and then a note; once neither is there, the tables are new. Raises `Damaged`.
    """
    marked = {task_id for key in store.list(keys.PENDING) if (task_id := keys.task_id_of(key)) in rows}
    noted = tabled.marked(store, night)
    now = tabled.rows(store, night, rows)
    listed = chain(store.list(keys.results(night)), store.list(keys.failures(night)))
    there = {task_id: key for key in listed if (task_id := keys.task_id_of(key)) in rows}
    gaps = []
    for task_id in rows:
        row = now.get(task_id)
        if row is None or task_id in marked or task_id in noted:
            continue
        if task_id not in there:
            gaps.append(_record_missing(task_id, night, row))
        elif row.digest not in ("", _digest(store, there[task_id])):
            detail = (
                f"its record of {night} is not the one that the night's tables were written from: restore it from a "
                f"backup; if nobody changed it, run `nightshift summarise {night}`"
            )
            gaps.append(Gap(kind="record_changed", task_id=task_id, source=row.source, detail=detail))
    return gaps


def _record_missing(task_id: str, night: str, row: Row) -> Gap:
    detail = (
        f"is in the tables of {night}, but its record is gone: restore it from a backup; if that is not possible, "
        "submit it again under another id"
    )
    return Gap(kind="record_missing", task_id=task_id, source=row.source, detail=detail)


def _digest(store: Store, key: str) -> str:
    """The digest in a record, empty for one without."""
    try:
        return from_json(store.get(key), Ended).digest or ""
    except (NotFound, Damaged, msgspec.DecodeError):
        return ""
