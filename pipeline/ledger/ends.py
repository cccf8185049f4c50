"""Where the records of a task are looked for, and which of several counts.

A process that was paused may write a record of a task that has ended meanwhile, under another run date or of an older
generation. It looks before it writes and again afterwards, and of several records one stays: the same one for every
process that looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import msgspec
from msgspec import structs

from pipeline.models import DocumentResult, Status, Task
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

_LAST = "9999-12-31"
_FEW = 3
"""Run dates that are looked at without asking first which of them have records."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a record that say how and when a task ended; its pages are not read."""

    task_id: str
    status: Status
    run_date: str
    sha256: str | None = None
    generation: int = 0
    priority: int = 5
    trace_id: str = ""
    traceparent: str = ""

    @property
    def key(self) -> str:
        """Key of the record."""
        if self.status == "failed":
            return keys.failed(self.run_date, self.task_id, self.generation)
        return keys.result(self.run_date, self.task_id)

    @property
    def rank(self) -> tuple[bool, int, str]:
        """The lowest counts: a good result, of the latest generation, of the earliest run date."""
        return self.status == "failed", -self.generation, self.run_date


def of(record: DocumentResult) -> End:
    """What a record says of its end."""
    return End(**{name: getattr(record, name) for name in End.__struct_fields__})


class Dates(msgspec.Struct, frozen=True):
    """Where a generation of a task may have records: from the run date on which it was accepted to that of today.

    `today` is asked at each look, as the process may have been paused since the last. By default all are under the run
    date of the record itself, as those of `nightshift run` are.
    """

    since: str = ""
    today: Callable[[], str] = lambda: ""
    replaces: str = ""

    @classmethod
    def for_task(cls, task: Task, today: Callable[[], str]) -> Dates:
        """The run dates of a task; one that is reprocessed keeps its run date."""
        return cls("" if task.reprocess else task.accepted_on, today, task.replaces)

    def without_end(self) -> Dates:
        """The same, and later run dates, of clocks that are ahead of the one here."""
        return structs.replace(self, today=lambda: _LAST)

    def are_only(self, run_date: str) -> bool:
        """Whether a task can have records under this run date only, which is that of today."""
        return not self.replaces and {self.since, self.today()} <= {"", run_date}

    def of(self, store: Store, record: DocumentResult | Task) -> list[str]:
        """The run dates to look at: the record's own first."""
        today = self.today()
        own = record.run_date or today
        if not (self.since and today):
            return [own]
        first = date.fromisoformat(self.since)
        days = (date.fromisoformat(today) - first).days
        if days > _FEW:
            folders = {name for prefix in (keys.RESULTS, keys.FAILED) for name in store.folders(prefix)}
            between = [night for night in keys.run_dates(folders) if self.since <= night <= today]
        else:
            between = [(first + timedelta(n)).isoformat() for n in range(days + 1)]
        return list(dict.fromkeys([own, *between, *filter(None, [self.replaces])]))


OWN_DATE = Dates()


def end_of(store: Store, task: Task, dates: Dates) -> End | None:
    """The record by which this generation of a task, or a later one, has ended."""
    for end in found(store, task.task_id, dates.of(store, task), [task.generation]):
        # a marker of an older version does not tell a document that is reprocessed from its first time
        if end.generation >= task.generation and not (task.reprocess and task.generation == 0):
            return end
    return None


def found(store: Store, task_id: str, dates: Iterable[str], generations: Iterable[int]) -> Iterator[End]:
    """The records that a task has under these run dates; failures of these generations only."""
    numbers = list(generations)
    for run_date in dates:
        failures = [keys.failed(run_date, task_id, number) for number in numbers]
        for key in (keys.result(run_date, task_id), *failures):
            if end := read_or_none(store, key, End):
                yield end
