"""Publishing, always confirmed by the broker: next steps, retries and dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from amqp.exceptions import AMQPError
from celery import Celery
from kombu.exceptions import OperationalError
from msgspec import structs

from pipeline import clock
from pipeline.encryption.keyring import keyring
from pipeline.messages import VERSION, Message
from pipeline.settings import Settings
from pipeline.telemetry import spans
from pipeline.telemetry.w3c import NONE, Context
from tasks import confidential
from tasks import sender as senders
from tasks.incoming import SCHEMA
from tasks.routing import DEAD, RETRY_QUEUES, queue_for
from tasks.topology import declare_dead

BROKER_ERRORS = (OperationalError, AMQPError, OSError)
"""What publishing raises while RabbitMQ is unavailable."""


def publish(app: Celery, messages: Iterable[Message], producer: Any = None) -> None:
    """Send the messages of next steps."""
    for message in messages:
        queue = queue_for(message)
        with spans.sending(message, queue) as trace:
            _send(app, message, trace, producer=producer, queue=queue)


def publish_later(app: Celery, message: Message, *, outage: int | None = None) -> int:
    """Publish a message again by way of a retry queue; returns the seconds that it waits there.

    It keeps its id, by which a step knows what the same message has begun: a store that failed may have done what it
    was asked; its trace continues where that of its first attempt did. It waits longer with each retry. `outage`, an
    index into `RETRY_QUEUES`, is for an outage, which does not count as a retry: as it ends for all documents at once,
    the wait does not grow, for the night is short.
    """
    own = min(message.retries - message.outages, len(RETRY_QUEUES) - 1)
    waiting = RETRY_QUEUES[own if outage is None else outage]
    _send(
        app,
        structs.replace(message, retries=message.retries + 1, outages=message.outages + (outage is not None)),
        spans.of(message),
        exchange=waiting.exchange.name,
        routing_key=f"step.{queue_for(message)}",
        task_id=message.id or None,
    )
    return int(waiting.queue_arguments["x-message-ttl"]) // 1000


def publish_raw_later(app: Celery, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
    """Publish a raw message again by way of the longest retry queue; returns the seconds that it waits there."""
    waiting = RETRY_QUEUES[-1]
    with app.producer_or_acquire() as producer:
        producer.publish(
            raw,
            exchange=waiting.exchange,
            routing_key="task_type.any",
            retry=True,
            retry_policy=app.conf.task_publish_retry_policy,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            headers=senders.headers(sender, raw) | trace.headers,
            **({"user_id": app.connection_for_write().userid} if sender else {}),
        )
    return int(waiting.queue_arguments["x-message-ttl"]) // 1000


def hand_back(app: Celery, body: bytes, headers: dict[str, Any], queue: str) -> None:
    """Publish a message of a step's queue again as it is, by way of the retry queue of a minute."""
    with app.producer_or_acquire() as producer:
        producer.publish(
            body,
            exchange=RETRY_QUEUES[1].exchange,
            routing_key=f"step.{queue}",
            retry=True,
            retry_policy=app.conf.task_publish_retry_policy,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            headers=headers,
        )


def _send(app: Celery, message: Message, trace: Context, **options: Any) -> None:
    kwargs = {n: v for n in ("first", "last", "run_date") if (v := getattr(message, n))}
    headers: dict[str, Any] = {
        "trace_id": message.trace_id,
        "lane": message.priority,
        "tries": message.retries,
        SCHEMA: VERSION,
        **trace.headers,
    }
    if message.outages:
        headers["outages"] = message.outages
    if message.generation:
        headers["generation"] = message.generation
    if message.pages:
        headers["pages"] = message.pages
    if message.fresh:
        headers["fresh"] = True
    if message.turn > 1:
        headers["turn"] = message.turn
    app.send_task(f"nightshift.{message.step}", (message.task_id,), kwargs, headers=headers, **options)


def publish_dead(
    app: Celery,
    body: bytes,
    *,
    reason: str,
    code: str,
    task_id: str,
    trace_id: str,
    sender: str = "",
    trace: Context = NONE,
) -> None:
    """Put a refused message, or a reference to a failed task, into the dead-letter queue, with the reason.

    Message and reason are encrypted if the settings have keys. `sender`: the broker user of a refused message; `trace`:
    what its headers say.
    """
    named = senders.headers(sender, body)
    body, secret = confidential.close(body, reason, keyring(Settings.from_env()))
    with (
        app.connection_for_write() as connection
    ):  # one from the pool may be closed since the broker was away
        declare_dead(connection)
    with app.producer_or_acquire() as producer:
        producer.publish(
            body,
            exchange=DEAD,
            routing_key="dead",
            retry=True,  # the pooled connection may have been closed meanwhile
            retry_policy=app.conf.task_publish_retry_policy,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            headers={
                **secret,
                **named,
                **trace.headers,
                "code": code,
                "task_id": task_id,
                "trace_id": trace_id,
                "at": clock.now(),
            },
        )


class Publisher:
    """Publishing for `pipeline.night.delivery`."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def publish(self, messages: Iterable[Message]) -> None:
        """See `publish`."""
        publish(self._app, messages)

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        """See `publish_later`."""
        return publish_later(self._app, message, outage=outage)

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        """See `publish_raw_later`."""
        return publish_raw_later(self._app, raw, sender, trace)

    def publish_dead(self, body: bytes, **about: Any) -> None:
        """See `publish_dead`."""
        publish_dead(self._app, body, **about)
