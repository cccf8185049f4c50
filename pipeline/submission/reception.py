"""Reception of work, at any time: a submission is accepted into the ledger, then its document is ingested."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

from msgspec import structs

from pipeline import clock, tenants
from pipeline.errors import Damaged, Newer, NotFound, PermanentError, TransientError
from pipeline.ledger import claims, counting, ends, forgotten, generations, pending, receipts, records
from pipeline.ledger.ends import Dates, End
from pipeline.messages import Message
from pipeline.models import TEXT, DocumentResult, Failure, Task
from pipeline.reader import open_document
from pipeline.remote.fetch import fetch
from pipeline.remote.policy import callback_policy, source_policy
from pipeline.remote.urls import public_callback
from pipeline.settings import Settings
from pipeline.steps.task_types import task_type
from pipeline.storage import Store, keys, recent
from pipeline.storage.objects import read_or_none
from pipeline.submission.contract import Submission, parse, partial_id, partial_trace
from pipeline.submission.shares import Shares
from pipeline.telemetry import spans

TENANT_REFUSED = "tenant_refused"
"""Code of a message for a tenant that its sender may not submit for."""


def _in_seconds(moment: datetime | None) -> str:
    """As tables can read it: whole seconds, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""


def _failed(end: End) -> str:
    return end.run_date if end.status == "failed" else ""


class Accepted(NamedTuple):
    """The next messages, and whether the id is already known, from this submission or another one."""

    messages: list[Message]
    known: bool


class Ingested(NamedTuple):
    """A task that was ingested, and whether its bytes were not in the store before."""

    task: Task
    new: bool


SOON = 2.0
"""Seconds within which the marker of a task that has just begun is not looked at again."""


class Reception:
    """Accepts, refuses and ingests submissions. `run_date` returns the current run date, for receipts."""

    def __init__(self, store: Store, settings: Settings, run_date: Callable[[], str]) -> None:
        self.store, self.settings, self.run_date = store, settings, run_date
        self.policy = source_policy(settings)
        self.shares = Shares(store, tenants.quotas(settings.tenant_pages))

    def accept(self, submission: Submission, data: bytes | None = None) -> list[Message]:
        """Accept a submission into the ledger; `data` if the caller already has the bytes.

        A repeated submission returns the same message until the task is ingested, then none. The same id with
        another source becomes a separate task, which ingest drops if the bytes are the same and refuses
        otherwise. The same id of another tenant, where they are bound, becomes a task under a derived id.
        """
        return self._accept(submission, data, at_once=False).messages

    def accept_or_refuse(self, submission: Submission, data: bytes | None = None) -> Accepted:
        """Accept as `accept` does, for a producer that waits for an answer.

        Raises `PermanentError` if the id was used for other bytes (`id_conflict`), and for a URL that could not
        be ingested before (`failed_before`), since it would fail again.
        """
        return self._accept(submission, data, at_once=True)

    def sent_by(self, user: str, submission: Submission) -> Submission:
        """A submission with the tenant that its broker user is bound to; raises `PermanentError` for any other."""
        bound = tenants.users(self.settings.tenant_users)
        if user in bound and submission.tenant in ("", bound[user]):
            return structs.replace(submission, tenant=bound[user])
        if user in bound or submission.tenant in bound.values():
            raise PermanentError(
                f"The broker user {user or '(not named)'} may not submit for the tenant {submission.tenant}: "
                "NIGHTSHIFT_TENANT_USERS binds it (docs/how-to/tenants.md).",
                code=TENANT_REFUSED,
            )
        return submission

    def _accept(self, submission: Submission, data: bytes | None, *, at_once: bool) -> Accepted:
        task_type(submission.task_type)
        if submission.callback_url:
            callback_policy(self.settings).check(submission.callback_url)
        if submission.url and data is None:
            self.policy.check(submission.url)
        if submission.text:
            data = submission.text.encode()
        source = submission.url or "message"
        origin = self._origin(submission, data)
        task_id, alias_of = submission.task_id, ""
        today = (
            self.run_date()
        )  # before it looks: records of a process that accepts it meanwhile are not older
        taken = claims.take(self.store, task_id, origin, today)
        replaced = self._refused_before(task_id, origin, taken)
        known = taken.known and not replaced
        if known and at_once:
            self._check_known(task_id, origin, data)
        if not taken.mine and not replaced:
            alias_of = "" if taken.foreign(origin) else task_id
            task_id, taken = self._take_derived(task_id, origin)
            replaced = self._refused_before(task_id, origin, taken)
        fresh = False
        task = pending.get(self.store, task_id, taken.generation) if taken.known else None
        if task is None or (task.origin and task.origin != origin):
            ended = (
                claims.get(self.store, task_id, origin) if taken.known and not replaced else claims.Claim()
            )
            if (
                ended.refused
            ):  # another submission has taken the place of the refusal since this one claimed the id
                return self._accept(submission, data, at_once=at_once)
            if ended != claims.Claim():
                return Accepted([], known)  # already ended
            if replaced and generations.superseded(self.store, task_id, taken.generation):
                return self._accept(submission, data, at_once=at_once)  # accepted or redriven meanwhile
            sha256, shared = pending.store_bytes(self.store, data) if data is not None else (None, False)
            task = self._task(submission, task_id, source, data, origin)
            task = structs.replace(task, alias_of=alias_of, sha256=sha256)
            marked = self._mark(task, taken, replaced, today)
            if marked is None:
                return self._accept(submission, data, at_once=at_once)  # another one has got the id
            task, fresh = marked, data is not None and not shared
            if shared and data is not None:
                pending.store_document(self.store, data)
        ingested = task.media_type not in (None, TEXT)
        message = structs.replace(Message.of("ingest", task), fresh=fresh)
        return Accepted([] if ingested else [message], known)

    def _origin(self, submission: Submission, data: bytes | None) -> str:
        """The origin of a submission; ids of tenants that are bound to broker users are their own."""
        bound = submission.tenant in tenants.users(self.settings.tenant_users).values()
        tenant = submission.tenant if bound else ""
        return claims.origin_of(submission.url or "message", data, tenant)

    def _take_derived(self, task_id: str, origin: str) -> tuple[str, claims.Taken]:
        """Claim an id derived from another; the next one where anyone has used that for something else."""
        for number in count(1):
            name = keys.derived(task_id, f"#{origin}" if number == 1 else f"#{origin}-{number}")
            taken = claims.take(self.store, name, origin, self.run_date())
            if taken.mine:
                return name, taken
        raise AssertionError("unreachable")

    def _check_known(self, task_id: str, origin: str, data: bytes | None) -> None:
        """Raise `PermanentError` if the known id conflicts with this submission."""
        if data is not None:
            contents = claims.contents(self.store, task_id, like=origin)
            if contents and hashlib.sha256(data).hexdigest() not in contents:
                raise PermanentError(
                    f"The task id {task_id} was used before for other bytes: use a different id.",
                    code="id_conflict",
                )
            return
        failed = claims.get(self.store, task_id, origin).failed
        if failed and pending.newest(self.store, task_id) is None:
            raise PermanentError(
                f"The task {task_id} failed in the night of {failed}: to retry it, run "
                f"`nightshift failed redrive --task-id {task_id}`.",
                code="failed_before",
            )

    def _refused_before(self, task_id: str, origin: str, taken: claims.Taken) -> str:
        """The run date on which this id was refused, if nothing else has become of it; else empty."""
        if not taken.known:
            return ""
        refused = claims.refused_on(self.store, task_id, origin)
        if not refused or pending.get(self.store, task_id, taken.generation):
            return ""
        begun = generations.task_of(self.store, task_id, taken.generation) if taken.generation else None
        if begun and begun.origin not in ("", origin):
            return ""  # another submission has taken the place of the refusal
        end = ends.end_of(self.store, begun, Dates.for_task(begun, self.run_date)) if begun else None
        if end is None:
            return refused
        # a refusal that was paused has replaced what was known of a task that was redriven and has ended
        claims.note(self.store, task_id, origin, claims.Claim(sha256=end.sha256, failed=_failed(end)))
        return ""

    def _task(
        self, submission: Submission, task_id: str, source: str, data: bytes | None, origin: str
    ) -> Task:
        """The task of a submission; what is secret of it, or large, is stored separately."""
        callback = public_callback(submission.callback_url)
        if callback.endswith("?"):
            self.store.put(keys.callback_url(task_id), submission.callback_url.encode())
        trace = spans.current(submission.trace)
        return Task(
            task_id=task_id,
            sha256=None,
            source=source,
            task_type=submission.task_type,
            trace_id=submission.trace_id,
            traceparent=trace.parent,
            tracestate=trace.state,
            tenant=submission.tenant,
            size=len(data or b""),
            media_type=TEXT if submission.text else None,
            priority=submission.priority,
            callback_url=callback,
            submitted_at=clock.now(),
            not_before=submission.not_before.isoformat() if submission.not_before else "",
            deadline=_in_seconds(submission.deadline),
            metadata=submission.metadata,
            origin=origin,
        )

    def _mark(self, task: Task, taken: claims.Taken, replaced: str, today: str) -> Task | None:
        """Write receipt and marker; the marker last, since its existence means that acceptance is complete.

        `replaced`: run date of a refusal whose place it takes. It is the next generation then, so that a paused process
        that still records the refusal changes nothing. `None`: another submission has taken that place meanwhile.
        """
        task = structs.replace(task, accepted_on=taken.accepted_on)
        if replaced:
            before = generations.task_of(self.store, task.task_id, taken.generation)
            if before and before.origin == task.origin and before.replaces == replaced:
                today = before.accepted_on  # it was being accepted, and may have a receipt of that date
            new = claims.claim_first(self.store, task.task_id, task.origin, today)
            again = taken.generation + 1
            task = structs.replace(task, generation=again, accepted_on=today, replaces=replaced)
            # the refusal has a receipt: a repetition of another document must not vanish without a record
            task = structs.replace(task, has_receipt=bool(task.alias_of))
            # before the receipt, which nobody takes back
            begun = generations.task_of(self.store, task.task_id, again) if self._begins(task) else None
            if new and (begun is None or begun.accepted_on != today):
                self.store.delete(keys.taken(task.task_id, task.origin, today))
            if begun is None:
                return None
            # another process of this submission may have begun it on another run date
            task = structs.replace(task, accepted_on=begun.accepted_on)
        new = not taken.known and not replaced
        if not task.alias_of:  # an alias is not a separate document until ingest has seen its bytes
            task = structs.replace(
                task, receipt=receipts.write(self.store, task.accepted_on, [task], new=new)
            )
        if not (new and pending.mark_first(self.store, task)):
            if new:  # a marker whose claim is gone: if it is damaged, what it was about must not vanish
                pending.get(self.store, task.task_id, task.generation)
            pending.mark_next(self.store, task)
        counting.of(self.store).accepted(task)
        if replaced:
            key = keys.failed(replaced, task.task_id, taken.generation)
            if old := read_or_none(self.store, key, DocumentResult):
                records.remove_failure(self.store, old)
                counting.of(self.store).failure_removed(old)
        return task

    def _begins(self, task: Task) -> bool:
        """Whether a task may begin its generation; not where a later one has begun, as this process was paused."""
        return generations.begin(self.store, task) and not generations.superseded(
            self.store, task.task_id, task.generation
        )

    def refuse(self, body: bytes, error: PermanentError, submission: Submission | None = None) -> Task:
        """Record a refused raw message as a failed task; `submission` if the caller has parsed it."""
        if submission is None:
            with suppress(PermanentError):
                submission = parse(body)
        task = self.refused(body, error, submission)
        self.note_refusal(task, error)
        return task

    def refused(self, body: bytes, error: PermanentError, submission: Submission | None = None) -> Task:
        """The task that a refused raw message becomes, with a receipt: the caller notes the refusal next.

        A well-formed one keeps its id, unless that belongs to another submission or this one was accepted before.
        """
        task = self._refused_submission(submission, error) if submission else self._malformed(body, error)
        return structs.replace(task, receipt=receipts.write(self.store, task.accepted_on, [task]))

    def note_refusal(self, task: Task, error: PermanentError) -> None:
        """Record a task of `refused` as failed; one that was refused before for another reason, for the latest.

        What an operator has discarded, and what a later version has recorded, stays so.
        """
        dates = Dates.for_task(task, self.run_date)
        try:
            end, run_date = ends.end_of(self.store, task, dates), task.run_date
            standing = read_or_none(self.store, end.key, DocumentResult) if end else None
        except Newer:
            return
        if end is not None:
            reason = Failure(code=error.code, message=error.message)
            decided = self.store.exists(keys.discarded(end.key))
            if standing is None or standing.status != "failed" or standing.error == reason or decided:
                return
            run_date = end.run_date
        record = records.failure_of(task, error, run_date=run_date, settings_digest="")
        changed = keys.changed(run_date, task.task_id, record.done_at)
        if end is not None:  # the tables may have the older reason; also where this process dies in between
            self.store.put(changed, b"")
        records.finish(self.store, record, dates, marked=False)
        if end is None:
            counting.of(self.store).ended(None, record)
        else:  # the tables may have been written in between
            self.store.put(changed, b"")

    def _malformed(self, body: bytes, error: PermanentError) -> Task:
        origin = hashlib.sha256(body).hexdigest()[:12]
        task_id, taken = self._take_derived((partial_id(body) or "message")[:80], origin)
        return Task(
            task_id=task_id,
            sha256=None,
            source="message",
            size=len(body),
            trace_id=partial_trace(body),
            submitted_at=clock.now(),
            origin=origin,
            accepted_on=taken.accepted_on,
            run_date=max(self.run_date(), taken.accepted_on),
            refused=error.code,
        )

    def _refused_submission(self, submission: Submission, error: PermanentError) -> Task:
        data = submission.text.encode() if submission.text else None
        source, task_id = submission.url or "message", submission.task_id
        origin = self._origin(submission, data)
        taken = claims.take(self.store, task_id, origin, self.run_date())
        claim = claims.get(self.store, task_id, origin) if taken.mine else claims.Claim()
        used = bool(not taken.mine or claim.sha256 or claim.failed)
        used = used or generations.superseded(self.store, task_id, taken.generation)
        if used or pending.get(self.store, task_id, taken.generation):
            task_id, taken = self._take_derived(task_id, origin)
            claim = claims.get(self.store, task_id, origin)
        # the same for each process that refuses it, however late: an acceptance removes the record of this date
        run_date = claim.refused or taken.accepted_on
        claims.note(self.store, task_id, origin, claims.Claim(refused=run_date))
        self._note_later(task_id, origin, taken)
        return structs.replace(
            self._task(submission, task_id, source, data, origin),
            sha256=pending.store_document(self.store, data) if data is not None else None,
            accepted_on=taken.accepted_on,
            run_date=run_date,
            refused=error.code,
        )

    def _note_later(self, task_id: str, origin: str, taken: claims.Taken) -> None:
        """Note the bytes of a task again that was accepted meanwhile: this process has replaced what was known of it.

        Of the generation that there was before, a failure may be that of a refusal.
        """
        latest = generations.latest(self.store, task_id)
        begun = generations.task_of(self.store, task_id, latest) if latest > taken.generation else None
        if begun is None:
            begun = Task(task_id=task_id, sha256=None, source="", accepted_on=taken.accepted_on)
        dates = Dates.for_task(begun, self.run_date).of(self.store, begun)
        passed, ended = latest > taken.generation, ends.found(self.store, task_id, dates, [latest])
        known = [
            pending.get(self.store, task_id, latest),
            *(end for end in ended if passed or end.status != "failed"),
        ]
        if sha256 := next((one.sha256 for one in known if one and one.sha256), None):
            claims.note(self.store, task_id, origin, claims.Claim(sha256=sha256))

    def _is_known(self, task: Task) -> bool:
        """Whether something is known of a task's submission, so that it may have ended."""
        if task.generation or not task.origin:
            return True
        try:
            return claims.get(self.store, task.task_id, task.origin) != claims.Claim()
        except Damaged:
            return True

    def ingest(
        self, task: Task, message: Message, *, looked: clock.Mark, has_ended: Callable[[Task], bool]
    ) -> Ingested | None:
        """Fetch, store and check a document; returns the task if its work may begin.

        A delayed task waits in the store; of two messages only the first begins it. `looked`: when the marker of the
        task was read. `has_ended`: asked where another message may have ingested it before; if so, nothing is left to
        do. Raises what `fetch` and `open_document` raise.
        """
        if not message.is_first and self._is_known(task) and has_ended(task):
            return None
        settings, shared, new = self.settings.replaced(task.overrides), False, False
        marked = task
        if task.sha256 is None:
            data = self._fetch(task, settings)
            sha256, shared = pending.store_bytes(self.store, data)
            task, new = structs.replace(task, sha256=sha256, size=len(data)), not shared
        else:
            data = pending.document(self.store, task.sha256)
            recent.keep(self.store, keys.document(task.sha256), data)  # for the step that reads it
        try:
            if task.alias_of and self._settle_alias(task):
                return None
            if task.media_type != TEXT:
                with open_document(data, settings.limits) as document:
                    task = structs.replace(task, media_type=document.media_type, pages=document.page_count)
        except PermanentError:
            pending.update(self.store, task)  # so that its failure names the bytes
            raise
        entered = self._enter(task, marked, message, looked, has_ended)
        if entered and shared:
            pending.store_document(self.store, data)
        return Ingested(entered, new) if entered else None

    def _fetch(self, task: Task, settings: Settings) -> bytes:
        """The bytes of a task's source; where it is gone, those that were stored when it was ingested before.

        A producer may remove a file once it is done, while a process that was paused accepts it again.
        """
        try:
            return fetch(task.source, self.policy, settings)
        except NotFound:
            with suppress(Damaged, NotFound):
                known = claims.get(self.store, task.task_id, task.origin).sha256 if task.origin else None
                if known:
                    return pending.document(self.store, known)
            raise

    def note_failure(self, task: Task) -> None:
        """Note that a document could not be ingested: its submission has ended, too."""
        with suppress(Damaged):
            known = claims.get(self.store, task.task_id, task.origin) if task.origin else None
            if known is not None and (known.failed or not known.sha256):
                claim = claims.Claim(sha256=task.sha256, failed=task.run_date)
                claims.note(self.store, task.task_id, task.origin, claim)

    def _enter(
        self,
        task: Task,
        now: Task | None,
        message: Message,
        looked: clock.Mark,
        has_ended: Callable[[Task], bool],
    ) -> Task | None:
        """Record the hash of a task's bytes, unless a duplicate delivery has ended the task in the meantime.

        `now`: its marker, which is read again unless that was just done, and nobody else can have got so far.
        """
        first = self._note_bytes(task)
        if not first and message.is_first and has_ended(task):  # else that was asked before
            self._note_winner(task, None)
            return None
        if not (first and message.is_first and looked.age < SOON):
            looked = clock.Mark.now()
            now = pending.get(self.store, task.task_id, task.generation)
        if now is None or (now.ingested_by not in ("", message.id) and not now.not_before):
            self._note_winner(task, now)
            return None
        task = structs.replace(
            task, run_date=now.run_date, ingested_by=message.id, has_receipt=now.has_receipt
        )
        task = self.shares.placed(task, self.run_date())
        pending.mark(self.store, task)
        counting.of(self.store).moved(now, task)
        if looked.age >= SOON and has_ended(task):  # this process was paused, and may have marked it again
            return None
        start = datetime.fromisoformat(task.not_before) if task.not_before else None
        if start and start > clock.utc():
            self.store.put(keys.delayed(start, task.task_id), b"")
            counting.of(self.store).opened("delayed")
            return None
        return task

    def _note_bytes(self, task: Task) -> bool:
        """Note the hash of the bytes that a submission had; whether nothing was known of it before."""
        if not task.origin:
            return False
        found = claims.Claim(sha256=task.sha256)
        if claims.note_first(self.store, task.task_id, task.origin, found):
            return True
        claims.note(self.store, task.task_id, task.origin, found)
        return False

    def _note_winner(self, task: Task, now: Task | None) -> None:
        """Note the bytes that another message has ingested: its source may have held others by then."""
        other = now or ends.end_of(self.store, task, Dates.for_task(task, self.run_date))
        if task.origin and other and other.sha256 and other.sha256 != task.sha256:
            claims.note(self.store, task.task_id, task.origin, claims.Claim(sha256=other.sha256))

    def _settle_alias(self, task: Task) -> bool:
        """Whether a task under a used id is the same document as the first; raises if it is not."""
        # first, since hashes are recorded before a task ends
        under_way = pending.newest(self.store, task.alias_of)
        if under_way and not claims.same_tenant(task.origin, under_way.origin):
            under_way = None
        known = claims.contents(self.store, task.alias_of, like=task.origin)
        now = pending.get(self.store, task.task_id, task.generation) if task.sha256 in known else None
        if now and now.has_receipt:  # another process died or was paused while it recorded a failure of it
            receipt = receipts.write(self.store, task.accepted_on or self.run_date(), [task])
            forgotten.take_back_receipt(self.store, task.task_id, task.submitted_at, receipt)
            return False
        if task.sha256 in known:
            if task.origin:  # so that this submission is known to have ended
                claims.note(self.store, task.task_id, task.origin, claims.Claim(sha256=task.sha256))
            pending.remove(self.store, task.task_id, task.generation)
            counting.of(self.store).gone(task)
            return True
        if under_way and not known:
            raise TransientError(f"The task {task.alias_of} that this may duplicate is not ingested yet.")
        raise PermanentError(
            f"The task id {task.alias_of} was used for another document or source: use a different id.",
            code="id_conflict",
        )
