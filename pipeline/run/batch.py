"""`nightshift run`: the embedded default, without a broker.

A local pool (pebble) isolates crashes and enforces time limits; what must survive lies in the store,
so a run that dies is simply started again.
"""

from __future__ import annotations

import hashlib
import os
import queue
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from itertools import islice
from multiprocessing import get_context

import msgspec
from pebble import ProcessExpired, ProcessPool

from pipeline import clock
from pipeline.documents.sources import Source
from pipeline.errors import PermanentError, PipelineError, RunError, StoreUnavailable
from pipeline.ledger import pending, receipts, records
from pipeline.ledger.attempts import STORE_ATTEMPTS, Attempts, following, poison
from pipeline.models import Task
from pipeline.run import worker
from pipeline.run.worker import SLOTS, Outcome
from pipeline.settings import Settings
from pipeline.steps.engines import Engines
from pipeline.storage import Store, keys, open_store
from pipeline.storage.objects import read_or_none

_ACCEPT = 32  # documents whose receipt is written at once


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work for one process: a whole document, or pages `first` to `last` of one."""

    task: Task
    first: int = 0
    last: int = 0
    spread: bool = True
    groups: int = 1
    retries: int = 0


class Batch:
    """One run over many sources."""

    def __init__(
        self, settings: Settings, *, run_date: str, workers: int, retry_failed: bool = False
    ) -> None:
        self.settings, self.run_date, self.workers = settings, run_date, workers
        self.retry_failed = retry_failed
        self.store: Store = open_store(settings.store_url, settings)
        self.engines = Engines(settings)  # described here, never loaded: models live in the workers
        context = get_context("spawn")
        self.read, self.known = context.RawArray("l", SLOTS), context.RawArray("l", SLOTS)
        self._pool = ProcessPool(
            max_workers=workers,
            initializer=worker.start,
            initargs=(settings, run_date, self.read, self.known),
            context=context,
        )
        self._events: queue.SimpleQueue[tuple[Job, Future[Outcome]]] = queue.SimpleQueue()
        self._running = self._opened = self._told = 0
        self._waiting: deque[Job] = deque()
        self._later: list[tuple[float, Job]] = []
        self._groups_left: dict[str, int] = {}
        self._twins: dict[str, list[Task]] = {}
        self._crashes: dict[tuple[str, int], Attempts] = {}

    @property
    def pages_read(self) -> int:
        """Pages read or found in the store so far."""
        return sum(self.read)

    def pages_expected(self, documents: int) -> float:
        """Pages of all `documents`, those not opened yet taken as long as the ones opened were on average."""
        known: int = sum(self.known)
        unopened = max(documents - self._opened - self._told, 0)
        return known + unopened * (known / self._opened if self._opened else 1)

    def run(self, sources: Iterable[Source]) -> Iterator[Outcome | None]:
        """Yield each document's outcome as it ends, and `None` now and then so that a caller can redraw.

        Raises `RunError` or `StoreUnavailable` when the run itself can't go on; what was done stays.
        """
        os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        arriving = self._accept(sources)
        more = True
        try:
            while more or self._running or self._waiting or self._later:
                self._wake()
                while self._running < 2 * self.workers and (self._waiting or more):
                    if self._waiting:
                        job = self._waiting.popleft()
                        if not job.first or job.task.task_id in self._groups_left:
                            self._schedule(job)
                        continue
                    item = next(arriving, None)
                    if item is None:
                        more = False
                    elif isinstance(item, Outcome):
                        self._told += 1
                        yield item
                    elif self._first_of_its_bytes(item):
                        self._waiting.append(Job(task=item))
                if self._running or self._later:
                    try:
                        job, future = self._events.get(timeout=0.5)
                    except queue.Empty:
                        yield None
                        continue
                    self._running -= 1
                    yield from self._settle(job, future)
            self._pool.close()  # type: ignore[no-untyped-call]
        except BaseException:
            self._pool.stop()  # type: ignore[no-untyped-call]
            raise
        finally:
            self._pool.join()

    def _accept(self, sources: Iterable[Source]) -> Iterator[Task | Outcome]:
        """Store and mark documents, a receipt for every few; what has a record already is told at once."""
        pending = iter(sources)
        while chunk := list(islice(pending, _ACCEPT)):
            accepted: list[Task] = []
            ended: list[Outcome] = []
            for source in chunk:
                entry = self._enter(source)
                (accepted if isinstance(entry, Task) else ended).append(entry)  # type: ignore[arg-type]
            receipts.write(
                self.store,
                self.run_date,
                [*accepted, *(Task(task_id=o.task_id, sha256=o.sha256, source=o.source) for o in ended)],
            )
            yield from ended
            yield from accepted

    def _enter(self, source: Source) -> Task | Outcome:
        try:
            data = source.read()
        except PermanentError as error:
            task = Task(task_id=pending.task_id_for(source.url, None), sha256=None, source=source.url)
            return self._fail(task, error)
        sha256 = hashlib.sha256(data).hexdigest()
        task_id = pending.task_id_for(source.url, sha256)
        record = records.ended(self.store, self.run_date, task_id)
        valid = record is not None and record.settings_digest == self.engines.digest
        if record and valid and (record.status == "done" or not self.retry_failed):
            self.store.delete(keys.pending(task_id))
            return Outcome.of(record, reused=True)
        pending.store_document(self.store, data)
        task = Task(
            task_id=task_id,
            sha256=sha256,
            source=source.url,
            size=len(data),
            submitted_at=clock.now(),
            attempts=self._attempts(task_id),
        )
        pending.mark(self.store, task)
        return task

    def _attempts(self, task_id: str) -> int:
        task = read_or_none(self.store, keys.pending(task_id), Task)
        return task.attempts if task else 0

    def _first_of_its_bytes(self, task: Task) -> bool:
        """Whether nobody works on these bytes yet; a twin waits for the first to end, then reuses its pages."""
        assert task.sha256 is not None
        if task.sha256 in self._twins:
            self._twins[task.sha256].append(task)
            return False
        self._twins[task.sha256] = []
        return True

    def _schedule(self, job: Job) -> None:
        call: Callable[..., Outcome]
        if job.first:
            call = partial(worker.read_group, job.task, job.first, job.last)
        else:
            call = partial(worker.process, job.task, job.spread)
            self._opened += job.spread
        future: Future[Outcome] = self._pool.schedule(call, timeout=self.settings.time_limit * job.groups)
        self._running += 1
        future.add_done_callback(lambda done: self._events.put((job, done)))

    def _wake(self) -> None:
        now = time.monotonic()
        self._waiting.extend(job for due, job in self._later if due <= now)
        self._later = [(due, job) for due, job in self._later if due > now]

    def _settle(self, job: Job, future: Future[Outcome]) -> Iterator[Outcome]:
        """Turn what became of a job into outcomes and further jobs."""
        try:
            outcome = future.result()
        except StoreUnavailable:
            if job.retries + 1 >= STORE_ATTEMPTS:
                raise
            retry = msgspec.structs.replace(job, retries=job.retries + 1)
            self._later.append((time.monotonic() + min(2**job.retries, 30), retry))
            return
        except PipelineError:
            raise
        except ProcessExpired as error:
            yield from self._crashed(job, f"crashed its worker ({_death(error.exitcode)})")
            return
        except FutureTimeout:
            limit = self.settings.time_limit * job.groups
            yield from self._crashed(job, f"did not finish within {limit:.0f} s")
            return
        except Exception as error:
            raise RunError(f"A worker could not do its job: {type(error).__name__}: {error}") from error
        yield from self._advance(job, outcome)

    def _advance(self, job: Job, outcome: Outcome) -> Iterator[Outcome]:
        task = job.task
        if outcome.status == "spread":
            size = self.settings.page_group
            firsts = range(1, outcome.pages + 1, size)
            self._groups_left[task.task_id] = len(firsts)
            groups = [
                Job(task=task, first=first, last=min(first + size - 1, outcome.pages), groups=1)
                for first in firsts
            ]
            self._waiting.extendleft(reversed(groups))
        elif outcome.status == "read":
            if task.task_id in self._groups_left:
                self._groups_left[task.task_id] -= 1
                if not self._groups_left[task.task_id]:
                    total = -(-job.last // self.settings.page_group)
                    self._waiting.appendleft(Job(task=task, spread=False, groups=total))
        elif not job.first or self._groups_left.pop(task.task_id, None) is not None:
            yield from self._ended(task, outcome)

    def _ended(self, task: Task, outcome: Outcome) -> Iterator[Outcome]:
        yield outcome
        twins = self._twins.pop(task.sha256 or "", [])
        for twin in twins:
            if outcome.error is None:
                self._waiting.append(Job(task=twin))
            else:
                yield self._fail(twin, PermanentError(outcome.error.message, code=outcome.error.code))

    def _crashed(self, job: Job, what: str) -> Iterator[Outcome]:
        """Count an attempt, from anew if pages were read since the last; give up at the limit."""
        task = job.task
        if job.first and task.task_id not in self._groups_left:
            return  # another group has failed this document already
        pages = self._pages_stored(job)
        last = self._crashes.get((task.task_id, job.first), Attempts(self._attempts(task.task_id)))
        this = following(last, pages)
        self._crashes[task.task_id, job.first] = this
        task = msgspec.structs.replace(task, attempts=this.count)
        pending.mark(self.store, task)
        if this.count < self.settings.max_attempts:
            self._waiting.append(msgspec.structs.replace(job, task=task))
            return
        self._groups_left.pop(task.task_id, None)
        advice = "try again with --retry-failed and other settings"
        error = poison(what, job.first, job.last, this.count, advice)
        # `attempts` of a record counts the one that is being recorded
        yield from self._ended(
            task, self._fail(msgspec.structs.replace(task, attempts=this.count - 1), error)
        )

    def _pages_stored(self, job: Job) -> int:
        assert job.task.sha256 is not None
        stored = self.store.list(keys.pages(job.task.sha256, self.engines.reading_digest))
        return sum(1 for key in stored if not job.first or job.first <= keys.page_number(key) <= job.last)

    def _fail(self, task: Task, error: PermanentError) -> Outcome:
        return Outcome.of(
            records.fail(
                self.store, task, error, run_date=self.run_date, settings_digest=self.engines.digest
            ),
            reused=False,
        )


def _death(exitcode: int) -> str:
    if exitcode < 0:
        return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"
