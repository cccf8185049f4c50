"""Housekeeping, started by beat every 30 seconds. All of it is idempotent.

Ticks do not expire, as that would compare beat's clock with the worker's. Those that piled up while no worker ran are
dropped, as each comes right after the one before.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task

from pipeline.errors import PipelineError, TransientError
from pipeline.night.course import Course
from pipeline.night.dead import tidy
from pipeline.night.housekeeping import tick as night_tick
from tasks import dead
from tasks.app import app
from tasks.base import flow, log
from tasks.publish import BROKER_ERRORS, publish
from tasks.topology import queued

_PILE = 1.0  # seconds after a tick in which another one has nothing to do
_ended = -_PILE
_course = Course()


@app.task(name="nightshift.tick", bind=True)
def tick(self: Task[Any, Any]) -> None:
    """Release delayed tasks, republish lost messages, write summaries: whatever is due."""
    global _ended  # noqa: PLW0603 - of this process
    if time.monotonic() - _ended < _PILE:
        return
    try:
        night_tick(
            flow().night, lambda: queued(self.app), lambda messages: publish(self.app, messages), _course
        )
        tidy(flow().night, lambda stale: dead.sweep(self.app, lambda found: stale(found.letter)))
        _course.passed()
    except PipelineError as error:
        _course.failed(error.message)
        level = logging.WARNING if isinstance(error, TransientError) else logging.ERROR
        log.log(level, "housekeeping failed; retrying at the next tick: %s", error.message)
    except BROKER_ERRORS as error:
        reason = f"RabbitMQ is unavailable ({type(error).__name__})"
        _course.failed(reason)
        log.warning("housekeeping failed; retrying at the next tick: %s", reason)
    finally:
        _ended = time.monotonic()
