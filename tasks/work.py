"""The steps as Celery tasks."""

from __future__ import annotations

import base64
from typing import Any

from celery import Task

from pipeline.steps.task_types import BUILT_IN_STEPS, further_steps
from pipeline.submission.contract import partial_id, partial_trace
from pipeline.telemetry.w3c import Context
from tasks.app import app
from tasks.base import delivery, kept, run
from tasks.ended import ENDS, DocumentFailed
from tasks.logs import about
from tasks.publish import hand_back as publish_again
from tasks.raw import HAND_BACK


def _define(step: str) -> None:
    @app.task(name=f"nightshift.{step}", bind=True, throws=ENDS)
    def work(self: Task[Any, Any], task_id: str, first: int = 0, last: int = 0, run_date: str = "") -> None:
        run(self, step, task_id, first, last, run_date)


for _step in ("ingest", *BUILT_IN_STEPS, *further_steps(), "result", "callback"):
    _define(_step)


@app.task(name="nightshift.accept", bind=True, throws=ENDS)
def accept(self: Task[Any, Any], body: str, sender: str, traceparent: str = "", tracestate: str = "") -> None:
    """Accept a raw message; one that violates the contract is dead-lettered with the reason."""
    raw, trace = base64.b64decode(body), Context(traceparent, tracestate)
    with about(partial_trace(raw, trace), partial_id(raw) or "", step="accept"):
        with kept():
            refused = delivery(self.app).accept(raw, sender, trace)
        if refused:
            raise DocumentFailed(refused.code)


@app.task(name=HAND_BACK, bind=True)
def hand_back(self: Task[Any, Any], body: str, headers: dict[str, Any], queue: str) -> None:
    """Publish a message that a later version wrote again as it came; it is acknowledged once that is confirmed."""
    with kept():
        publish_again(self.app, base64.b64decode(body), headers, queue)
