"""A night on a cluster: its processes know all nodes, its raw queue is on all of them."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pika

from tests.support.night import RAW, Message, Night
from tests.support.servers import wait_for
from tests.support.servers.cluster import Cluster, Node


class ClusterNight(Night):
    """`rabbit` is the node that the test itself asks."""

    def __init__(self, cluster: Cluster, folder: Path, env: dict[str, str]) -> None:
        self.cluster = cluster
        super().__init__(cluster.nodes[0], folder, env)

    def __post_init__(self) -> None:
        super().__post_init__()
        nodes = self.cluster.nodes
        urls = (f"amqp://guest:guest@{node.host}:{node.port}/{self.vhost}" for node in nodes)
        self.env["NIGHTSHIFT_BROKER_URL"] = ";".join(urls)
        with self.channel() as channel:
            channel.queue_declare(RAW, durable=True, arguments={"x-queue-type": "quorum"})

    def ask(self, node: Node) -> None:
        """Have the test ask this node from now on."""
        self.rabbit = node

    def publish(self, messages: Iterable[Message], exchange: str = "", routing_key: str = RAW) -> None:
        """Publish each message until it is confirmed, as a producer does: a queue without a leader refuses them."""
        for message in messages:
            wait_for(lambda one=message: self._confirmed(one, exchange, routing_key), "a confirmation", 120)  # type: ignore[misc]

    def _confirmed(self, message: Message, exchange: str, routing_key: str) -> bool:
        try:
            super().publish([message], exchange, routing_key)
        except (pika.exceptions.AMQPError, OSError):
            time.sleep(0.5)
            return False
        return True

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A confirming channel, on which nothing is declared."""
        parameters = pika.URLParameters(self._url(self.rabbit.port))
        parameters.blocked_connection_timeout = parameters.socket_timeout = 10
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            with suppress(pika.exceptions.AMQPError):
                connection.close()

    def whole(self, seconds: float = 60) -> None:
        """Wait until all members of all queues are online."""
        wait_for(self.cluster.whole, "all members of all queues", seconds)
