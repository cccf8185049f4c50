"""How work gets in, at any time of day: a submission is entered into the ledger, then its bytes are taken in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import structs

from pipeline import clock
from pipeline.documents.open import open_document
from pipeline.errors import Damaged, PermanentError, TransientError
from pipeline.ledger import claims, pending, receipts, records
from pipeline.messages import Message
from pipeline.models import TEXT, Task
from pipeline.remote.fetch import fetch
from pipeline.remote.policy import callback_policy, source_policy
from pipeline.settings import Settings
from pipeline.steps.task_types import task_type
from pipeline.storage import Store, keys
from pipeline.submission.contract import Submission, partial_id, partial_trace


class Accepted(NamedTuple):
    """The messages that come next, and whether the id was known: the submission, or another, came under it before."""

    messages: list[Message]
    known: bool


class Reception:
    """Accepts, refuses and takes in. `run_date` tells which night's receipts a moment belongs to."""

    def __init__(self, store: Store, settings: Settings, run_date: Callable[[], str]) -> None:
        self.store, self.settings, self.run_date = store, settings, run_date
        self.policy = source_policy(settings)

    def accept(self, submission: Submission, data: bytes | None = None) -> list[Message]:
        """Accept a submission into the ledger; `data` when the caller has the bytes already.

        The same submission again gives the same message again until the task is ingested, none from then on. The same
        id with another source becomes a task alongside it, which ingest drops if the bytes turn out to be the same
        and otherwise refuses.
        """
        return self._accept(submission, data, at_once=False).messages

    def accept_or_refuse(self, submission: Submission, data: bytes | None = None) -> Accepted:
        """Accept as `accept` does, but for a producer that can be answered at once.

        Raises `PermanentError` where the id stands for other bytes (`id_conflict`), and for a URL that could not be
        ingested before (`failed_before`): the same would only fail again.
        """
        return self._accept(submission, data, at_once=True)

    def _accept(self, submission: Submission, data: bytes | None, *, at_once: bool) -> Accepted:
        task_type(submission.task_type)
        if submission.callback_url:
            callback_policy(self.settings).check(submission.callback_url)
        if submission.url and data is None:
            self.policy.check(submission.url)
        if submission.text:
            data = submission.text.encode()
        source = submission.url or "message"
        origin = claims.origin_of(source, data)
        task_id, alias_of = submission.task_id, ""
        mine, known = claims.take(self.store, task_id, origin)
        if known and at_once:
            self._check_known(task_id, origin, data)
        if not mine:
            task_id, alias_of = keys.derived(task_id, f"#{origin}"), task_id
            claims.take(self.store, task_id, origin)
        task = pending.get(self.store, task_id)
        if task is None:
            if claims.get(self.store, task_id, origin) != claims.Claim():
                return Accepted([], known)  # it has ended
            task = self._mark(submission, task_id, source, data, origin, alias_of)
        ingested = task.media_type not in (None, TEXT)
        return Accepted([] if ingested else [Message.of("ingest", task)], known)

    def _check_known(self, task_id: str, origin: str, data: bytes | None) -> None:
        """Raise what an id that is known says against this submission."""
        if data is not None:
            contents = claims.contents(self.store, task_id)
            if contents and hashlib.sha256(data).hexdigest() not in contents:
                raise PermanentError(
                    f"The task id {task_id} was used before for other bytes: give this document an id of its own.",
                    code="id_conflict",
                )
            return
        failed = claims.get(self.store, task_id, origin).failed
        if failed and pending.get(self.store, task_id) is None:
            raise PermanentError(
                f"The task {task_id} failed in the night of {failed}: to try it again, run "
                f"`nightshift failed redrive --task-id {task_id}`.",
                code="failed_before",
            )

    def _mark(
        self,
        submission: Submission,
        task_id: str,
        source: str,
        data: bytes | None,
        origin: str,
        alias_of: str,
    ) -> Task:
        """Write receipt and marker; the marker last, for one that is there tells that all is done."""
        task = Task(
            task_id=task_id,
            sha256=pending.store_document(self.store, data) if data is not None else None,
            source=source,
            task_type=submission.task_type,
            trace_id=submission.trace_id,
            tenant=submission.tenant,
            size=len(data or b""),
            media_type=TEXT if submission.text else None,
            priority=submission.priority,
            callback_url=submission.callback_url,
            submitted_at=clock.now(),
            not_before=submission.not_before.isoformat() if submission.not_before else "",
            metadata=submission.metadata,
            alias_of=alias_of,
            origin=origin,
        )
        if not alias_of:  # else it is no document of its own until ingest has seen its bytes
            receipts.write(self.store, self.run_date(), [task])
        pending.mark(self.store, task)
        return task

    def refuse(self, body: bytes, error: PermanentError) -> Task:
        """Record a raw message that breaks the contract, as a task with an id of its own."""
        digest = hashlib.sha256(body).hexdigest()
        task = Task(
            task_id=keys.derived((partial_id(body) or "message")[:80], f"#{digest[:12]}"),
            sha256=None,
            source="message",
            size=len(body),
            trace_id=partial_trace(body),
            submitted_at=clock.now(),
        )
        receipts.write(self.store, self.run_date(), [task])
        records.fail(self.store, task, error, run_date=self.run_date(), settings_digest="")
        return task

    def take_in(self, task: Task, by: str = "") -> Task | None:
        """Fetch, store and check a document; gives the task when its work may begin.

        A delayed one waits in the store; of two messages (`by` is the id of this one) only the first begins it.
        Raises what `fetch` and `open_document` raise.
        """
        settings = self.settings.replaced(task.overrides)
        if task.sha256 is None:
            data = fetch(task.source, self.policy, settings)
            task = structs.replace(task, sha256=pending.store_document(self.store, data), size=len(data))
        else:
            data = self.store.get(keys.document(task.sha256))
        try:
            if task.alias_of and self._settle_alias(task):
                return None
            if task.media_type != TEXT:
                with open_document(data, settings.limits) as document:
                    task = structs.replace(task, media_type=document.media_type, pages=document.page_count)
        except PermanentError:
            pending.update(self.store, task)  # its failure tells which bytes it had
            raise
        return self._enter(task, by)

    def note_failure(self, task: Task) -> None:
        """Note that a document could not be taken in: its submission has ended, too."""
        with suppress(Damaged):
            known = claims.get(self.store, task.task_id, task.origin) if task.origin else None
            if known is not None and (known.failed or not known.sha256):
                claim = claims.Claim(sha256=task.sha256, failed=task.run_date)
                claims.note(self.store, task.task_id, task.origin, claim)

    def _enter(self, task: Task, by: str) -> Task | None:
        """Note what a task's bytes are, unless the same message, delivered twice, has ended it meanwhile."""
        if task.origin:
            claims.note(self.store, task.task_id, task.origin, claims.Claim(sha256=task.sha256))
        now = pending.get(self.store, task.task_id)
        if now is None:
            return None
        if now.taken_by not in ("", by) and not now.not_before:
            return None
        task = structs.replace(task, run_date=now.run_date, taken_by=by)
        pending.mark(self.store, task)
        start = datetime.fromisoformat(task.not_before) if task.not_before else None
        if start and start > datetime.now(UTC):
            self.store.put(keys.delayed(start, task.task_id), b"")
            return None
        return task

    def _settle_alias(self, task: Task) -> bool:
        """Whether a task under a used id is the very document that id stands for; raises if it is not."""
        # first, for bytes are noted before a task ends
        under_way = pending.get(self.store, task.alias_of)
        known = claims.contents(self.store, task.alias_of)
        if task.sha256 in known:
            self.store.delete(keys.pending(task.task_id))
            return True
        if under_way and not known:
            raise TransientError(f"The task {task.alias_of} that this may repeat is not taken in yet.")
        raise PermanentError(
            f"The task id {task.alias_of} was used for another document or source: give this one an id of its own.",
            code="id_conflict",
        )
