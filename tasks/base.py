"""How messages reach `pipeline.night.delivery`, which decides what follows, and when they are requeued."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task
from celery.exceptions import Reject
from celery.utils.log import get_task_logger

from pipeline import scratch
from pipeline.errors import PipelineError
from pipeline.ledger import counting
from pipeline.messages import Message
from pipeline.night.brake import Brake
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.steps.engines import memory
from pipeline.storage import recent
from pipeline.telemetry import spans
from tasks.ended import DocumentFailed, DocumentPartial
from tasks.limits import pages_of
from tasks.logs import about
from tasks.publish import BROKER_ERRORS, Publisher
from tasks.routing import queue_for

log: logging.Logger = get_task_logger("nightshift")

_PAUSE = 5  # seconds before a message is requeued, so that an outage causes no busy loop
_flow: Flow | None = None
_brake: Brake | None = None


def flow() -> Flow:
    """The flow of this process: created on first use, so in the pool process, as its models are."""
    global _flow, _brake  # noqa: PLW0603 - one per process is the point
    if _flow is None:
        night = Night.of(Settings.from_env())
        worker, settings = f"{socket.gethostname()}/{os.getppid()}", night.settings
        counting.start(night.store, night.schedule.run_date, worker=worker, memory=lambda: memory(settings))
        _keep(night)
        _flow = Flow(night, at_once=True)
        _brake = Brake(_flow.store)
    return _flow


def _keep(night: Night) -> None:
    """Share what was just written with the other processes of this host that work on the same store."""
    settings = night.settings
    if settings.recent_mb:
        name = f"recent-{hashlib.sha256(night.store.url.encode()).hexdigest()[:16]}"
        folder = scratch.shared(name, settings.temp_dir)
        recent.use(night.store, recent.Folder(folder, settings.recent_mb << 20))


def delivery(app: Any) -> Delivery:
    """What handles the messages of this process."""
    return Delivery(flow(), Publisher(app), _brake)


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

    Raises one of `tasks.ended.ENDS` where the step was the end of a document that is not done.
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
        generation=request.get("generation") or 0,
        pages=pages_of(request.get("pages")),
        turn=request.get("turn") or 1,
        id=request.id or "",
        fresh=bool(request.get("fresh")),
        redelivered=bool((request.delivery_info or {}).get("redelivered")),
        traceparent=request.get("traceparent") or "",
        tracestate=request.get("tracestate") or "",
    )
    with about(message.trace_id, message.task_id, run_date=run_date, step=step):
        with kept(), spans.step(message, queue_for(message)):
            ended = delivery(task.app).step(message)
        if ended:
            raise DocumentPartial(ended.code) if ended.status == "partial" else DocumentFailed(ended.code)
