"""The steps as Celery tasks."""

from __future__ import annotations

import base64
import time
from typing import Any

from celery import Task
from celery.exceptions import Reject

from pipeline.errors import PermanentError, PipelineError
from pipeline.messages import parse
from pipeline.task_types import BUILT_IN_STEPS, further_steps
from tasks.app import app
from tasks.base import flow, log, run
from tasks.logs import about
from tasks.publish import publish, publish_dead

_PAUSE = 5  # seconds before a raw message goes back, so that an outage makes no hot loop


def _define(step: str) -> None:
    @app.task(name=f"nightshift.{step}", bind=True)
    def work(self: Task[Any, Any], task_id: str, first: int = 0, last: int = 0, run_date: str = "") -> None:
        run(self, step, task_id, first, last, run_date)


for _step in ("ingest", *BUILT_IN_STEPS, *further_steps(), "result", "callback"):
    _define(_step)


@app.task(name="nightshift.accept", bind=True)
def accept(self: Task[Any, Any], body: str) -> None:
    """Take a raw message into the ledger; one that breaks the contract is dead-lettered with the reason."""
    try:
        _accept(self, base64.b64decode(body))
    except Exception as error:
        # Whatever it is, it must not cost the message: it goes back to where it came from.
        log.error("a message waits %d s: %s", _PAUSE, error, exc_info=not isinstance(error, PipelineError))
        time.sleep(_PAUSE)
        raise Reject(error, requeue=True) from error


def _accept(task: Task[Any, Any], raw: bytes) -> None:
    try:
        submission = parse(raw)
        with about(submission.trace_id, submission.task_id):
            publish(task.app, flow().accept(submission))
    except PermanentError as error:
        task_id = flow().refuse(raw, error)
        publish_dead(task.app, raw, reason=error.message, code=error.code, task_id=task_id, trace_id="")
        log.error("message %s refused (%s): %s", task_id, error.code, error.message)
