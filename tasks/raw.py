"""What a worker takes from its queues. Raw JSON messages become tasks, each is itself acknowledged or requeued.

There is no bridge process between a producer's `inference_tasks` and Celery, so no second hop could lose anything.
Messages of the step queues are checked (`tasks.incoming`), and dead-lettered unless they are ours.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker.consumer import Consumer

from pipeline import telemetry
from pipeline.submission.contract import MAX_BODY, partial_id
from pipeline.telemetry import w3c
from tasks import brokers, incoming, sender, topology
from tasks.broker import trouble
from tasks.limits import StepRequest
from tasks.routing import RAW

ACCEPT, HAND_BACK = "nightshift.accept", "nightshift.hand_back"
"""Tasks that no message names: made of raw messages, and of those that a later version wrote."""

_SAYING = 60.0  # seconds between two log lines about messages that are handed back

log = get_logger("nightshift.raw")


class RawRequest(StepRequest):
    """A raw message in progress: inspections, such as Flower's, see its task id, not its body with the text."""

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002 - Celery's signature
        """Describe it as Celery does, with the arguments as they are shown in events."""
        shown: dict[str, Any] = super().info(safe=True)
        return shown


class RawConsumer(Consumer):
    """Celery's consumer, also for messages that no Celery producer wrote, and without what only could fail.

    No delayed delivery: the retry queues and the store do the waiting; Celery's own 28 queues for it would only be one
    more thing to fail on a new broker. No mingle, in which a starting worker publishes and waits for other workers:
    they have nothing to tell, and a worker must start while the broker is in alarm. No gossip: with it, any program
    that may send events could have a worker publish tasks.
    """

    class Blueprint(Consumer.Blueprint):
        """Celery's steps without that one."""

        default_steps = [s for s in Consumer.Blueprint.default_steps if "delayed_delivery" not in s]  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._said = -_SAYING
        super().__init__(*args, **{**kwargs, "without_mingle": True, "without_gossip": True})

    def connection_for_write(self, url: str | None = None, heartbeat: float | None = None) -> Any:
        """Connect for events. They are sent from the event loop, which waits for no confirmation."""
        unconfirmed = {"confirm_publish": False}
        return self.ensure_connected(
            self.app.connection_for_write(url=url, heartbeat=heartbeat, transport_options=unconfirmed)
        )

    def connect(self) -> Any:
        """Declare all exchanges and queues, then connect: waits for a broker that does not answer."""
        with self.connection_for_write() as connection:
            topology.prepare(connection)
        return super().connect()

    def on_connection_error_before_connected(self, exc: BaseException) -> None:
        """End the worker if waiting for the broker is of no use."""
        self._end_if_lasting(exc)
        super().on_connection_error_before_connected(exc)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        """End the worker if connecting again is of no use."""
        self._end_if_lasting(exc)
        super().on_connection_error_after_connected(exc)

    def _end_if_lasting(self, error: BaseException) -> None:
        sentence, lasting = trouble(error, brokers.shown(self.conninfo))
        if lasting:
            log.critical("%s", sentence)
            raise WorkerShutdown(EX_FAILURE)

    def update_strategies(self) -> None:
        """Use `RawRequest` for raw messages, and `StepRequest` for all others."""
        for name, task in self.app.tasks.items():
            task.Request = RawRequest if name in (ACCEPT, HAND_BACK) else StepRequest
        super().update_strategies()

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Wrap Celery's handler of incoming messages."""
        self._handle: Callable[[Any], None] = super().create_task_handler(*args, **kwargs)
        steps = set(self.app.tasks) - {ACCEPT, HAND_BACK}

        def handle_any(message: Any) -> None:
            queue = _queue_of(message)
            if queue == RAW:
                self._accept(message)
                return
            try:
                incoming.check(message, queue, steps)
            except incoming.NotOurs as error:
                self._bury(message, str(error))
            except incoming.Later as error:
                self._hand_back(message, queue, str(error))
            else:
                self._handle(message)

        return handle_any

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Take a raw message as it is, whatever is wrong with its headers; dead-letter any other one.

        Celery would acknowledge it, and so lose it.
        """
        if _queue_of(message) == RAW:
            self._accept(message)
        else:
            self._bury(message, str(exc))

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Dead-letter a message that is not a task: Celery would drop it."""
        self._bury(message, "it is not a task")

    def _accept(self, message: Any) -> None:
        body = _body_of(message)
        headers = message.headers if isinstance(message.headers, dict) else {}
        trace = w3c.context(headers.get("traceparent"), headers.get("tracestate"))
        _disguise(self.app, message, body, sender.of(message, body, self.conninfo.userid), trace)
        self._handle(message)

    def _hand_back(self, message: Any, queue: str, why: str) -> None:
        """Have a pool process publish a message again: the event loop must not wait for a confirmation."""
        if time.monotonic() - self._said >= _SAYING:
            self._said = time.monotonic()
            log.warning(
                "returning messages of the queue %s for a minute, such as one of which %s", queue, why
            )
        body = base64.b64encode(_body_of(message)).decode("ascii")
        times = message.headers.get(incoming.HANDED_BACK, 0) + 1
        headers = incoming.of_sender(message.headers) | {incoming.HANDED_BACK: times}
        _make_task(self.app, message, HAND_BACK, (body, headers, queue), f"a message of {queue}")
        self._handle(message)

    def _bury(self, message: Any, why: str) -> None:
        log.error("dead-lettered a message of the queue %s: %s", _queue_of(message), why)
        message.reject_log_error(log, self.connection_errors)
        code = "bad_signature" if why.startswith("bad_signature") else "not_ours"
        telemetry.count("nightshift_dead_letters_total", code)


def _body_of(message: Any) -> bytes:
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


def _queue_of(message: Any) -> str:
    """The queue that a message came from (`tasks.routing.Queue`): its routing key is its sender's choice."""
    return str(message.delivery_info.get("queue", ""))


def _disguise(app: Any, message: Any, body: bytes, user: str, trace: w3c.Context) -> None:
    """Make a raw message look like a task `accept` with the raw body as its argument.

    Its own headers and properties are ignored, `trace` apart: a producer can choose no other task. Of a body over the
    limit only the beginning is passed on, which is enough to refuse it.
    """
    args = (base64.b64encode(body[: MAX_BODY + 1]).decode("ascii"), user, trace.parent, trace.state)
    shown = repr((partial_id(body) or "message without a task id",))
    _make_task(app, message, ACCEPT, args, shown)
    message.delivery_info.update(exchange="", routing_key=RAW)


def _make_task(app: Any, message: Any, name: str, args: tuple[Any, ...], shown: str) -> None:
    """Replace what a message says by a task; it is still the message that is acknowledged or requeued."""
    made = app.amqp.as_task_v2(str(uuid.uuid4()), name, args=args, argsrepr=shown)
    message.headers = made.headers
    message.body = json.dumps(made.body)
    message.content_type, message.content_encoding = "application/json", "utf-8"
    message.properties = {"correlation_id": made.headers["id"], "reply_to": ""}
    message.delivery_info.update(exchange="", routing_key="")  # of no lane, so that the gate lets it end
    message.errors, message._decoded_cache = [], None
