"""What runs inside a worker process of `nightshift run`.

The process loads models on first use, keeps them, and answers one job at a time with an `Outcome`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, MutableSequence
from typing import Literal

import msgspec

from pipeline.documents.open import open_document
from pipeline.ledger import records
from pipeline.models import DocumentResult, Failure, Task
from pipeline.settings import Settings
from pipeline.steps import conclude, extract, recognize
from pipeline.steps.engines import Engines
from pipeline.steps.verdict import verdict
from pipeline.storage import keys, open_store

SLOTS = 1024
"""Length of a page counter: one slot a process, no lock, so a killed writer leaves nothing locked."""

_PR_SET_PDEATHSIG = 1


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one job ended. `spread`: the document is long and wants its page groups read first."""

    status: Literal["done", "failed", "spread", "read"]
    task_id: str
    source: str
    sha256: str | None = None
    pages: int = 0
    entities: dict[str, int] = {}
    confidence: float | None = None
    seconds: float = 0.0
    error: Failure | None = None
    reused: bool = False
    peak_mib: int = 0

    @staticmethod
    def of(result: DocumentResult, *, reused: bool) -> Outcome:
        """Boil a result down to what the table at the end shows."""
        return Outcome(
            status=result.status,
            task_id=result.task_id,
            source=result.source,
            sha256=result.sha256,
            pages=len(result.pages),
            entities=dict(Counter(e.type for e in result.entities)),
            confidence=result.confidence,
            seconds=sum(result.seconds.values()),
            error=result.error,
            reused=reused,
            peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )


class Worker:
    """Settings, store, models and page counters of this process."""

    def __init__(
        self, settings: Settings, run_date: str, read: MutableSequence[int], known: MutableSequence[int]
    ) -> None:
        self.settings, self.run_date = settings, run_date
        self.store = open_store(settings.store_url, settings)
        self.engines = Engines(settings)
        self.read, self.known, self.slot = read, known, os.getpid() % SLOTS

    def process(self, task: Task, spread: bool) -> Outcome:
        """Take one document all the way; with `spread`, one with many pages is handed back unread."""
        assert task.sha256 is not None
        fresh: list[bool] = []

        def on_page(new: bool) -> None:
            fresh.append(new)
            self.read[self.slot] += spread  # else the groups have counted it

        with open_document(self.store.get(keys.document(task.sha256)), self.settings.limits) as document:
            count, media_type = document.page_count, document.media_type
            if spread:
                self.known[self.slot] += count
                if count > self.settings.page_group:
                    return Outcome(status="spread", task_id=task.task_id, source=task.source, pages=count)
            pages = recognize.recognize(
                document,
                task.sha256,
                range(1, count + 1),
                store=self.store,
                engines=self.engines,
                on_page=on_page,
            )
        found = extract.extract(pages, task.sha256, store=self.store, engines=self.engines)
        result = conclude.conclude(
            task,
            pages,
            found,
            media_type=media_type,
            run_date=self.run_date,
            store=self.store,
            engines=self.engines,
        )
        return Outcome.of(result, reused=spread and not any(fresh))

    def read_group(self, task: Task, first: int, last: int) -> Outcome:
        """Read pages `first` to `last` of a long document into their checkpoints."""
        assert task.sha256 is not None

        def on_page(_: bool) -> None:
            self.read[self.slot] += 1

        with open_document(self.store.get(keys.document(task.sha256)), self.settings.limits) as document:
            recognize.recognize(
                document,
                task.sha256,
                range(first, last + 1),
                store=self.store,
                engines=self.engines,
                on_page=on_page,
            )
        return Outcome(status="read", task_id=task.task_id, source=task.source, pages=last - first + 1)

    def guarded(self, task: Task, job: Callable[[], Outcome]) -> Outcome:
        """Run a job; what is wrong with the document itself becomes its failure record."""
        try:
            return job()
        except Exception as error:
            ends = verdict(error)
            if ends.action != "fail":
                raise  # the store or the run: not this document's fault
            if ends.unexpected:
                traceback.print_exc(file=sys.stderr)
        digest = self.engines.digest
        failure = records.fail(self.store, task, ends.reason, run_date=self.run_date, settings_digest=digest)
        return Outcome.of(failure, reused=False)


_worker: Worker | None = None


def start(settings: Settings, run_date: str, read: MutableSequence[int], known: MutableSequence[int]) -> None:
    """Set this process up: it dies with its parent and leaves Ctrl-C to it."""
    global _worker  # noqa: PLW0603 - one worker a process is the point
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _worker = Worker(settings, run_date, read, known)


def process(task: Task, spread: bool) -> Outcome:
    """Job: a whole document."""
    assert _worker is not None
    worker = _worker
    return worker.guarded(task, lambda: worker.process(task, spread))


def read_group(task: Task, first: int, last: int) -> Outcome:
    """Job: a group of pages of a long document."""
    assert _worker is not None
    worker = _worker
    return worker.guarded(task, lambda: worker.read_group(task, first, last))
