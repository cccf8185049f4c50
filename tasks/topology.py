"""Declare all exchanges and queues at the broker, and count the messages in them.

Two queues are used as they are where they exist. `inference_tasks` belongs to its producers, who may have declared it
with arguments of their own. `dead` got its limits later, and arguments of a queue cannot be changed. Any other queue
that exists with other arguments would lose or reorder messages: declaring it raises `PreconditionFailed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amqp.exceptions import NotFound
from celery import Celery

from pipeline.night.repair import Queued
from tasks.lanes import BACKFILL, NORMAL, URGENT, turns
from tasks.routing import DEAD, DEAD_QUEUE, RAW_QUEUE, RETRY_QUEUES, TOPIC, WORK_QUEUES, Queue

_ALL = (*WORK_QUEUES, RAW_QUEUE, *RETRY_QUEUES, DEAD_QUEUE)


def declare(connection: Any) -> None:
    """Declare everything that is missing; the dead-letter queue first, as the others refer to it."""
    with connection.channel() as channel:
        DEAD(channel).declare()
        TOPIC(channel).declare()
    declare_dead(connection)
    adopt(connection, RAW_QUEUE)
    with connection.channel() as channel:
        for queue in (*WORK_QUEUES, *RETRY_QUEUES):
            queue(channel).declare()


def declare_dead(connection: Any) -> None:
    """Declare the dead-letter queue, unless it exists."""
    adopt(connection, DEAD_QUEUE)


def adopt(connection: Any, queue: Queue) -> None:
    """Use a queue with the arguments that it has; declare it where it does not exist."""
    exists = _exists(connection, queue.name)
    with connection.channel() as channel:
        bound = queue(channel)
        if not exists:
            bound.queue_declare()
        bound.queue_bind()


def _exists(connection: Any, name: str) -> bool:
    with connection.channel() as channel:  # which the broker closes if there is no such queue
        try:
            channel.queue_declare(name, passive=True)
        except NotFound:
            return False
        return True


def depths(app: Celery) -> dict[str, int]:
    """Number of messages ready in each queue; those that workers hold are not counted."""
    with app.connection_for_read() as connection:
        declare(connection)
        with connection.channel() as channel:
            return {
                queue.name: int(channel.queue_declare(queue.name, passive=True).message_count)
                for queue in _ALL
            }


def queued(app: Celery) -> Queued:
    """Messages of pending tasks that wait, by lane."""
    return by_lane(depths(app))


def by_lane(found: Mapping[str, int]) -> Queued:
    """Messages of pending tasks, of those `found` in each queue; raw messages and callbacks are not counted."""

    def waiting(*names: str) -> int:
        return sum(found[queue] for name in names for queue in turns(name))

    return Queued(
        urgent=waiting(URGENT),
        normal=waiting(*NORMAL),
        backfill=waiting(BACKFILL),
        ingest=found["ingest"],
        elsewhere=found["result"] + sum(found[queue.name] for queue in RETRY_QUEUES),
    )
