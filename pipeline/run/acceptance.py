"""From sources to accepted tasks: bytes, pending markers and receipts are in the store before anything is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from msgspec import structs

from pipeline import clock
from pipeline.documents.sources import Source
from pipeline.errors import PermanentError
from pipeline.ledger import generations, pending, receipts, records
from pipeline.models import DocumentResult, Task
from pipeline.run.outcome import Outcome, fail
from pipeline.steps import recognize
from pipeline.storage import Store, keys
from pipeline.storage.objects import read_or_none

RECEIPT_SIZE = 32
"""Documents that share one receipt."""


class _Unreadable(msgspec.Struct, frozen=True):
    """A task whose bytes are not available, and why."""

    task: Task
    error: PermanentError


class Identified(msgspec.Struct, frozen=True):
    """The bytes of a source, their hash, and the id of the task that they are."""

    data: bytes
    sha256: str
    task_id: str


def identify(source: Source, *, named: bool) -> Identified:
    """Read a source; raises a `PermanentError` when its bytes are not available.

    `named`: whether its task id has the file name.
    """
    data = source.read()
    sha256 = hashlib.sha256(data).hexdigest()
    return Identified(data, sha256, pending.task_id_for(source.url, sha256, named=named))


class Acceptance:
    """Accepts documents for one run date under one set of settings (`digest`)."""

    def __init__(
        self, store: Store, *, run_date: str, digest: str, retry_failed: bool, named: bool = True
    ) -> None:
        self.store, self.run_date, self.digest, self.retry_failed = store, run_date, digest, retry_failed
        self.named = named  # whether task ids have the file name
        self._begun: set[str] = set()  # sha256 of documents accepted in this run
        self._failed_again: set[str] | None = None  # keys, listed when first needed

    def accept(self, sources: Iterable[Source]) -> Iterator[Task | Outcome]:
        """Yield a task for each document to process, and an outcome for each that has ended already.

        Documents are stored and marked as pending one by one; every `RECEIPT_SIZE` of them share a receipt, which is
        written before the first of them is yielded.
        """
        remaining = iter(sources)
        while chunk := list(islice(remaining, RECEIPT_SIZE)):
            entries = [self._accept_one(source) for source in chunk]
            accepted = [e for e in entries if isinstance(e, Task)]
            unreadable = [e for e in entries if isinstance(e, _Unreadable)]
            ended = [e for e in entries if isinstance(e, Outcome)]
            again = [Task(task_id=o.task_id, sha256=o.sha256, source=o.source) for o in ended]
            again += [entry.task for entry in unreadable]
            receipt = receipts.write(self.store, self.run_date, [*accepted, *again])
            yield from ended
            for entry in unreadable:
                yield self._fail(structs.replace(entry.task, receipt=receipt), entry.error)
            yield from (structs.replace(task, receipt=receipt) for task in accepted)

    def earlier_result(self, task_id: str) -> DocumentResult | None:
        """The record of a task that counts under these settings, done or failed; `None` where it must be processed."""
        record = records.ended(self.store, self.run_date, task_id)
        if record is None or record.settings_digest != self.digest:
            return None
        return record if record.status == "done" or not self.retry_failed else None

    def _fail(self, task: Task, error: PermanentError) -> Outcome:
        return fail(self.store, task, error, run_date=self.run_date, settings_digest=self.digest)

    def _accept_one(self, source: Source) -> Task | Outcome | _Unreadable:
        try:
            found = identify(source, named=self.named)
        except PermanentError as error:
            task_id = pending.task_id_for(source.url, None, named=self.named)
            task = Task(task_id=task_id, sha256=None, source=source.url)
            return _Unreadable(task, error)
        if record := self.earlier_result(found.task_id):
            pending.remove(self.store, found.task_id, record.generation + 1)
            self._forget_failure(record)
            return Outcome.of(record, reused="result")
        pending.store_document(self.store, found.data)
        standing = records.ended(self.store, self.run_date, found.task_id)
        generation = self._generation(found.task_id, standing)
        attempts = attempts_so_far(self.store, found.task_id, generation)
        if found.sha256 not in self._begun and (self.retry_failed or attempts is None):
            recognize.forget_unread(
                self.store, found.sha256
            )  # what could not be read is tried again, once per run
        self._begun.add(found.sha256)
        task = Task(
            task_id=found.task_id,
            sha256=found.sha256,
            source=source.url,
            size=len(found.data),
            submitted_at=clock.now(),
            attempts=attempts or 0,
            generation=generation,
            accepted_on=self.run_date,
            reprocess=standing is not None and standing.status == "partial",
        )
        pending.mark_next(self.store, task)
        return task

    def _generation(self, task_id: str, standing: DocumentResult | None) -> int:
        """The generation of a task that is accepted: one that has a record begins the next one."""
        return max(generations.latest(self.store, task_id), standing.generation + 1 if standing else 0)

    def _forget_failure(self, record: DocumentResult) -> None:
        """The settings under which a done document failed in between are no longer in force."""
        if self._failed_again is None:
            self._failed_again = set(self.store.list(keys.failures_again(self.run_date)))
        if (key := keys.failed_again(self.run_date, record.task_id)) in self._failed_again:
            self.store.delete(key)


def attempts_so_far(store: Store, task_id: str, generation: int = 0) -> int | None:
    """Attempts that a task's pending marker counts: `None` where there is none."""
    task = read_or_none(store, keys.pending(task_id, generation), Task)
    return task.attempts if task else None
