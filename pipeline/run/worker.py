"""What runs inside a worker process of `nightshift run`.

The process loads models on first use, keeps them, and answers one job at a time with an `Outcome`.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline import guard, reader, scratch
from pipeline.documents.base import Document
from pipeline.forecast.model import TEXT, kind_of
from pipeline.ledger import pending
from pipeline.models import Task
from pipeline.reader import open_document
from pipeline.run.counters import PageCounters
from pipeline.run.outcome import Outcome, Reused, fail
from pipeline.settings import Settings
from pipeline.steps import conclude, extract, recognize
from pipeline.steps.engines import Engines
from pipeline.steps.verdict import verdict
from pipeline.storage import open_store

_PR_SET_PDEATHSIG = 1


class Worker:
    """Settings, store, models and page counters of this process."""

    def __init__(self, settings: Settings, run_date: str, counters: PageCounters) -> None:
        self.settings, self.run_date, self.counters = settings, run_date, counters
        self.store = open_store(settings.store_url, settings)
        self.engines = Engines(settings)
        self._open: tuple[str, Document] | None = None  # a long document, by its SHA-256

    def process(self, task: Task, spread: bool) -> Outcome:
        """Take one document through all steps; with `spread`, one with many pages to read is handed back unread.

        Not a text: opening it is nearly all of the work, and each group of its pages would do that again.
        """
        assert task.sha256 is not None
        computed = {"pages": False, "entities": False}

        def on_page(new: bool) -> None:
            computed["pages"] |= new
            self.counters.count_read(spread)  # else the page groups have counted it

        def on_entities(new: bool) -> None:
            computed["entities"] = new

        self._close()
        with open_document(pending.document(self.store, task.sha256), self.settings.limits) as document:
            count, media_type = document.page_count, document.media_type
            if spread:
                self.counters.count_known(count)
                if count > self.settings.page_group and kind_of(media_type) != TEXT:
                    return Outcome(status="spread", task_id=task.task_id, source=task.source, pages=count)
            pages = recognize.recognize(
                document,
                task.sha256,
                range(1, count + 1),
                store=self.store,
                engines=self.engines,
                on_page=on_page,
                alone=task.attempts > 0,
            )
        recognize.check_any_read(pages)
        found = extract.extract(
            pages, task.sha256, store=self.store, engines=self.engines, on_entities=on_entities
        )
        result = conclude.conclude(
            task,
            pages,
            found,
            media_type=media_type,
            run_date=self.run_date,
            store=self.store,
            engines=self.engines,
        )
        return Outcome.of(result, reused=_reused(**computed))

    def count_pages(self, task: Task) -> Outcome:
        """Open a document without reading it."""
        assert task.sha256 is not None
        self._close()
        with open_document(pending.document(self.store, task.sha256), self.settings.limits) as document:
            pages = document.page_count
        return Outcome(status="counted", task_id=task.task_id, source=task.source, pages=pages)

    def read_group(self, task: Task, first: int, last: int) -> Outcome:
        """Read pages `first` to `last` of a long document into their checkpoints."""
        assert task.sha256 is not None
        computed = False

        def on_page(new: bool) -> None:
            nonlocal computed
            computed |= new
            self.counters.count_read()

        with self._kept_open(task.sha256) as document:
            recognize.recognize(
                document,
                task.sha256,
                range(first, last + 1),
                store=self.store,
                engines=self.engines,
                on_page=on_page,
                alone=task.attempts > 0,
            )
        return Outcome(
            status="read",
            task_id=task.task_id,
            source=task.source,
            pages=last - first + 1,
            reused="" if computed else "pages",
        )

    @contextmanager
    def _kept_open(self, sha256: str) -> Iterator[Document]:
        """A long document, which stays open until another one is opened here: the next group is often of it, too.

        To open one of 10,000 pages takes as long as to decode eight of them.
        """
        if self._open is None or self._open[0] != sha256:
            self._close()
            data = pending.document(self.store, sha256)
            self._open = sha256, open_document(data, self.settings.limits)
        try:
            yield self._open[1]
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        """Close the document that is open, if there is one: its bytes are in memory."""
        if self._open:
            self._open[1].close()
        self._open = None

    def guarded(self, task: Task, job: Callable[[], Outcome]) -> Outcome:
        """Run a job; an error that concerns the document itself becomes its failure record."""
        try:
            return job()
        except Exception as error:
            ends = verdict(error)
            if ends.action not in ("fail", "set_aside"):
                raise  # the store or the run: not this document's fault
            if ends.unexpected:
                traceback.print_exc(file=sys.stderr)
        digest = self.engines.digest
        return fail(self.store, task, ends.reason, run_date=self.run_date, settings_digest=digest)


def _reused(*, pages: bool, entities: bool) -> Reused:
    """What was in the store before, of a document whose pages and entities were (`True`) or were not computed."""
    if pages:
        return ""
    return "pages" if entities else "checkpoints"


_worker: Worker | None = None


def start(settings: Settings, run_date: str, counters: PageCounters) -> None:
    """Set this process up: it ends with its parent, which alone handles Ctrl-C."""
    global _worker  # noqa: PLW0603 - one worker per process is the point
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    guard.start(settings.memory_limit, settings.page_seconds)
    scratch.start(settings.temp_dir)
    reader.start(settings, at_once=True)
    _worker = Worker(settings, run_date, counters)


def process(task: Task, spread: bool) -> Outcome:
    """Job: a whole document."""
    assert _worker is not None
    worker = _worker
    return worker.guarded(task, lambda: worker.process(task, spread))


def count_pages(task: Task) -> Outcome:
    """Job: the number of pages of a document."""
    assert _worker is not None
    worker = _worker
    return worker.guarded(task, lambda: worker.count_pages(task))


def read_group(task: Task, first: int, last: int) -> Outcome:
    """Job: a group of pages of a long document."""
    assert _worker is not None
    worker = _worker
    return worker.guarded(task, lambda: worker.read_group(task, first, last))
