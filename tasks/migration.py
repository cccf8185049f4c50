"""Queues whose arguments have changed since they were declared are declared again, with their messages.

RabbitMQ can't change the arguments of a queue. So its messages move to another queue and back, each acknowledged only
once the broker has confirmed it in its new place:

1. `<queue>.moving` is declared, and the messages of the queue move into it;
2. it takes over the binding of the queue, so that what is published meanwhile goes there, and what was left follows;
3. the queue, which is empty and gets nothing any more, is deleted, declared again and bound;
4. the messages move back, and the other queue, which is empty again, is deleted.

What is done is seen at the broker, so a run that died is continued by the next one, from any point. A message that was
published twice is harmless: steps may run twice. Order is kept, but for what is published during the move.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from amqp.exceptions import NotFound, PreconditionFailed, ResourceLocked

from pipeline.errors import BrokerUnavailable, RunError
from tasks.broker import difference
from tasks.dead import SECONDS
from tasks.routing import DEAD_LETTERS, DEAD_QUEUE, EXCHANGES, MIGRATED, QUEUES, Queue, moving
from tasks.wire import UNREADABLE

_LOCK = "nightshift.migration"
_KEY = "x-moved-key"
"""Header of a message that is being moved: the routing key with which it came."""


class Changed(NamedTuple):
    """A queue that is not as this version declares it. `messages`: those that wait, here or in the other queue."""

    queue: Queue
    difference: str
    messages: int


def find(connection: Any) -> list[Changed]:
    """The queues to migrate, also those of a migration that was interrupted; raises what the broker raises."""
    found = []
    for queue in MIGRATED:
        here, there = _state(connection, queue.name), _state(connection, moving(queue))
        what = _difference(connection, queue) if here else "it is missing"
        if there or (here and what):
            waiting = sum(state.message_count for state in (here, there) if state)
            found.append(Changed(queue, what or "its messages are still in another queue", waiting))
    return found


def migrate(connection: Any, changed: Changed) -> int:
    """Declare a queue as this version does, and keep its messages; returns how many moved.

    Raises what the broker raises; then the same call continues. Raises `RunError` for more dead letters than their
    queue takes: the oldest would be lost.
    """
    queue = changed.queue
    if (
        queue is DEAD_QUEUE
        and changed.messages > DEAD_LETTERS
        and not _state(connection, moving(queue))  # then they can only go back
    ):
        raise RunError(
            f'The queue "{queue.name}" has {changed.messages} messages, and takes {DEAD_LETTERS} once it is declared '
            "again: redrive or discard some of them first (nightshift dead --help).",
            code="too_many_dead_letters",
        )
    if _state(connection, queue.name) and _difference(connection, queue):
        with connection.channel() as channel:
            channel.queue_declare(moving(queue), durable=True, auto_delete=False, arguments=_PLAIN)
            _move_away(channel, queue)
            channel.queue_bind(moving(queue), queue.exchange.name, queue.routing_key)
            channel.queue_unbind(queue.name, queue.exchange.name, queue.routing_key)
            if queue is DEAD_QUEUE:
                time.sleep(_LOOKED_AT)
            _move_away(channel, queue)
            _delete(channel, queue.name)
    # another channel: RabbitMQ 3.10 keeps for each what kind of queue it was
    with connection.channel() as channel:
        bound = queue(channel)
        bound.queue_declare()
        bound.queue_bind()
        if not _state(connection, moving(queue)):
            return 0
        channel.queue_unbind(moving(queue), queue.exchange.name, queue.routing_key)
        moved = _move_back(channel, queue)
        _delete(channel, moving(queue))
        return moved


_PLAIN = {"x-queue-type": "quorum"}
_LOOKED_AT = SECONDS + 1
"""Seconds after which a command that looks at dead letters has put them back: until then no queue counts them."""


@contextmanager
def alone(connection: Any) -> Iterator[None]:
    """Hold the right to migrate, which one connection has at a time.

    Raises `BrokerUnavailable` while another has it, or while a worker consumes: what it holds would go with its queue.
    """
    with connection.channel() as channel:
        try:
            channel.queue_declare(_LOCK, durable=False, exclusive=True, auto_delete=True)
        except ResourceLocked:
            raise BrokerUnavailable(
                "Another `nightshift queues migrate` is running: wait until it has ended."
            ) from None
        busy = [q.name for q in QUEUES if (state := _state(connection, q.name)) and state.consumer_count]
        if busy:
            raise BrokerUnavailable(
                f'The queue "{busy[0]}" has consumers: stop all workers, wait until they have ended, and run the same '
                "command again."
            )
        for exchange in EXCHANGES:
            exchange(channel).declare()
        yield


def _state(connection: Any, name: str) -> Any:
    """Messages and consumers of a queue; `None` if it does not exist."""
    with connection.channel() as channel:  # which the broker closes if there is no such queue
        try:
            return channel.queue_declare(name, passive=True)
        except NotFound:
            return None


def _difference(connection: Any, queue: Queue) -> str:
    """In what an existing queue is not as this version declares it: the first difference, as RabbitMQ names it."""
    with connection.channel() as channel:
        try:
            queue(channel).queue_declare()
        except PreconditionFailed as error:
            return difference(error)
        return ""


def _move_away(channel: Any, queue: Queue) -> None:
    """Move all messages of a queue into the other one, with the routing key that each came with."""
    for message, headers, key in _each(channel, queue.name):
        headers.setdefault(_KEY, key)
        _put(channel, message, headers, "", moving(queue))


def _move_back(channel: Any, queue: Queue) -> int:
    """Move all messages back; returns how many. Those that wait for a retry keep their routing key."""
    moved = 0
    for message, headers, key in _each(channel, moving(queue)):
        came = headers.pop(_KEY, key)
        way = (queue.exchange.name, came) if queue.exchange.type == "fanout" else ("", queue.name)
        _put(channel, message, headers, *way)
        moved += 1
    return moved


def _each(channel: Any, name: str) -> Iterator[tuple[Any, dict[str, Any], str]]:
    """The messages of a queue, each with its headers and routing key."""
    while (message := channel.basic_get(name)) is not None:
        headers = {n: v for n, v in (message.headers or {}).items() if n != "x-delivery-count"}
        yield message, headers, message.delivery_info["routing_key"]


def _put(channel: Any, message: Any, headers: dict[str, Any], exchange: str, key: str) -> None:
    """Publish a message again, confirmed and kept on disk; only then is it acknowledged."""
    message.properties.update(application_headers=headers, delivery_mode=2)
    try:
        message._serialize_properties()
    except Exception:  # headers of types that can be read but not written
        message.properties = {"application_headers": {UNREADABLE: True}, "delivery_mode": 2}
    channel.basic_publish_confirm(message, exchange, key, mandatory=True)
    channel.basic_ack(message.delivery_tag)


def _delete(channel: Any, name: str) -> None:
    """Delete an empty queue; RabbitMQ itself can't see to that for quorum queues."""
    state = channel.queue_declare(name, passive=True)
    if state.message_count or state.consumer_count:
        raise BrokerUnavailable(
            f'The queue "{name}" is not empty, or has a consumer: stop what uses it, and run the same command again.'
        )
    channel.queue_delete(name)
