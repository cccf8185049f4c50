"""Raw JSON messages become tasks: each is itself the task's message, and is itself acknowledged or requeued.

There is no bridge process between a producer's `inference_tasks` and Celery, so no second hop could lose anything.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer

from pipeline.submission.contract import MAX_BODY, partial_id
from tasks.limits import StepRequest
from tasks.routing import RAW

ACCEPT = "nightshift.accept"


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
    they have nothing to tell, and a worker must start while the broker is in alarm.
    """

    class Blueprint(Consumer.Blueprint):
        """Celery's steps without that one."""

        default_steps = [s for s in Consumer.Blueprint.default_steps if "delayed_delivery" not in s]  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "without_mingle": True})

    def connection_for_write(self, url: str | None = None, heartbeat: float | None = None) -> Any:
        """Connect for events. They are sent from the event loop, which waits for no confirmation."""
        unconfirmed = {"confirm_publish": False}
        return self.ensure_connected(
            self.app.connection_for_write(url=url, heartbeat=heartbeat, transport_options=unconfirmed)
        )

    def update_strategies(self) -> None:
        """Use `RawRequest` for raw messages, and `StepRequest` for all others."""
        for name, task in self.app.tasks.items():
            task.Request = RawRequest if name == ACCEPT else StepRequest
        super().update_strategies()

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Wrap Celery's handler of incoming messages."""
        handle: Callable[[Any], None] = super().create_task_handler(*args, **kwargs)

        def handle_any(message: Any) -> None:
            # recognised by its queue: a producer may have bound that to its own exchange, with any key
            if message.delivery_info.get("consumer_tag") == self.task_consumer._active_tags.get(RAW):
                _disguise(self.app, message)
            handle(message)

        return handle_any

    def on_decode_error(self, message: Any, exc: Exception) -> None:  # noqa: ARG002 - Celery's signature
        """Dead-letter a message that can't be decoded: Celery would acknowledge it, and so lose it."""
        message.reject()

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Dead-letter a message that is not a task: Celery would drop it."""
        message.reject()


def _as_sent(message: Any) -> bytes:
    """The bytes of a body, whatever encoding its AMQP properties claim; py-amqp has decoded it accordingly."""
    if not isinstance(message.body, str):
        return bytes(message.body)
    try:
        return message.body.encode(message.content_encoding or "utf-8")
    except (UnicodeError, LookupError):
        return message.body.encode("utf-8", "replace")  # for example a lone surrogate from UTF-7


def _disguise(app: Any, message: Any) -> None:
    """Make a raw message look like a task `accept` with the raw body as its argument.

    Its own headers are ignored: a producer can choose no other task. Of a body over the limit only the beginning is
    passed on, which is enough to refuse it.
    """
    body = _as_sent(message)
    args = (base64.b64encode(body[: MAX_BODY + 1]).decode("ascii"),)
    shown = repr((partial_id(body) or "message without a task id",))
    made = app.amqp.as_task_v2(str(uuid.uuid4()), ACCEPT, args=args, argsrepr=shown)
    message.headers = made.headers
    message.body = json.dumps(made.body)
    message.content_type, message.content_encoding = "application/json", "utf-8"
    message.properties.setdefault("correlation_id", made.headers["id"])
    message._decoded_cache = None
