"""How a step runs as a Celery task, and what follows from its failures. The work itself is in `pipeline.night.flow`."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from celery import Task
from celery.exceptions import Reject
from celery.utils.log import get_task_logger

from pipeline.errors import Damaged, PermanentError, PipelineError, RunError, StoreUnavailable
from pipeline.ledger.attempts import may_retry, retries_of
from pipeline.messages import Message
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.steps.verdict import verdict
from tasks.logs import about
from tasks.publish import BROKER_ERRORS, publish, publish_dead, publish_later

log: logging.Logger = get_task_logger("nightshift")

_PAUSE = 5  # seconds before a message is requeued, so that an outage causes no busy loop
_flow: Flow | None = None


def flow() -> Flow:
    """The flow of this process: created on first use, so in the pool process, as its models are."""
    global _flow  # noqa: PLW0603 - one per process is the point
    if _flow is None:
        _flow = Flow(Night.of(Settings.from_env()))
    return _flow


@contextmanager
def kept() -> Iterator[None]:
    """Requeue the message after a pause whatever fails inside, such as publishing: it must not be lost."""
    try:
        yield
    except Exception as error:
        expected = isinstance(error, (PipelineError, *BROKER_ERRORS))
        level = logging.WARNING if expected else logging.ERROR
        log.log(level, "requeueing message in %d s: %s", _PAUSE, error, exc_info=not expected)
        time.sleep(_PAUSE)
        raise Reject(error, requeue=True) from error


def run(task: Task[Any, Any], step: str, task_id: str, first: int, last: int, run_date: str) -> None:
    """Run one step and publish the messages of the next ones; only then is its own message acknowledged.

    While the store is unavailable or an operator must fix something, the message waits and is retried without limit;
    after another transient error, up to `max_retries` times. After any other error the document is recorded as failed,
    and dead-lettered with the reason.
    """
    request = task.request
    message = Message(
        step=step,
        task_id=task_id,
        trace_id=request.get("trace_id") or "",
        priority=5 if request.get("lane") is None else request.get("lane"),
        first=first,
        last=last,
        retries=request.get("tries") or 0,
        outages=request.get("outages") or 0,
        run_date=run_date,
        id=request.id or "",
        redelivered=bool((request.delivery_info or {}).get("redelivered")),
    )
    with about(message.trace_id, message.task_id), kept():
        try:
            following = _attempt(task, message)
        except (StoreUnavailable, RunError) as error:  # the failure could not be recorded yet
            following = _wait(task, message, error)
        except Damaged as error:  # nor ever will be: a person must look, and the dead letter says so already
            log.error("the failure of %s cannot be recorded: %s", message.task_id, error.message)
            following = []
        publish(task.app, following)


def _attempt(task: Task[Any, Any], message: Message) -> list[Message]:
    try:
        return flow().run(message)
    except Exception as error:
        return _after(task, message, error)


def _after(task: Task[Any, Any], message: Message, error: Exception) -> list[Message]:
    """What follows from an error in a step: the message is retried or dead-lettered, or the document fails."""
    ends = verdict(error)
    if ends.unexpected:
        log.error("unexpected error in step %s", message.step, exc_info=error)
    if ends.action == "set_aside":  # for the operator; what the store has of it stays as it is
        _dead_letter(task, message, ends.reason)
        return []
    if ends.action == "wait":
        return _wait(task, message, error)
    reason = ends.reason
    if ends.action == "retry":
        if may_retry(message, flow().settings.max_retries):
            seconds = publish_later(task.app, message)
            log.warning("retrying step %s in %d s: %s", message.step, seconds, reason.message)
            return []
        reason = PermanentError(
            f"{reason.message} Abandoned after {retries_of(message)} retries.", code=reason.code
        )
    return _bury(task, message, reason)


def _wait(task: Task[Any, Any], message: Message, error: Exception) -> list[Message]:
    """Retry a message later, without limit: an outage uses up none of its retries."""
    passes = isinstance(error, StoreUnavailable)  # anything else waits for a person
    seconds = publish_later(task.app, message, outage=not passes)
    level = logging.WARNING if passes else logging.ERROR
    log.log(level, "retrying step %s in %d s: %s", message.step, seconds, error)
    return []


def _bury(task: Task[Any, Any], message: Message, reason: PermanentError) -> list[Message]:
    """Put a reference to a task into the dead-letter queue, then record the task as failed.

    In this order a crash between the two repeats the dead letter; in the other, the dead letter would be missing.
    """
    _dead_letter(task, message, reason)
    return flow().fail(message, reason)


def _dead_letter(task: Task[Any, Any], message: Message, reason: PermanentError) -> None:
    publish_dead(
        task.app,
        msgspec.json.encode({"task_id": message.task_id, "step": message.step}),
        reason=reason.message,
        code=reason.code,
        task_id=message.task_id,
        trace_id=message.trace_id,
    )
    log.error("step %s failed (%s): %s", message.step, reason.code, reason.message)
