"""Counters of the backlog and of the night, kept up to date by each process, so that nobody needs to list the store.

Each process that accepts or ends documents adds up what it did (`pipeline.ledger.counting`) and puts it, as a whole, to
`counters/<run date>/<writer>.json` every few seconds and when it ends. The sum of all writers, on top of a base, is the
state. The base (`pipeline.ledger.folding`) says what was counted in the store when the markers were last listed, and
what each writer had at that moment. A process that is killed loses the last seconds; the recount of housekeeping, which
lists the pending markers seldom, puts that right. Nothing of the ledger depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from pipeline import clock
from pipeline.errors import Damaged, NotFound
from pipeline.messages import is_backfill, is_urgent
from pipeline.models import DocumentResult, Task, from_json
from pipeline.storage import Store, keys
from pipeline.threads import in_threads

Sums = dict[str, float]
"""What is counted, by name: `documents|<place>` and `pages|<place>` of the backlog (see `place`), `open|<what>` (see
`OPEN`), and `night|<run date>|<what>`, where what is an outcome, `late`, `pages`, `unread`, `busy` or `step|<step>`."""

OPEN = ("failed", "failed_again", "undelivered", "delayed", "overdue")
"""What is counted for all nights together: objects in the store that a person, or a time, must remove.

`overdue`: documents that wait although their deadlines have passed, see `is_overdue`.
"""

ALIVE = timedelta(minutes=6)
"""A worker writes from its start on, at least every five minutes; one that has not for longer counts as ended."""

_LOOKS = 4  # readings, where what was listed is gone, as another process has folded it into the base


class Amount(msgspec.Struct):
    """Documents, and their pages where these are known."""

    documents: int = 0
    pages: int = 0


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What is accepted and has not ended, by `<lane>|<kind>`; kind: as of `pipeline.forecast.model.Work`.

    `recounted`: when the markers were last listed (UTC); `as_of`: when the youngest counter was written. `types`:
    documents by task type, without done ones that are reprocessed: of those there are `again`. `oldest`: when the
    oldest document was submitted (UTC, ISO), by lane and by task type, as of the recount; of documents that were all
    accepted since, the time of the recount.
    """

    by: dict[str, Amount]
    recounted: datetime | None
    as_of: datetime | None
    types: dict[str, int] = {}
    again: int = 0
    oldest: dict[str, str] = {}
    oldest_of_type: dict[str, str] = {}

    @property
    def documents(self) -> int:
        """All of them."""
        return sum(amount.documents for amount in self.by.values())

    @property
    def pages(self) -> int:
        """Their known pages; a document that was not ingested yet counts none."""
        return sum(amount.pages for amount in self.by.values())


class Ended(msgspec.Struct, kw_only=True):
    """What a night has done so far: documents by outcome, pages read and unread, seconds of steps and of models.

    `late`: of the documents, those that ended after their deadlines.
    """

    done: int = 0
    partial: int = 0
    failed: int = 0
    late: int = 0
    pages: int = 0
    unread: int = 0
    step_seconds: dict[str, float] = {}
    busy_seconds: float = 0.0


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The object of one writer. `ended`: it will not write again. `worker`: `<host>/<id>` of a worker's process.

    `memory`: MiB that the models of the writer have in use, by device.
    """

    at: datetime
    sums: Sums
    ended: bool = False
    worker: str = ""
    memory: dict[str, float] = {}


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The state when writers were last folded in: the `sums` of all, of which each writer, by its key, had `seen`.

    `oldest`: when the oldest document of a place was submitted (ISO), as of `recounted`.
    """

    number: int = 0
    recounted: datetime | None = None
    sums: Sums = {}
    oldest: dict[str, str] = {}
    seen: dict[str, Written] = {}


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The counters as they were read; `base` is `None` until housekeeping has counted for the first time."""

    base: Base | None
    written: dict[str, Written]
    bases: tuple[str, ...] = ()

    @property
    def sums(self) -> Sums:
        """Everything that is counted, now."""
        base = self.base or Base()
        total = dict(base.sums)
        for key, one in self.written.items():
            seen = base.seen[key].sums if key in base.seen else {}
            for name in one.sums.keys() | seen.keys():
                total[name] = total.get(name, 0) + one.sums.get(name, 0) - seen.get(name, 0)
        return total

    @property
    def recounted(self) -> datetime | None:
        """When the markers were last listed."""
        return self.base.recounted if self.base else None

    @property
    def as_of(self) -> datetime | None:
        """When the youngest counter was written."""
        return max(
            [*(one.at for one in self.written.values()), *filter(None, [self.recounted])], default=None
        )

    def backlog(self) -> Backlog:
        """What waits; a number below zero, which a process that was killed may have left, counts as none."""
        sums, base = self.sums, self.base or Base()
        by: dict[str, Amount] = {}
        types: dict[str, int] = {}
        again, lanes, of_type = 0, dict[str, str](), dict[str, str]()
        for where in sorted(name.partition("|")[2] for name in sums if name.startswith("documents|")):
            documents, parts = max(round(sums[f"documents|{where}"]), 0), where.split("|", 3)
            if not documents or len(parts) < 4:  # the latter: of another version
                continue
            lane, kind, state, task_type = parts
            amount = by.setdefault(f"{lane}|{kind}", Amount())
            amount.documents += documents
            amount.pages += max(round(sums.get(f"pages|{where}", 0)), 0)
            since = base.oldest.get(where) or (base.recounted.isoformat() if base.recounted else "")
            lanes[lane] = min(filter(None, (lanes.get(lane), since)), default="")
            if state == "again":
                again += documents
                continue
            types[task_type] = types.get(task_type, 0) + documents
            of_type[task_type] = min(filter(None, (of_type.get(task_type), since)), default="")
        return Backlog(
            by=by,
            recounted=self.recounted,
            as_of=self.as_of,
            types=types,
            again=again,
            oldest=lanes,
            oldest_of_type=of_type,
        )

    def night(self, run_date: str) -> Ended:
        """What a night has done so far."""
        prefix = f"night|{run_date}|"
        found = {n.removeprefix(prefix): max(v, 0) for n, v in self.sums.items() if n.startswith(prefix)}
        counts = {n: round(found.get(n, 0)) for n in ("done", "partial", "failed", "late", "pages", "unread")}
        steps = {n.removeprefix("step|"): round(v, 3) for n, v in found.items() if n.startswith("step|")}
        return Ended(**counts, step_seconds=steps, busy_seconds=round(found.get("busy", 0.0), 3))

    def open(self, what: str) -> int:
        """How many there are of one of `OPEN`."""
        return max(round(self.sums.get(f"open|{what}", 0)), 0)

    def processes(self, run_date: str, now: datetime) -> tuple[int, int]:
        """Pool processes that live and have computed in this night, and the workers that live."""
        living = self._living(now)
        busy = sum(bool(one.sums.get(f"night|{run_date}|busy")) for one in living)
        return busy, len({one.worker for one in living})

    def memory(self, now: datetime) -> dict[str, float]:
        """MiB that models have in use, by device; where several hosts have it, by `<host> <device>`.

        Memory of a CPU is that of each process; that of a GPU is what its driver says to any of them.
        """
        found: dict[tuple[str, str], list[float]] = {}
        for one in self._living(now):
            for device, mib in one.memory.items():
                found.setdefault((one.worker.partition("/")[0], device), []).append(mib)
        many = len({host for host, _ in found}) > 1
        return {
            f"{host} {device}" if many else device: round(sum(all) if device == "cpu" else max(all), 1)
            for (host, device), all in sorted(found.items())
        }

    def _living(self, now: datetime) -> list[Written]:
        """What processes of workers wrote that have not ended."""
        return [
            one
            for one in self.written.values()
            if one.worker and not one.ended and (age := clock.age(one.at, now)) is not None and age <= ALIVE
        ]


def place(task: Task) -> str:
    """Where a task is in the backlog: `<lane>|<kind>|<new or again>|<task type>`, by its marker alone."""
    lane = "urgent" if is_urgent(task.priority) else "backfill" if is_backfill(task.priority) else "normal"
    return f"{lane}|{kind(task)}|{'again' if task.reprocess else 'new'}|{task.task_type}"


def kind(task: Task) -> str:
    """What decides how long a page takes, as far as it is known before the document is read."""
    if task.media_type is None:
        return "unknown"
    is_paper = task.media_type == "application/pdf" or task.media_type.startswith("image/")
    return "ocr" if is_paper else "text"


def is_overdue(task: Task, now: datetime) -> bool:
    """Whether the deadline of a pending task has passed: of an ingested one that is served in the usual order."""
    if not task.deadline or task.media_type is None or task.reprocess or is_backfill(task.priority):
        return False
    due = clock.moment(task.deadline)
    return due is not None and due <= now


def is_late(record: DocumentResult) -> bool:
    """Whether a document ended after its deadline."""
    due, ended = clock.moment(record.deadline), clock.moment(record.done_at)
    return due is not None and ended is not None and ended > due


def amounts(task: Task, count: int = 1) -> Sums:
    """What a pending task adds to the backlog."""
    where, known = place(task), task.media_type is not None
    return {f"documents|{where}": count, f"pages|{where}": count * max(task.pages, 1) if known else 0}


def add(total: Sums, more: Mapping[str, float]) -> None:
    """Add to sums."""
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def read(store: Store) -> State:
    """The counters now: one listing, the base, and an object of each process that wrote since it was folded in.

    Raises what the store raises.
    """
    for look in range(_LOOKS):
        found = list(store.list(keys.COUNTERS))
        bases = sorted((key for key in found if keys.is_counter_base(key)), reverse=True)
        base, whole = _base(store, bases)
        written: dict[str, Written] = {}
        for key, one in _all(store, [key for key in found if not keys.is_counter_base(key)]):
            if isinstance(one, Written):
                written[key] = one
            whole = whole and one is not NotFound
        if whole or look == _LOOKS - 1:
            break
    return State(base=base, written=written, bases=tuple(bases))


def _base(store: Store, bases: list[str]) -> tuple[Base | None, bool]:
    """The newest base that can be read, and whether it is the newest."""
    for number, key in enumerate(bases):
        try:
            return from_json(store.get(key), Base), number == 0
        except (NotFound, Damaged, msgspec.DecodeError):
            continue
    return None, not bases


def _all(store: Store, names: list[str]) -> Iterator[tuple[str, Written | type[NotFound] | None]]:
    def of(key: str) -> tuple[str, Written | type[NotFound] | None]:
        try:
            return key, from_json(store.get(key), Written)
        except NotFound:  # folded in since it was listed
            return key, NotFound
        except (Damaged, msgspec.DecodeError):  # of a newer version, or damaged: what it had is counted again
            return key, None

    if len(names) < 4:
        return map(of, names)
    return in_threads(of, names, batch=4)
