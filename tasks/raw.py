"""Raw JSON messages become tasks: the message itself is the task's message, acknowledged or returned itself.

No bridge process stands between a producer's `inference_tasks` and Celery, so there is no second hop
to lose anything on.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.request import Request

from pipeline.submission.contract import MAX_BODY, partial_id
from tasks.routing import RAW

ACCEPT = "nightshift.accept"


class RawRequest(Request):
    """A raw message in hand: an inspection, such as Flower's, gets its task id, not its body with the text."""

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002 - Celery's signature
        """Describe it as Celery does, the arguments as they are shown in events."""
        shown: dict[str, Any] = super().info(safe=True)
        return shown


class RawConsumer(Consumer):
    """Celery's consumer, but for messages that no Celery producer wrote, and without delayed delivery.

    Waiting is done by the retry queues and the store; Celery's own 28 queues for it would only be there
    to fail when a broker is new.
    """

    class Blueprint(Consumer.Blueprint):
        """Celery's steps but that one."""

        default_steps = [s for s in Consumer.Blueprint.default_steps if "delayed_delivery" not in s]  # noqa: RUF012

    def update_strategies(self) -> None:
        """Have raw messages held as `RawRequest`."""
        self.app.tasks[ACCEPT].Request = RawRequest
        super().update_strategies()

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Wrap Celery's handler of incoming messages."""
        handle: Callable[[Any], None] = super().create_task_handler(*args, **kwargs)

        def handle_any(message: Any) -> None:
            # by its queue: a producer may have bound that to an exchange of its own, under any key
            if message.delivery_info.get("consumer_tag") == self.task_consumer._active_tags.get(RAW):
                _disguise(self.app, message)
            handle(message)

        return handle_any

    def on_decode_error(self, message: Any, exc: Exception) -> None:  # noqa: ARG002 - Celery's signature
        """Dead-letter what can't be decoded: Celery itself would acknowledge, that is lose it."""
        message.reject()

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Dead-letter what is no task: it would be dropped."""
        message.reject()


def _as_sent(message: Any) -> bytes:
    """The bytes of a body, whatever encoding its AMQP properties claim: py-amqp has decoded it by that."""
    if not isinstance(message.body, str):
        return bytes(message.body)
    try:
        return message.body.encode(message.content_encoding or "utf-8")
    except (UnicodeError, LookupError):
        return message.body.encode("utf-8", "replace")  # such as a lone surrogate out of UTF-7


def _disguise(app: Any, message: Any) -> None:
    """Make a raw message look like a task `accept` with the raw body as its argument.

    Whatever headers it came with are ignored: a producer chooses no task but this one. Of a body over
    the limit only the beginning goes on, which is enough to refuse it.
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
