"""`nightshift run`: the embedded default, without a broker.

A batch drives a pool of local processes. Everything that must survive a crash is in the store, so a run that was
interrupted is started again and continues.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

import msgspec
from pebble import ProcessExpired

from pipeline import guard, mask_policy
from pipeline.documents.sources import Source
from pipeline.errors import (
    DeviceUnavailable,
    PermanentError,
    PipelineError,
    Poison,
    RunError,
    StoreUnavailable,
)
from pipeline.ledger import pending, records
from pipeline.ledger.attempts import STORE_ATTEMPTS
from pipeline.models import Failure, Task
from pipeline.run.acceptance import Acceptance
from pipeline.run.crashes import CrashCount
from pipeline.run.jobs import Job, JobQueue
from pipeline.run.outcome import Outcome, fail
from pipeline.run.pool import WorkerPool
from pipeline.settings import Settings
from pipeline.steps import recognize
from pipeline.steps.engines import Engines
from pipeline.storage import Store, keys, open_store

_ABORTS = (signal.SIGABRT, signal.SIGTRAP, signal.SIGILL)
"""How native code ends its process itself."""
_LONGEST_WAIT = 30.0
"""Seconds between two attempts to reach an unavailable store."""


class Batch:
    """One run over many sources."""

    def __init__(
        self, settings: Settings, *, run_date: str, workers: int, retry_failed: bool = False
    ) -> None:
        self.run_date = run_date
        self.store: Store = open_store(settings.store_url, settings)
        self.engines = Engines(settings)  # described here, never loaded: models are loaded in the workers
        self.acceptance = Acceptance(
            self.store,
            run_date=run_date,
            digest=self.engines.digest,
            retry_failed=retry_failed,
            named=not mask_policy.policy(settings.mask).hides_names,
        )
        self._jobs = JobQueue(settings.page_group)
        self._crashes = CrashCount(settings.max_attempts)
        self._abandoned: dict[str, Poison] = {}  # by task id: why, while its pages are counted
        self._opening = settings.page_seconds
        self._pool = WorkerPool(settings, run_date, workers)

    @property
    def pages_read(self) -> int:
        """Pages read or found in the store so far."""
        return self._pool.pages.read

    def pages_expected(self, documents: int) -> float:
        """Pages of all `documents`, estimated for those that were not opened yet."""
        return self._pool.pages.expected(documents)

    def run(self, sources: Iterable[Source]) -> Generator[Outcome | None, None, None]:
        """Yield each document's outcome as it ends, and `None` at least twice a second so that a caller can redraw.

        Closing the iterator stops the workers; `finished_meanwhile` then says what they had completed. Raises
        `RunError` or `StoreUnavailable` when the run itself can't continue; what is done stays done.
        """
        arriving = self.acceptance.accept(sources)
        try:
            while True:
                self._jobs.wake(time.monotonic())
                yield from self._start_jobs(arriving)
                if not (self._pool.running or self._jobs):
                    break
                ended = self._pool.wait(0.5)
                if ended is None:
                    yield None
                else:
                    yield from self._settle(*ended)
            self._pool.close()
        except BaseException:
            self._pool.stop()
            raise
        finally:
            self._pool.join()

    def finished_meanwhile(self) -> list[Outcome]:
        """After a run was stopped: outcomes of documents that ended and were not yielded, as the store has them."""
        tasks = {job.task.task_id: job.task for job in self._pool.running}
        found = [(task, records.ended(self.store, self.run_date, task.task_id)) for task in tasks.values()]
        # an older failure that was being retried is not of this run
        return [
            Outcome.of(record) for task, record in found if record and record.done_at >= task.submitted_at
        ]

    def _start_jobs(self, arriving: Iterator[Task | Outcome]) -> Iterator[Outcome]:
        """Give the pool jobs until it has enough; yields documents that ended before."""
        while self._pool.has_room:
            if job := self._jobs.next():
                self._pool.start(job)
            elif (entry := next(arriving, None)) is None:
                return
            elif isinstance(entry, Outcome):
                self._pool.pages.ended += 1
                yield entry
            else:
                self._jobs.add(entry)

    def _settle(self, job: Job, future: Future[Outcome]) -> Iterator[Outcome]:
        """Turn how a job ended into outcomes and further jobs."""
        try:
            outcome = future.result()
        except (StoreUnavailable, DeviceUnavailable) as error:
            # a device that loads is waited for: once it is lost, the pool says so
            if job.retries + 1 >= STORE_ATTEMPTS and type(error) is not DeviceUnavailable:
                raise
            self._jobs.repeat_later(job, time.monotonic() + min(2**job.retries, _LONGEST_WAIT))
        except PipelineError:
            raise
        except ProcessExpired as error:
            yield from self._expired(job, error.exitcode)
        except FutureTimeout:
            yield from self._crashed(job, f"did not finish within {self._pool.time_limit(job):.0f} s")
        except Exception as error:
            raise RunError(f"A worker could not do its job: {type(error).__name__}: {error}") from error
        else:
            if outcome.status == "counted":
                reason = self._abandoned.pop(job.task.task_id)
                if outcome.pages > 1:
                    yield from self._skip_page(job, job.task, reason, outcome.pages)
                else:
                    yield from self._abandon(job.task, reason)
            elif ended := self._jobs.advance(job, outcome):
                yield from self._end(job.task, ended)

    def _crashed(self, job: Job, what: str) -> Iterator[Outcome]:
        """Count an attempt; try again, or abandon the document."""
        if not self._jobs.is_open(job):
            return
        count = self._crashes.add(job, earlier=job.task.attempts, pages=self._pages_stored(job))
        task = msgspec.structs.replace(job.task, attempts=count)
        pending.mark(self.store, task)
        error = self._crashes.verdict(job, what, count)
        if error is None:
            self._jobs.repeat(msgspec.structs.replace(job, task=task))
            return
        if job.count:
            yield from self._abandon(task, self._abandoned.pop(task.task_id, error))
        elif job.first:
            yield from self._skip_page(job, task, error, job.last)
        else:
            self._abandoned[task.task_id] = error
            self._jobs.count_pages(msgspec.structs.replace(job, task=task))

    def _skip_page(self, job: Job, task: Task, error: Poison, last: int) -> Iterator[Outcome]:
        """Give up the page that was being read and read the others; the document, where it was no page's fault."""
        assert task.sha256 is not None
        number = recognize.missing_page(
            task.sha256, job.first or 1, last, store=self.store, engines=self.engines
        )
        if not self._crashes.page_to_skip(job, number):
            yield from self._abandon(task, error)
            return
        assert number is not None
        page = recognize.unread_page(number, error)
        recognize.store_page(page, task.sha256, store=self.store, engines=self.engines)
        task = msgspec.structs.replace(task, attempts=0)
        pending.mark(self.store, task)
        self._jobs.repeat(msgspec.structs.replace(job, task=task, count=False))

    def _expired(self, job: Job, exitcode: int) -> Iterator[Outcome]:
        """Count an attempt, unless the document can't be opened within the limits: the next one would end likewise."""
        reason = guard.of_document(exitcode, self._opening)
        if reason is None:
            yield from self._crashed(job, _crash(exitcode))
        elif self._jobs.is_open(job):
            self._abandoned.pop(job.task.task_id, None)
            self._jobs.abandon_groups(job.task)
            yield from self._end(job.task, self._fail(job.task, reason))

    def _abandon(self, task: Task, error: Poison) -> Iterator[Outcome]:
        """Record that a document crashed or hung its worker too often."""
        count = task.attempts
        self._jobs.abandon_groups(task)
        # a record counts the attempt that is being recorded in addition to those of its task
        yield from self._end(task, self._fail(msgspec.structs.replace(task, attempts=count - 1), error))

    def _end(self, task: Task, outcome: Outcome) -> Iterator[Outcome]:
        """A document has ended: its duplicates take its pages and entities from the store, or fail likewise."""
        yield outcome
        for duplicate in self._jobs.release_duplicates(task):
            if outcome.status != "failed":
                self._jobs.add_released(duplicate)
            else:
                error = outcome.error or Failure(code="failed", message="The same document failed.")
                yield self._fail(duplicate, PermanentError(error.message, code=error.code))

    def _pages_stored(self, job: Job) -> int:
        assert job.task.sha256 is not None
        stored = self.store.list(keys.pages(job.task.sha256, self.engines.reading_digest))
        return sum(1 for key in stored if not job.first or job.first <= keys.page_number(key) <= job.last)

    def _fail(self, task: Task, error: PermanentError) -> Outcome:
        return fail(self.store, task, error, run_date=self.run_date, settings_digest=self.engines.digest)


def _crash(exitcode: int) -> str:
    """What a document did whose worker ended with this exit code, to go on after its name."""
    if exitcode == guard.EXIT_MEMORY:
        return "needed more memory than NIGHTSHIFT_WORKER_MEMORY allows"
    if exitcode == guard.EXIT_TIME:
        return "took too much processor time"
    return f"crashed its worker ({_exit_reason(exitcode)})"


def _exit_reason(exitcode: int) -> str:
    if exitcode < 0:
        name = signal.Signals(-exitcode).name
        return f"{name}, as when memory runs out" if -exitcode in _ABORTS else name
    return f"exit code {exitcode}"
