"""What the exporter asks RabbitMQ, with the rights of a monitor: how many messages wait, and which workers live."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

from amqp.exceptions import NotFound
from kombu import Consumer, Exchange, Queue

from pipeline.errors import BrokerUnavailable
from pipeline.telemetry.exposition import Readings
from tasks import client
from tasks.broker import ERRORS
from tasks.lanes import first_turn
from tasks.routing import EVENTS, QUEUES

log = logging.getLogger("nightshift")

LIVE = 15.0
"""Seconds for which a worker counts after its last sign of life; it sends one every two seconds."""

_HEARD = 5.0  # seconds of listening after which all workers have been heard
_PAUSE = 5.0


def depths(app: Any) -> Readings:
    """Messages that are ready, by queue, those of all turns together; a queue that is missing is left out.

    Raises `BrokerUnavailable`.
    """
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    with client.errors(app), app.connection_for_read(heartbeat=0) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        channel = connection.channel()
        for queue in QUEUES:
            key = "nightshift_queue_messages", (first_turn(queue.name),)
            try:
                count = channel.queue_declare(queue.name, passive=True).message_count
            except NotFound:  # which closes the channel
                channel = connection.channel()
                continue
            found[key] = found.get(key, 0.0) + count
    return found


class Heartbeats(threading.Thread):
    """Listens to the events by which workers show that they live."""

    def __init__(self, app: Any) -> None:
        super().__init__(name="heartbeats", daemon=True)
        self._app = app
        self._seen: dict[str, float] = {}
        self._since: float | None = None  # when this began to listen without a break

    def workers(self) -> Readings:
        """How many live; waits for a while until all have been heard, and raises `BrokerUnavailable`."""
        end = time.monotonic() + 2 * _HEARD
        while (now := time.monotonic()) < end:
            since = self._since
            if since is not None and now - since >= _HEARD:
                live = sum(now - at < LIVE for at in self._seen.copy().values())
                return {("nightshift_workers", ()): float(live)}
            time.sleep(0.1)
        raise BrokerUnavailable("The events of workers can't be received: RabbitMQ does not answer.")

    def run(self) -> None:
        """Listen for as long as the process lives."""
        while True:
            try:
                self._listen()
            except ERRORS as error:
                log.debug("no events of workers: %s: %s", type(error).__name__, error)
            except Exception as error:
                log.warning("no events of workers: %s: %s", type(error).__name__, error)
            self._since = None
            time.sleep(_PAUSE)

    def _listen(self) -> None:
        exchange = Exchange(EVENTS.name, EVENTS.type, no_declare=True)  # workers declare it
        with self._app.connection_for_read(heartbeat=10) as connection:
            queue = Queue(
                f"celeryev.{uuid.uuid4()}",
                exchange,
                routing_key="worker.#",
                exclusive=True,
                auto_delete=True,
                durable=False,
                queue_arguments={"x-max-length": 1000, "x-message-ttl": 10_000},
            )
            with Consumer(connection.channel(), [queue], on_message=self._hear, no_ack=True):
                self._since = time.monotonic()
                while True:
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=1)
                    connection.heartbeat_check()

    def _hear(self, message: Any) -> None:
        with suppress(ValueError, AttributeError):
            event = json.loads(message.body)
            name = str(event.get("hostname", ""))[:200]
            if event.get("type") == "worker-offline":
                self._seen.pop(name, None)
            elif name and (name in self._seen or len(self._seen) < 10_000):
                self._seen[name] = time.monotonic()
