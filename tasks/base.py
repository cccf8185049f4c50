"""How a step runs as a Celery task: what its failures lead to. The work itself lies in `pipeline.night.flow`."""

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

from pipeline.errors import PermanentError, PipelineError, RunError, StoreUnavailable
from pipeline.ledger.attempts import may_retry, retries_of
from pipeline.messages import Message
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.steps.verdict import verdict
from tasks.logs import about
from tasks.publish import publish, publish_dead, publish_later

log: logging.Logger = get_task_logger("nightshift")

_PAUSE = 5  # seconds before a message goes back, so that an outage makes no hot loop
_flow: Flow | None = None


def flow() -> Flow:
    """The flow of this process: made on first use, in the child, so that models are too."""
    global _flow  # noqa: PLW0603 - one a process is the point
    if _flow is None:
        _flow = Flow(Night.of(Settings.from_env()))
    return _flow


@contextmanager
def kept() -> Iterator[None]:
    """Whatever fails inside, such as publishing, must not cost the message: it goes back to its queue."""
    try:
        yield
    except Exception as error:
        log.error("a message waits %d s: %s", _PAUSE, error, exc_info=not isinstance(error, PipelineError))
        time.sleep(_PAUSE)
        raise Reject(error, requeue=True) from error


def run(task: Task[Any, Any], step: str, task_id: str, first: int, last: int, run_date: str) -> None:
    """Run one step and publish what comes next; only then is its message acknowledged.

    What the store or the operator has to mend is tried again for ever; what may pass, `max_retries`
    times; everything else is recorded as failed and dead-lettered with its reason.
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
        except (StoreUnavailable, RunError) as error:  # what it came to could not be recorded
            following = _wait(task, message, error)
        publish(task.app, following)


def _attempt(task: Task[Any, Any], message: Message) -> list[Message]:
    try:
        return flow().run(message)
    except Exception as error:
        return _after(task, message, error)


def _after(task: Task[Any, Any], message: Message, error: Exception) -> list[Message]:
    """What follows when a step raised: its message waits, goes to the dead letters, or the document fails."""
    ends = verdict(error)
    if ends.unexpected:
        log.error("unexpected error in step %s", message.step, exc_info=error)
    if ends.action == "set_aside":  # for the operator, alongside what the store holds about it
        _dead_letter(task, message, ends.reason)
        return []
    if ends.action == "wait":
        return _wait(task, message, error)
    reason = ends.reason
    if ends.action == "retry":
        if may_retry(message, flow().settings.max_retries):
            seconds = publish_later(task.app, message)
            log.warning("%s again in %d s: %s", message.step, seconds, reason.message)
            return []
        reason = PermanentError(
            f"{reason.message} Abandoned after {retries_of(message)} retries.", code=reason.code
        )
    return _bury(task, message, reason)


def _wait(task: Task[Any, Any], message: Message, error: Exception) -> list[Message]:
    """Send a message back by way of a waiting queue; an outage uses up none of its retries."""
    seconds = publish_later(task.app, message, outage=not isinstance(error, StoreUnavailable))
    log.warning("%s waits %d s: %s", message.step, seconds, error)
    return []


def _bury(task: Task[Any, Any], message: Message, reason: PermanentError) -> list[Message]:
    """Put a reference to a task into the dead-letter queue, then record it as failed.

    In this order a crash between the two repeats the first; in the other it would leave it out.
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
    log.error("%s failed (%s): %s", message.step, reason.code, reason.message)
