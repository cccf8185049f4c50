"""The audit: everything received on a run date is done, failed or pending, by task id and by content hash.

What was received is read from the receipts, which nothing changes after acceptance, never from state that the night
itself updates. Tampering shows where things that were written at different moments differ: receipts name each other,
records name their receipts and have a digest, the night's tables repeat both, and bytes have a hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from pipeline.errors import Damaged
from pipeline.ledger import (
    chains,
    comparison,
    forgetting,
    healing,
    kept,
    places,
    receipts,
    removed,
    restoring,
    tabled,
)
from pipeline.ledger.comparison import Compared, Ended
from pipeline.ledger.ends import End
from pipeline.ledger.gaps import Gap
from pipeline.ledger.named import Named, unreceived
from pipeline.ledger.places import Places
from pipeline.ledger.receipts import Accepted, Receipt
from pipeline.ledger.seen import Seen
from pipeline.ledger.sheets import Sheets
from pipeline.ledger.tabled import Row
from pipeline.ledger.track import Track, silent
from pipeline.models import Task
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

Tables = Mapping[str, Mapping[str, Row]]
"""The documents in the tables of each night, by task id."""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The counts: `received` = `done` + `partial` + `failed` + `pending` + `forgotten` + missing.

    Of `hashes` of them the record names the bytes that were received. The `bytes` of `documents` different ones were
    read and hashed; the bytes of `not_kept` others, which have ended, are no longer in the store. `unread` records were
    not read, as the tables of their nights say how they ended. Of the `receipts`,
    `unchained` were written by older versions, without a chain, and lines of `rewritten` ones were forgotten, as their
    notes prove.
    """

    run_date: str
    received: int
    done: int
    partial: int
    failed: int
    pending: int
    forgotten: int
    hashes: int
    receipts: int
    rewritten: int
    unchained: int
    documents: int
    bytes: int
    not_kept: int
    unread: int = 0
    gaps: tuple[Gap, ...]

    @property
    def adds_up(self) -> bool:
        """Whether the audit passed: there is no discrepancy."""
        return not self.gaps


def audit(
    store: Store, run_date: str, *, quick: bool = False, by_tables: bool = False, track: Track = silent
) -> Audit:
    """Compare the receipts of a run date with how each task ended, on that date or later.

    It may run during the night. `quick`: without reading the documents' bytes, other tasks' markers, and all claims.
    `by_tables`: also without reading a record that is there and of which the tables of its night, that were written
    from it, say how it ended. The counts are the same; that a record was changed since is not noticed.
    """
    quick, sheets = quick or by_tables, Sheets()
    found, received = sheets.new(Receipt[Accepted]), sheets.new(list[Accepted])
    for receipt in receipts.of_date(store, run_date, Accepted):
        found[receipt.key] = receipt._replace(tasks=[])
        receipts.add_to(received, receipt)
    dates = places.nights(store, run_date)
    there = places.find(store, received, dates)
    gaps = [
        *places.missing(store, received, there.received),
        *places.twice(store, received, there.received, dates),
    ]
    odd = {gap.task_id for gap in gaps}
    tables, unreadable, changed = _tables(store, sheets, run_date, there)
    named, wanted, seen = Named(store, run_date, found), sheets.new(Ended), Seen()

    def compare(one: _Pair) -> Compared:
        return comparison.compare(store, one.key, one.tasks, one.row, trust=one.trust)

    def pairs() -> Iterator[_Pair]:
        for task_id, (key, *_) in there.received.items():
            if task_id not in odd:
                yield _Pair(key, received[task_id])
        yield from (_Pair(key, []) for key in there.others.values())

    def with_rows() -> Iterator[_Pair]:
        for one in pairs():
            row, task_id = _row(tables, one.key), keys.task_id_of(one.key)
            trust = by_tables and row is not None and task_id not in changed and task_id not in there.marked
            yield one._replace(row=row, trust=trust)

    total = len(there.received) - len(odd & there.received.keys()) + len(there.others)
    for one in track(in_threads(compare, with_rows()), "records", total):
        seen.add(one)
        if one.ended:
            named.add(one.ended.receipt, one.ended.task_id, one.ended.source)
            if not one.gap and not quick:
                kept.add_to(wanted, one.ended)
    gaps += seen.gaps
    gaps += [*unreadable, *_unlike_tables(store, _to_look_at(run_date, there, tables, seen.suspect, odd))]

    for task_id, row in tables.get(run_date, {}).items():
        named.add(row.receipt, task_id, row.source)
    if not quick:
        named.add_markers(there.markers)
        gaps += unreceived(store, run_date, received)
    gaps += named.gaps(chains.broken(store, run_date, found, places.following(run_date)))
    bytes_ = kept.check(store, wanted, track)
    gaps += bytes_.gaps
    by_row = removed.rows(store, run_date, {gap.task_id for gap in gaps})
    explained = {gap.task_id for gap in gaps if gap.kind == "missing"} & by_row.keys()
    gaps = [gap for gap in gaps if not removed.explained(gap, by_row)]
    gone = {name for receipt in found.values() for name in receipt.forgotten}
    going = forgetting.task_ids(store)
    return Audit(
        run_date=run_date,
        received=len(received) + len(gone),
        forgotten=len(gone),
        **seen.counts(store, there, odd, Counter(by_row[task_id].status for task_id in explained)),
        hashes=seen.agree,
        receipts=len(found),
        rewritten=sum(bool(receipt.forgotten and not receipt.problem) for receipt in found.values()),
        unchained=sum(receipt.link is None for receipt in found.values()),
        documents=bytes_.documents,
        bytes=bytes_.bytes,
        not_kept=bytes_.not_kept,
        unread=seen.unread,
        gaps=tuple(
            sorted(
                (gap for gap in gaps if gap.task_id not in going),  # this is what it is like meanwhile
                key=lambda gap: (gap.kind, gap.task_id, gap.source),
            )
        ),
    )


class _Pair(NamedTuple):
    """What is compared: the key of a record or marker, what was received under its id, its row in the tables.

    `trust`: the row says how the task ended.
    """

    key: str
    tasks: list[Accepted]
    row: Row | None = None
    trust: bool = False


def _tables(store: Store, sheets: Sheets, run_date: str, there: Places) -> tuple[Tables, list[Gap], set[str]]:
    """The tables of this night and of those in which its tasks ended; a discrepancy for each that can't be read.

    Also ids of tasks whose records may be newer, as a note says that is deleted with the next tables.
    """
    first = (found[0] for found in there.received.values())
    ended = {keys.run_date_of(key) for key in first if not key.startswith(keys.PENDING)}
    tables: dict[str, Mapping[str, Row]] = {}
    unreadable, changed = [], set()
    for night in sorted({run_date, *ended}):
        changed |= tabled.marked(store, night)  # before the tables, so that what is neither is in these
        rows = sheets.new(Row)
        try:
            for task_id, row in tabled.each(store, night):
                rows[task_id] = row
        except Damaged as error:
            source = keys.summary("documents", night)
            unreadable.append(Gap(kind="damaged", task_id="", source=source, detail=error.message))
        else:
            tables[night] = rows
    return tables, unreadable, changed


def _row(tables: Tables, key: str) -> Row | None:
    if key.startswith(keys.PENDING):
        return None
    return tables.get(keys.run_date_of(key), {}).get(keys.task_id_of(key))


def _to_look_at(
    run_date: str, there: Places, tables: Tables, suspect: Iterable[str], odd: set[str]
) -> dict[str, dict[str, Row]]:
    """Rows of tables that differ from their records, and rows of this night without a record on this night."""
    found: dict[str, dict[str, Row]] = {}
    for key in suspect:
        if row := _row(tables, key):
            found.setdefault(keys.run_date_of(key), {})[keys.task_id_of(key)] = row
    here = (keys.results(run_date), keys.failures(run_date))
    gone = {
        task_id: row
        for task_id, row in tables.get(run_date, {}).items()
        if task_id not in there.others
        and task_id not in odd
        and not any(key.startswith(here) for key in there.received.get(task_id, ()))
    }
    if gone:
        found.setdefault(run_date, {}).update(gone)
    return found


def _unlike_tables(store: Store, rows: Mapping[str, Mapping[str, Row]]) -> Iterator[Gap]:
    for night, some in rows.items():
        yield from comparison.unlike_table(store, night, some)


def restore(store: Store, report: Audit, before: Callable[[End], object] = lambda _: None) -> list[Task]:
    """Mark missing tasks as pending again whose bytes are in the store or may be fetched again; returns those tasks.

    Of a failure and a good result on one run date, the failure is deleted; `before` that is called with the result.
    """
    received = receipts.received(store, report.run_date, {gap.task_id for gap in report.gaps})
    restored = []
    for gap in report.gaps:
        if gap.kind == "twice":
            healing.keep_good(store, gap.task_id, places.nights(store, report.run_date), before)
        if gap.kind != "missing" or gap.task_id not in received:  # forgotten since the report
            continue
        if task := restoring.mark(store, received[gap.task_id][-1], report.run_date):
            restored.append(task)
    return restoring.still_received(store, restored, report.run_date)
