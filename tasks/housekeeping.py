"""What beat starts: a tick every half minute. Everything it does may be done twice."""

from __future__ import annotations

from typing import Any

from amqp.exceptions import AMQPError
from celery import Task
from kombu.exceptions import OperationalError

from pipeline.errors import PipelineError
from pipeline.night.housekeeping import tick as night_tick
from tasks.app import app
from tasks.base import flow, log
from tasks.publish import publish
from tasks.topology import ready


@app.task(name="nightshift.tick", bind=True)
def tick(self: Task[Any, Any]) -> None:
    """Release, repair and summarise what is due."""
    try:
        night_tick(flow().night, lambda: ready(self.app), lambda messages: publish(self.app, messages))
    except PipelineError as error:
        log.error("housekeeping waits for its next turn: %s", error.message)
    except (OperationalError, AMQPError, OSError) as error:
        log.error("housekeeping waits for its next turn: the broker is away (%s)", type(error).__name__)
