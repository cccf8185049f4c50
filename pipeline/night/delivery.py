"""What a delivered message leads to: its step is run, and what follows is published. Only then is it acknowledged.

Acknowledging, requeueing and the broker itself are the caller's part (`tasks.base`); here is every decision.
"""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

import msgspec
from msgspec import structs

from pipeline import telemetry
from pipeline.errors import (
    Damaged,
    DeviceUnavailable,
    Newer,
    PermanentError,
    PipelineError,
    RunError,
    SourceUnavailable,
    StoreUnavailable,
)
from pipeline.ledger import retries
from pipeline.ledger.attempts import may_retry, retries_of
from pipeline.messages import Message
from pipeline.models import Status
from pipeline.night import callbacks
from pipeline.night.brake import Brake
from pipeline.night.broker import Broker
from pipeline.night.flow import Flow, Unwell
from pipeline.remote.policy import callback_policy
from pipeline.steps.verdict import verdict
from pipeline.submission.contract import BadMessage, Submission, parse
from pipeline.submission.envelope import opened
from pipeline.submission.reception import TENANT_REFUSED
from pipeline.telemetry import spans
from pipeline.telemetry.w3c import NONE, Context

log = logging.getLogger("nightshift")

PAUSED = 2
"""Index of the retry queue in which the messages of a paused step wait: the longest."""

ACCEPT = "accept"
"""What the brake calls the acceptance of raw messages."""


QUEUE = "inference_tasks"
"""Where raw messages come from."""


class Raw(NamedTuple):
    """A raw message: as it came, who sent it, and what its headers say of its trace."""

    body: bytes
    sender: str
    trace: Context


class Ended(NamedTuple):
    """How a message ended its document, where that is not done; `status` of an abandoned callback is `failed`, too."""

    task_id: str
    status: Status
    code: str


class Delivery:
    """Handles the messages of one process."""

    def __init__(self, flow: Flow, broker: Broker, brake: Brake | None = None) -> None:
        self.flow, self.broker, self.brake = flow, broker, brake

    def step(self, message: Message) -> Ended | None:
        """Run one step and publish the messages of the next ones; where the brake holds the step, the message waits.

        Returns how the document ended if it did so now and is not done.

        While the store is unavailable or an operator must fix something, the message waits and is retried without
        limit; after another transient error, up to `max_retries` times. After any other error the document is recorded
        as failed, and dead-lettered with the reason. Raises what publishing raises.
        """
        if self.brake and self.brake.holds(message.step):
            self.broker.publish_later(message, outage=PAUSED)
            return None
        try:
            following = self._attempt(message)
        except (StoreUnavailable, RunError) as error:  # the failure could not be recorded yet
            following = self._wait(message, error)
        except Damaged as error:  # nor ever will be: a person must look, and the dead letter says so already
            log.error("the failure of %s cannot be recorded: %s", message.task_id, error.message)
            following = []
        self.broker.publish(following)
        failure = self.flow.unwell
        return Ended(message.task_id, failure.status, failure.code) if failure else None

    def accept(self, raw: bytes, sender: str = "", trace: Context = NONE) -> Ended | None:
        """Accept a raw message; one that violates the contract is dead-lettered with the reason.

        `sender`: the broker user who sent it, as far as the broker has checked that. `trace`: what its headers say.

        Returns the task that it was refused as, if it was. Raises what the store and publishing raise.
        """
        came = Raw(raw, sender, trace)
        if self.brake and self.brake.holds(ACCEPT):
            self.broker.publish_raw_later(*came)
            return None
        began, body, submission, error = time.time_ns(), raw, None, None
        try:
            body = opened(raw, self.flow.settings)
            submission = parse(body, trace)
        except PermanentError as refusal:
            error = refusal
        known = submission or Submission(task_id="", task_type="", trace=trace)
        with spans.acceptance(QUEUE, known.trace, known.trace_id, known.task_id, began):
            try:
                if submission is None:
                    return self._turn_away(came, body, error or BadMessage("The message cannot be read."))
                return self._accept(came, body, submission)
            except Newer as later:  # what the store has under its id
                seconds = self.broker.publish_raw_later(*came)
                log.warning("returning message in %d s: %s", seconds, later.message)
                return None

    def _accept(self, came: Raw, body: bytes, submission: Submission) -> Ended | None:
        try:
            submission = self.flow.reception.sent_by(came.sender, submission)
            self.broker.publish(self.flow.reception.accept(submission))
            if self.brake:
                self.brake.succeeded(ACCEPT)
        except PermanentError as error:
            return self._turn_away(came, body, error, submission)
        except Damaged as error:  # what the store has under its id is damaged: a retry would not help
            return self._refuse(came, body, PermanentError(error.message, code=error.code))
        return None

    def _turn_away(
        self, came: Raw, body: bytes, error: PermanentError, submission: Submission | None = None
    ) -> Ended | None:
        """Refuse a message, or make it wait where the brake does."""
        if self.brake and self.brake.failed(ACCEPT, error):
            self.broker.publish_raw_later(*came)
            return None
        if (
            submission and error.code == TENANT_REFUSED
        ):  # nothing is recorded, or sent, in the name of that tenant
            submission = structs.replace(submission, tenant="", callback_url="")
        return self._refuse(came, body, error, submission)

    def _refuse(
        self, came: Raw, body: bytes, error: PermanentError, submission: Submission | None = None
    ) -> Ended:
        """Dead-letter a message, record it as a failed task, and notify its producer if that is allowed.

        body: decrypted, if it was encrypted and could be.
        """
        spans.failed(error.code)
        reception = self.flow.reception
        task = reception.refused(body, error, submission)
        self.broker.publish_dead(
            came.body,
            reason=error.message,
            code=error.code,
            task_id=task.task_id,
            trace_id=task.trace_id,
            sender=came.sender,
            trace=came.trace,
        )
        telemetry.count("nightshift_dead_letters_total", error.code)
        log.error("message refused (%s): %s", error.code, error.message)
        notify = submission is not None and self._may_notify(submission)
        following = callbacks.note_due(self.flow.store, task) if notify else []
        reception.note_refusal(task, error)
        if following:  # housekeeping deletes a note without a record, if this process was paused for long
            callbacks.note_due(self.flow.store, task)
        for outcome in ("accepted", "failed"):
            telemetry.count("nightshift_documents_total", outcome, task.task_type, task.tenant)
        self.broker.publish(following)
        return Ended(task.task_id, "failed", error.code)

    def _may_notify(self, submission: Submission) -> bool:
        try:
            callback_policy(self.flow.settings).check(submission.callback_url)
        except PermanentError:
            return False
        return True

    def _attempt(self, message: Message) -> list[Message]:
        started = time.perf_counter()
        try:
            following = self.flow.run(message)
            telemetry.observe("nightshift_step_seconds", time.perf_counter() - started, message.step)
        except Exception as error:
            return self._after(message, error)
        retries.drop(self.flow.store, message)
        nothing = all(one.step == message.step for one in following)  # it may have had nothing to do
        done = not nothing or message.step == "result" or self.flow.concluded
        if self.brake and done:
            self.brake.succeeded(message.step)
        return following

    def _after(self, message: Message, error: Exception) -> list[Message]:
        """What follows from an error in a step: the message is retried or dead-lettered, or the document fails."""
        ends = verdict(error)
        spans.failed(ends.reason.code)
        if ends.unexpected:
            log.error("unexpected error in step %s", message.step, exc_info=error)
        if ends.action == "set_aside":  # for the operator; what the store has of it stays as it is
            self._dead_letter(message, ends.reason)
            self.flow.unwell = Unwell("failed", ends.reason.code)
            return []
        if ends.action == "wait":
            return self._wait(message, error)
        reason = ends.reason
        if ends.action == "retry":
            if may_retry(message, self.flow.settings.max_retries):
                seconds = self.broker.publish_later(message)
                telemetry.count("nightshift_retries_total", message.step, reason.code)
                self._note_retry(message, reason, seconds, outage=False)
                log.warning("retrying step %s in %d s: %s", message.step, seconds, reason.message)
                return []
            reason = PermanentError(
                f"{reason.message} Abandoned after {retries_of(message)} retries.", code=reason.code
            )
        return self._bury(message, reason)

    def _wait(self, message: Message, error: Exception) -> list[Message]:
        """Retry a message later, without limit: an outage uses up none of its retries."""
        passes = isinstance(
            error, (StoreUnavailable, SourceUnavailable, DeviceUnavailable)
        )  # anything else waits for a person
        again = (
            isinstance(error, SourceUnavailable) and message.outages > 0
        )  # less often: other sources go on
        seconds = self.broker.publish_later(message, outage=not passes or again)
        telemetry.count("nightshift_retries_total", message.step, getattr(error, "code", "unexpected"))
        self._note_retry(message, error, seconds, outage=True)
        level = logging.WARNING if passes or isinstance(error, Newer) else logging.ERROR
        log.log(level, "retrying step %s in %d s: %s", message.step, seconds, error)
        return []

    def _note_retry(self, message: Message, error: Exception, seconds: float, *, outage: bool) -> None:
        if isinstance(error, PipelineError):
            retries.note(self.flow.store, message, error, seconds, outage=outage)

    def _bury(self, message: Message, reason: PermanentError) -> list[Message]:
        """Put a reference to a task into the dead-letter queue, then record the task as failed.

        In this order a crash between the two repeats the dead letter; in the other, the dead letter would be missing.
        Where nearly all fail for the same reason, the brake makes it wait instead.
        """
        if self.brake and self.brake.failed(message.step, reason):
            seconds = self.broker.publish_later(message, outage=PAUSED)
            log.warning("step %s is paused, trying again in %d s: %s", message.step, seconds, reason.message)
            return []
        self._dead_letter(message, reason)
        retries.drop(self.flow.store, message)
        return self.flow.fail(message, reason)

    def _dead_letter(self, message: Message, reason: PermanentError) -> None:
        self.broker.publish_dead(
            msgspec.json.encode({"task_id": message.task_id, "step": message.step}),
            reason=reason.message,
            code=reason.code,
            task_id=message.task_id,
            trace_id=message.trace_id,
        )
        telemetry.count("nightshift_dead_letters_total", reason.code)
        log.error("step %s failed (%s): %s", message.step, reason.code, reason.message)
