"""Declare all exchanges and queues at the broker, and count what waits in them."""

from __future__ import annotations

from typing import Any

from celery import Celery

from tasks.routing import DEAD_QUEUE, RAW_QUEUE, RETRY_QUEUES, TOPIC, WORK_QUEUES


def declare(channel: Any) -> None:
    """Make sure everything is there, dead letters first, so that nothing has nowhere to go."""
    DEAD_QUEUE.bind(channel).declare()
    TOPIC.bind(channel).declare()
    for queue in (*WORK_QUEUES, RAW_QUEUE, *RETRY_QUEUES):
        queue.bind(channel).declare()


def depths(app: Celery) -> dict[str, int]:
    """Messages waiting in each queue, those in hand of workers not counted."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        declare(channel)
        return {
            queue.name: int(channel.queue_declare(queue.name, passive=True).message_count)
            for queue in (*WORK_QUEUES, RAW_QUEUE, *RETRY_QUEUES, DEAD_QUEUE)
        }


def ready(app: Celery) -> int:
    """Messages of tasks under way that wait in any queue."""
    return sum(n for name, n in depths(app).items() if name not in ("dead", "housekeeping", "callback"))
