"""Exchanges and queues, and which message goes where. docs/explanation/night.md has the picture.

Queues are quorum queues, whose arguments can never be changed later. Only `inference_tasks` is a classic durable queue,
so that it matches any producer's own `queue_declare(durable=True)`. Only `tasks.topology` declares any of them, so that
publishing and consuming need no right to configure; docker/rabbitmq/definitions.json repeats them for RabbitMQ itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kombu
from kombu import Exchange

from pipeline.messages import Message, is_backfill, is_urgent
from pipeline.steps.task_types import BUILT_IN_STEPS, further_steps
from tasks.lanes import BACKFILL, GPU_QUEUES, URGENT, of_turn

TOPIC = Exchange("nightshift", "topic", durable=True, arguments={"alternate-exchange": "nightshift.dead"})
DEAD = Exchange("nightshift.dead", "fanout", durable=True)
PROBE = Exchange("nightshift.probe", "fanout", durable=True)
"""What is published there shows whether the broker takes messages, and whether quorum queues have a majority."""
EVENTS = Exchange("celeryev", "topic", durable=True)
CONTROL = Exchange("celery.pidbox", "fanout", durable=False)
REPLIES = Exchange("reply.celery.pidbox", "direct", durable=False)
"""Celery's own, for events, remote control and the replies to it."""

RAW = "inference_tasks"

DELIVERY_LIMIT = 20
"""A backstop only: every requeue counts, whatever its cause. Attempts of a document are counted in the ledger."""

DEAD_LETTERS, DEAD_DAYS = 100_000, 90
"""Limits of the dead-letter queue: the oldest messages go first. What became of a document is in the store."""

RETRY_SECONDS = (10, 60, 300)


class Queue(kombu.Queue):
    """A queue whose messages name it in their `delivery_info`; a routing key is chosen by who sends."""

    def consume(
        self, consumer_tag: str = "", callback: Callable[[Any], Any] | None = None, **options: Any
    ) -> Any:
        """Start a consumer."""

        def named(message: Any) -> Any:
            message.delivery_info["queue"] = self.name
            return callback(message) if callback else None

        return super().consume(consumer_tag, named, **options)


def _quorum(name: str) -> Queue:
    return Queue(
        name,
        TOPIC,
        routing_key=f"step.{name}",
        durable=True,
        no_declare=True,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-dead-letter-exchange": DEAD.name,
            "x-delivery-limit": DELIVERY_LIMIT,
        },
    )


def _retry(seconds: int) -> Queue:
    """Where a message waits: after `seconds` RabbitMQ sends it back, with its routing key unchanged.

    At least once: a classic queue sends it back unconfirmed, and of those that wait while a broker is killed most are
    lost.
    """
    return Queue(
        f"retry-{seconds}",
        Exchange(f"nightshift.retry-{seconds}", "fanout", durable=True),
        durable=True,
        no_declare=True,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-message-ttl": seconds * 1000,
            "x-dead-letter-exchange": TOPIC.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",  # which that strategy requires
        },
    )


WORK_QUEUES = tuple(_quorum(name) for name in ("ingest", *GPU_QUEUES, "result", "callback", "housekeeping"))
RAW_QUEUE = Queue(RAW, TOPIC, routing_key="task_type.*", durable=True, no_declare=True)
DEAD_QUEUE = Queue(
    "dead",
    DEAD,
    durable=True,
    no_declare=True,
    queue_arguments={
        "x-queue-type": "quorum",
        "x-max-length": DEAD_LETTERS,
        "x-message-ttl": DEAD_DAYS * 24 * 60 * 60 * 1000,
    },
)
RETRY_QUEUES = tuple(_retry(seconds) for seconds in RETRY_SECONDS)
PROBE_QUEUE = Queue(
    "nightshift.probe",
    PROBE,
    durable=True,
    no_declare=True,
    queue_arguments={"x-queue-type": "quorum", "x-max-length": 1},
)
"""Holds the last of those messages; nobody needs it."""

QUEUES = (DEAD_QUEUE, RAW_QUEUE, *WORK_QUEUES, *RETRY_QUEUES)
"""Those with messages that matter."""

DECLARED = (*QUEUES, PROBE_QUEUE)
EXCHANGES = (DEAD, TOPIC, PROBE, *(queue.exchange for queue in RETRY_QUEUES), EVENTS, CONTROL, REPLIES)
"""In the order in which they are declared: a queue's dead-letter exchange comes first."""


MIGRATED = tuple(queue for queue in DECLARED if queue is not RAW_QUEUE)
"""Those that are ours: the queue of raw messages belongs to its producers, with whatever arguments it has."""


def moving(queue: Queue) -> str:
    """Name of the queue that has the messages of another one while that is declared again."""
    return f"{queue.name}.moving"


def queue_for(message: Message) -> str:
    """Name of the queue for a step's message: GPU work goes to the lane for its priority, and there to its turn."""
    step = further_steps().get(message.step)
    gpu = message.step in BUILT_IN_STEPS or (step is not None and step.gpu)
    if gpu:
        return of_turn(_lane(message), message.turn)
    return message.step if step is None else "result"


def _lane(message: Message) -> str:
    """Queue of the first turn for GPU work."""
    if is_urgent(message.priority):
        return URGENT
    if is_backfill(message.priority):
        return BACKFILL
    return message.step if message.step in BUILT_IN_STEPS else "ner"
