"""The steps as Celery tasks."""

from __future__ import annotations

import base64
from typing import Any

from celery import Task

from pipeline.errors import Damaged, PermanentError
from pipeline.steps.task_types import BUILT_IN_STEPS, further_steps
from pipeline.submission.contract import parse
from tasks.app import app
from tasks.base import flow, kept, log, run
from tasks.logs import about
from tasks.publish import publish, publish_dead


def _define(step: str) -> None:
    @app.task(name=f"nightshift.{step}", bind=True)
    def work(self: Task[Any, Any], task_id: str, first: int = 0, last: int = 0, run_date: str = "") -> None:
        run(self, step, task_id, first, last, run_date)


for _step in ("ingest", *BUILT_IN_STEPS, *further_steps(), "result", "callback"):
    _define(_step)


@app.task(name="nightshift.accept", bind=True)
def accept(self: Task[Any, Any], body: str) -> None:
    """Accept a raw message; one that violates the contract is dead-lettered with the reason."""
    with kept():
        _accept(self, base64.b64decode(body))


def _accept(task: Task[Any, Any], raw: bytes) -> None:
    try:
        submission = parse(raw)
        with about(submission.trace_id, submission.task_id):
            publish(task.app, flow().reception.accept(submission))
    except PermanentError as error:
        _refuse(task, raw, error)
    except Damaged as error:  # what the store has under its id is damaged: a retry would not help
        _refuse(task, raw, PermanentError(error.message, code=error.code))


def _refuse(task: Task[Any, Any], raw: bytes, error: PermanentError) -> None:
    refused = flow().reception.refuse(raw, error)
    named = {"task_id": refused.task_id, "trace_id": refused.trace_id}
    with about(refused.trace_id, refused.task_id):
        publish_dead(task.app, raw, reason=error.message, code=error.code, **named)
        log.error("message refused (%s): %s", error.code, error.message)
