"""Declare all exchanges and queues at the broker, and count the messages in them.

Two queues are used as they are where they exist. `inference_tasks` belongs to its producers, who may have declared it
with arguments of their own. `dead` got its limits later, and arguments of a queue cannot be changed. Any other queue
that exists with other arguments would lose or reorder messages: declaring it raises `PreconditionFailed`.

To look whether something exists needs no right at the broker, or any of three from RabbitMQ 4.3 on; to declare it needs
one, even where it exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from amqp.exceptions import AccessRefused, NotFound
from celery import Celery
from kombu import Exchange

from pipeline.night.repair import Queued
from tasks.broker import Interrupted, NotDeclared
from tasks.lanes import BACKFILL, NORMAL, URGENT, turns
from tasks.routing import (
    DEAD,
    DEAD_QUEUE,
    DECLARED,
    EXCHANGES,
    MIGRATED,
    PROBE,
    QUEUES,
    RAW_QUEUE,
    RETRY_QUEUES,
    TOPIC,
    Queue,
    moving,
)

_THEIRS = (RAW_QUEUE, DEAD_QUEUE)


def declare(connection: Any) -> None:
    """Declare everything, so that what exists with other arguments is found.

    A user that may not declare anything is enough where everything exists. Raises `NotDeclared` where it does not, and
    `PreconditionFailed`.
    """
    try:
        _declare_all(connection)
    except AccessRefused as error:
        _refuse_missing(connection, error)


def prepare(connection: Any) -> None:
    """Declare everything for a worker or beat, which publishes later: raises `AccessRefused` if it may not.

    Unbinding needs the right to write to an exchange, also where nothing is bound; to publish would hang in an alarm.
    Raises `Interrupted` where messages are in another queue.
    """
    if sentence := interrupted(connection):
        raise Interrupted(sentence)
    declare(connection)
    with connection.channel() as channel:
        for exchange in (TOPIC, DEAD, *(queue.exchange for queue in RETRY_QUEUES)):
            channel.exchange_unbind(exchange.name, PROBE.name)


def interrupted(connection: Any) -> str:
    """One sentence where a migration has not ended, as far as this user may look; empty otherwise."""
    for queue in MIGRATED:
        with suppress(NotFound, AccessRefused), connection.channel() as channel:
            channel.queue_declare(moving(queue), passive=True)
            return (
                f'The migration of the queue "{queue.name}" was interrupted, and "{moving(queue)}" has its messages: '
                "stop all workers, run `nightshift queues migrate --yes`, which continues it, and start again."
            )
    return ""


def ensure(connection: Any) -> None:
    """Declare everything if something is missing; for commands, whose users need no other right then.

    Raises as `declare` does.
    """
    if _missing(connection):
        declare(connection)


def declare_dead(connection: Any) -> None:
    """Declare the dead-letter queue, unless it exists."""
    if _lacks(connection, DEAD_QUEUE):
        _adopt(connection, DEAD_QUEUE)


def _declare_all(connection: Any) -> None:
    with connection.channel() as channel:
        for exchange in EXCHANGES:
            exchange(channel).declare()
    for queue in _THEIRS:
        _adopt(connection, queue)
    with connection.channel() as channel:
        for queue in DECLARED:
            if queue not in _THEIRS:
                bound = queue(channel)
                bound.queue_declare()
                bound.queue_bind()


def _adopt(connection: Any, queue: Queue) -> None:
    """Use a queue with the arguments that it has; declare it where it does not exist."""
    missing = _lacks(connection, queue)
    with connection.channel() as channel:
        bound = queue(channel)
        if missing:
            bound.queue_declare()
        bound.queue_bind()


def _refuse_missing(connection: Any, error: AccessRefused) -> None:
    missing = _missing(connection)
    if not missing:
        return
    user = connection.userid
    raise NotDeclared(
        f'RabbitMQ has no {missing}, and the user "{user}" may not declare it: start a worker first, or import '
        "docker/rabbitmq/definitions.json (docs/how-to/rights.md)."
    ) from error


def _missing(connection: Any) -> str:
    """The first exchange or queue that does not exist; empty if there is none."""
    for exchange in EXCHANGES:
        if _lacks(connection, exchange):
            return f'exchange "{exchange.name}"'
    for queue in DECLARED:
        if _lacks(connection, queue):
            return f'queue "{queue.name}"'
    return ""


def _lacks(connection: Any, entity: Exchange | Queue) -> bool:
    with connection.channel() as channel:  # which the broker closes if there is no such thing
        try:
            if isinstance(entity, Queue):
                channel.queue_declare(entity.name, passive=True)
            else:
                channel.exchange_declare(entity.name, entity.type, passive=True, auto_delete=False)
        except NotFound:
            return True
        except AccessRefused:  # RabbitMQ 4.3 answers only who has some right there
            return False
        return False


def depths(app: Celery) -> dict[str, int]:
    """Number of messages ready in each queue; those that workers hold are not counted."""
    with app.connection_for_read() as connection:
        ensure(connection)
        with connection.channel() as channel:
            return {
                queue.name: int(channel.queue_declare(queue.name, passive=True).message_count)
                for queue in QUEUES
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
