"""Housekeeping, started by beat every 30 seconds, and the morning report, every minute. All of it is idempotent.

Ticks do not expire, as that would compare beat's clock with the worker's. Those that piled up while no worker ran are
dropped, as each comes right after the one before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from celery import Task

from pipeline import clock
from pipeline.errors import PipelineError, TransientError
from pipeline.night.course import Course
from pipeline.night.dead import Group, Letter, group, tidy
from pipeline.night.housekeeping import tick as night_tick
from tasks import dead
from tasks.app import app
from tasks.base import flow, log
from tasks.publish import BROKER_ERRORS, publish
from tasks.routing import DEAD_LETTERS
from tasks.topology import queued

_PILE = 1.0  # seconds after a tick in which another one has nothing to do
_LETTERS, _LOOKING = 1000, 2.0  # dead letters that the report looks at, and seconds
_SWEEPING = 60.0  # seconds for a pass through all dead letters, once an hour
_ended = _reported = -_PILE
_course = Course()


@app.task(name="nightshift.tick", bind=True)
def tick(self: Task[Any, Any]) -> None:
    """Release delayed tasks, republish lost messages, write summaries: whatever is due."""
    global _ended  # noqa: PLW0603 - of this process
    if time.monotonic() - _ended < _PILE:
        return
    try:
        try:
            night_tick(
                flow().night, lambda: queued(self.app), lambda messages: publish(self.app, messages), _course
            )
        finally:  # also while each tick fails, as for tables that cannot be read
            tidy(flow().night, lambda stale: _sweep(self.app, stale))
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


def _sweep(app_: Any, stale: Callable[[Letter], bool]) -> None:
    """As many as their queue holds: those that stay are first in it, and would hide the others."""
    dead.sweep(app_, lambda found: stale(found.letter), most=DEAD_LETTERS, seconds=_SWEEPING)


@app.task(name="nightshift.report", bind=True)
def report(self: Task[Any, Any]) -> None:
    """Write and send the morning report where it is due: a task of its own, so that no tick waits for it."""
    from pipeline.report import delivery, due  # seconds and megabytes that other steps need not have

    global _reported  # noqa: PLW0603 - of this process
    if time.monotonic() - _reported < _PILE:
        return
    try:
        due.write_due(flow().night, clock.utc(), lambda: _strangers(self.app))
        delivery.send_due(flow().night, clock.utc())
    except PipelineError as error:
        level = logging.WARNING if isinstance(error, TransientError) else logging.ERROR
        log.log(level, "the morning report failed; trying again: %s", error.message)
    finally:
        _reported = time.monotonic()


def _strangers(app_: Any) -> list[Group]:
    """Dead letters that belong to no document, by code; those of documents are among the failures."""
    found: list[Letter] = []

    def look(one: dead.Found) -> bool:
        if not (one.letter.ours and one.letter.task_id):
            found.append(one.letter)
        return False

    try:
        dead.sweep(app_, look, most=_LETTERS, seconds=_LOOKING)
    except (PipelineError, *BROKER_ERRORS):  # the report is about the store
        return []
    return group(found)
