"""The audit: everything received on a run date is done, failed or pending, by task id and by content hash.

What was received is read from the receipts, which nothing changes after acceptance, never from state that the night
itself updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain
from typing import Literal

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, NotFound
from pipeline.ledger import claims, generations, pending, receipts
from pipeline.models import Task
from pipeline.storage import Store, keys, objects
from pipeline.threads import in_threads

_AHEAD = timedelta(days=7)  # a weekly window opens within a week, so no run date is later than that


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A discrepancy in one task.

    `missing`: found nowhere. `twice`: ended more often than it was received. `other_bytes`: what ended is not what was
    received. `two_sources`: two documents were received under its id, and one of them is found nowhere. `damaged`: its
    record can't be read.
    """

    kind: Literal["missing", "twice", "other_bytes", "two_sources", "damaged"]
    task_id: str
    source: str
    detail: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The counts: `received` = `done` + `partial` + `failed` + `pending` + missing.

    Of `hashes` of them the bytes were compared and agree.
    """

    run_date: str
    received: int
    done: int
    partial: int
    failed: int
    pending: int
    hashes: int
    gaps: tuple[Gap, ...]

    @property
    def adds_up(self) -> bool:
        """Whether the audit passed: there is no discrepancy."""
        return not self.gaps


class _Bytes(msgspec.Struct):
    """The only field that is read of a record, which may contain a thousand pages."""

    sha256: str | None


def audit(store: Store, run_date: str) -> Audit:
    """Compare the receipts of a run date with how each task ended, on that date or later.

    It may run during the night. Raises `RunError` if a receipt can't be read.
    """
    received = receipts.received(store, run_date)
    nights = _nights(run_date)
    places = _places(store, received, nights)
    gaps = [*_missing(store, received, places), *_twice(store, received, places, nights)]
    odd = {gap.task_id for gap in gaps}
    sure = [(key, received[task_id]) for task_id, (key, *_) in places.items() if task_id not in odd]
    compared = 0
    for gap in in_threads(lambda pair: _compare(store, *pair), sure):
        compared += gap is None
        if isinstance(gap, Gap):
            gaps.append(gap)
    first = [found[0] for found in places.values()]
    noted = {keys.result_of_partial(key) for night in nights for key in store.list(keys.partials(night))}
    partial = sum(key in noted for key in first)
    return Audit(
        run_date=run_date,
        received=len(received),
        done=sum(key.startswith(keys.RESULTS) for key in first) - partial,
        partial=partial,
        failed=sum(key.startswith(keys.FAILED) for key in first),
        pending=sum(key.startswith(keys.PENDING) for key in first),
        hashes=compared,
        gaps=tuple(sorted(gaps, key=lambda gap: (gap.kind, gap.task_id))),
    )


def _nights(run_date: str) -> list[str]:
    """Run dates on which something received on `run_date` may have ended."""
    first = date.fromisoformat(run_date)
    last = max(first, clock.utc().date() + _AHEAD)
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def _places(store: Store, received: Iterable[str], nights: list[str]) -> dict[str, list[str]]:
    """Keys under which each received task is found, records before the marker; tasks found nowhere are omitted.

    Markers are listed first: a task that ends meanwhile is then found among the records.
    """
    found: dict[str, list[str]] = {task_id: [] for task_id in received}
    pending = [key for key in store.list(keys.PENDING) if keys.task_id_of(key) in found]
    for key in chain.from_iterable(
        store.list(prefix) for night in nights for prefix in (keys.results(night), keys.failures(night))
    ):
        if (task_id := keys.task_id_of(key)) in found:
            found[task_id].append(key)
    # A marker next to a record means that the last step will be repeated, or that the document is reprocessed: it is
    # done in either case.
    for key in pending:
        if not found[keys.task_id_of(key)]:
            found[keys.task_id_of(key)].append(key)
    return {task_id: places for task_id, places in found.items() if places}


def _missing(store: Store, received: dict[str, list[Task]], places: dict[str, list[str]]) -> Iterator[Gap]:
    """Tasks found nowhere; one that was redriven during the listing has a marker now."""
    lost = [task_id for task_id in received if task_id not in places]
    marked = {keys.task_id_of(key): key for key in store.list(keys.PENDING)} if lost else {}
    for task_id in lost:
        if task_id in marked:
            places[task_id] = [marked[task_id]]
            continue
        yield Gap(
            kind="missing",
            task_id=task_id,
            source=received[task_id][0].source,
            detail="is neither done nor failed nor pending: `--repair` resumes it if the store has its bytes, "
            "else submit it again under another id",
        )


def _twice(
    store: Store, received: dict[str, list[Task]], places: dict[str, list[str]], nights: list[str]
) -> Iterator[Gap]:
    """Tasks with more records than receipts; `nightshift run` may be given a document for two dates."""
    several = {
        t: still for t, found in places.items() if len(found) > 1 and (still := _still(store, found))[1:]
    }
    dates = dict.fromkeys(several, 1)
    for night in nights[1:] if several else ():
        for task_id in receipts.received(store, night):
            if task_id in dates:
                dates[task_id] += 1
    for task_id, found in several.items():
        if len(found) > dates[task_id] or len({key.rsplit("/", 2)[1] for key in found}) < len(found):
            yield Gap(
                kind="twice",
                task_id=task_id,
                source=received[task_id][0].source,
                detail=f"has {len(found)} records: {', '.join(found)}",
            )


def _still(store: Store, found: list[str]) -> list[str]:
    return [key for key in found if store.exists(key)]


_UNKNOWN = object()


def _compare(store: Store, key: str, tasks: list[Task]) -> Gap | object | None:
    """Compare the bytes that ended with those received: `None` if equal, else a discrepancy, or unknown."""
    sources = sorted({task.source for task in tasks})
    if sources[1:]:
        detail = f"is the id of {' and '.join(sources)}: submit the missing one under an id of its own"
        return Gap(kind="two_sources", task_id=tasks[0].task_id, source=sources[0], detail=detail)
    try:
        # a receipt written before the bytes were fetched has no hash; ingest noted it later
        expected = {task.sha256 for task in tasks if task.sha256} or claims.contents(store, tasks[0].task_id)
        actual = objects.read(store, key, _Bytes).sha256
    except NotFound:  # changed since it was listed
        return _UNKNOWN
    except Damaged as error:
        return Gap(kind="damaged", task_id=tasks[0].task_id, source=sources[0], detail=error.message)
    if not expected or actual is None:
        return _UNKNOWN
    if {actual} == expected:
        return None
    detail = f"was received with the bytes {', '.join(sorted(expected))}, but {key} is about {actual}"
    return Gap(kind="other_bytes", task_id=tasks[0].task_id, source=tasks[0].source, detail=detail)


def restore(store: Store, report: Audit) -> list[Task]:
    """Mark missing tasks as pending again if the store still has their bytes; returns those tasks."""
    received = receipts.received(store, report.run_date)
    restored = []
    for gap in report.gaps:
        if gap.kind != "missing":
            continue
        task = received[gap.task_id][-1]
        sha256 = task.sha256 or next(iter(claims.contents(store, gap.task_id)), None)
        if sha256 and store.exists(keys.document(sha256)):
            task = structs.replace(
                task,
                sha256=sha256,
                origin=claims.only(store, gap.task_id),
                submitted_at=clock.now(),
                generation=generations.latest(store, gap.task_id),
                accepted_on=report.run_date,
            )
            pending.mark(store, task)
            restored.append(task)
    return restored
