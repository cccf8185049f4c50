"""Declare all exchanges and queues at the broker, and count the messages in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import Celery

from pipeline.night.repair import Queued
from tasks.lanes import BACKFILL, NORMAL, URGENT
from tasks.routing import DEAD_QUEUE, RAW_QUEUE, RETRY_QUEUES, TOPIC, WORK_QUEUES


def declare(channel: Any) -> None:
    """Declare everything that is missing; the dead-letter queue first, as the others refer to it."""
    DEAD_QUEUE.bind(channel).declare()
    TOPIC.bind(channel).declare()
    for queue in (*WORK_QUEUES, RAW_QUEUE, *RETRY_QUEUES):
        queue.bind(channel).declare()


def depths(app: Celery) -> dict[str, int]:
    """Number of messages ready in each queue; those that workers hold are not counted."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        declare(channel)
        return {
            queue.name: int(channel.queue_declare(queue.name, passive=True).message_count)
            for queue in (*WORK_QUEUES, RAW_QUEUE, *RETRY_QUEUES, DEAD_QUEUE)
        }


def queued(app: Celery) -> Queued:
    """Messages of pending tasks that wait, by lane."""
    return by_lane(depths(app))


def by_lane(found: Mapping[str, int]) -> Queued:
    """Messages of pending tasks, of those `found` in each queue; raw messages and callbacks are not counted."""
    return Queued(
        urgent=found[URGENT],
        normal=sum(found[name] for name in NORMAL),
        backfill=found[BACKFILL],
        ingest=found["ingest"],
        elsewhere=found["result"] + sum(found[queue.name] for queue in RETRY_QUEUES),
    )
