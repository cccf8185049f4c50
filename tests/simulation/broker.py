"""RabbitMQ in memory: the queues of `tasks.routing`, and a Celery application as far as publishing needs one.

A message is ready, waits in a retry queue, is held by a worker (unacknowledged), or is in the dead-letter queue.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kombu.exceptions import OperationalError

from pipeline.night.repair import Queued
from tasks import routing
from tasks.topology import by_lane

if TYPE_CHECKING:
    from tests.simulation.world import World

WORK = tuple(queue.name for queue in routing.WORK_QUEUES)


@dataclass
class Envelope:
    """One message of the broker: a task of Celery's (`name`, `args`, `kwargs`, `headers`), or a raw body."""

    id: str
    queue: str
    name: str = ""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    returned: int = 0

    @property
    def about(self) -> str:
        """The task id that it is about, as far as can be seen."""
        if self.raw is None:
            return str(self.args[0]) if self.args else ""
        try:
            return str(json.loads(self.raw).get("task_id", ""))
        except (ValueError, AttributeError):
            return ""

    def __str__(self) -> str:
        what = "raw message" if self.raw is not None else self.name.removeprefix("nightshift.")
        parts = "".join(f" {name}={value}" for name, value in self.kwargs.items())
        return f"{what} of {self.about}{parts} [{self.id}]"


class MemoryBroker:
    """Queues and what is in them; it is also the `app` that `tasks.publish` sends with."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ready: dict[str, list[Envelope]] = {name: [] for name in (*WORK, routing.RAW)}
        self.waiting: list[tuple[float, Envelope]] = []
        self.held: dict[int, Envelope] = {}
        """Delivered messages, by object: a message and its retry have one id."""
        self.dead: list[dict[str, Any]] = []
        self.number = 0
        self.returns: dict[str, int] = {}
        """How often a message about a task was returned, at most."""
        self._by_id = Counter[str]()
        self.conf = SimpleNamespace(task_publish_retry_policy={})
        self.delivery: Any = None

    def send_task(
        self,
        name: str,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        *,
        queue: str = "",
        task_id: str | None = None,
        exchange: str = "",
        routing_key: str = "",
        **_: Any,
    ) -> None:
        """Publish a task as Celery does; raises one of `BROKER_ERRORS`."""
        self.number += 1
        target = queue or routing_key.removeprefix("step.")
        envelope = Envelope(
            task_id or f"m{self.number}", target, name, args, dict(kwargs or {}), dict(headers or {})
        )
        ttl = int(exchange.rpartition("-")[2]) if exchange else 0
        self.world.call("publish", str(envelope), lambda: self._enter(envelope, ttl), writes=True)

    def _enter(self, envelope: Envelope, ttl: int = 0) -> None:
        if ttl:
            self.waiting.append((self.world.now + ttl, envelope))
        elif envelope.queue in self.ready:
            self.ready[envelope.queue].append(envelope)
            if self.world.chance("doubled"):  # as after a confirmation that was lost
                self.number += 1
                self.ready[envelope.queue].append(replace(envelope, id=f"m{self.number}"))
        else:  # no queue is bound: the alternate exchange
            self.dead.append({"reason": "unroutable", "code": "", "task_id": envelope.about, "body": ""})

    def publish_raw(self, body: bytes) -> None:
        """What a producer's `basic_publish` to `inference_tasks` does."""
        self.number += 1
        envelope = Envelope(f"m{self.number}", routing.RAW, raw=body)
        self.world.call("publish", str(envelope), lambda: self._enter(envelope), writes=True)

    def publish_again(self, envelope: Envelope) -> None:
        """Send a message back that was returned too often."""
        self.number += 1
        again = replace(envelope, id=f"m{self.number}", returned=0)
        self.world.call("publish", str(again), lambda: self._enter(again), writes=True)

    @contextmanager
    def connection_for_write(self) -> Iterator[None]:
        """A connection to declare the dead-letter queue with, which is there."""
        yield None

    @contextmanager
    def producer_or_acquire(self, _: Any = None) -> Iterator[Any]:
        """A producer, for dead letters and raw messages that wait."""
        yield SimpleNamespace(publish=self._publish, connection=None)

    def _publish(
        self, body: bytes, *, exchange: Any, headers: dict[str, Any] | None = None, **_: Any
    ) -> None:
        if exchange.name != routing.DEAD.name:  # a retry queue
            self.number += 1
            envelope = Envelope(f"m{self.number}", routing.RAW, raw=body)
            ttl = int(exchange.name.rpartition("-")[2])
            self.world.call("publish", f"{envelope} later", lambda: self._enter(envelope, ttl), writes=True)
            return
        assert headers is not None
        letter = {**headers, "body": body.decode("utf-8", "replace")}
        shown = f"dead letter of {headers['task_id']}: {headers['code']}"
        self.world.call("publish", shown, lambda: self.dead.append(letter), writes=True)

    def error(self) -> Exception:
        """What publishing raises while the broker is unavailable."""
        error: Exception = OperationalError("the broker is unavailable")
        return error

    # what the broker does by itself

    def expire(self) -> None:
        """Messages whose time in a retry queue is over go back to their queue."""
        due = [envelope for at, envelope in self.waiting if at <= self.world.now]
        if due:
            self.waiting = [(at, envelope) for at, envelope in self.waiting if at > self.world.now]
            for envelope in due:
                self.ready[envelope.queue].append(envelope)

    def take(self, queue: str, index: int) -> Envelope:
        """Deliver a message: it is held until acknowledged or returned."""
        envelope = self.ready[queue].pop(index)
        self.held[id(envelope)] = envelope
        return envelope

    def acknowledge(self, envelope: Envelope) -> bool:
        """Remove a message, if this delivery of it still counts."""
        if id(envelope) not in self.held:
            return False
        del self.held[id(envelope)]
        return True

    def give_back(self, envelope: Envelope) -> bool:
        """Return a message to the front of its queue, if this delivery of it still counts."""
        if not self.acknowledge(envelope):
            return False
        again = replace(envelope, returned=envelope.returned + 1)
        self._by_id[envelope.id] += 1  # a message that waits in a retry queue keeps its id
        self.returns[envelope.about] = max(self.returns.get(envelope.about, 0), self._by_id[envelope.id])
        if again.returned > routing.DELIVERY_LIMIT and envelope.queue != routing.RAW:
            letter = {
                "reason": "delivery_limit",
                "code": "",
                "task_id": envelope.about,
                "body": str(envelope),
            }
            self.dead.append(letter | {"envelope": envelope})
        else:
            self.ready[envelope.queue].insert(0, again)
        return True

    def lose_disk(self) -> list[Envelope]:
        """Everything is gone; returns the raw messages that nobody has accepted."""
        waiting = (envelope for _, envelope in self.waiting)
        raw = [e for e in (*self.ready[routing.RAW], *waiting, *self.held.values()) if e.raw is not None]
        for queue in self.ready.values():
            queue.clear()
        self.waiting.clear()
        self.held.clear()
        self.dead.clear()
        return raw

    def count(self) -> Queued:
        """Messages of pending tasks that are ready or wait."""
        found = {name: len(queue) for name, queue in self.ready.items()}
        waiting = dict.fromkeys((queue.name for queue in routing.RETRY_QUEUES), 0)
        waiting[routing.RETRY_QUEUES[0].name] = len(self.waiting)
        return by_lane(found | waiting)
