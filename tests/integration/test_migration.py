"""Queues are declared again with other arguments, on a real broker: nothing is lost wherever it dies."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pika
import pytest
from amqp.exceptions import PreconditionFailed
from celery import Celery
from kombu import pools

from pipeline.errors import BrokerUnavailable
from tasks import client, dead, migration, topology
from tasks.broker import Interrupted
from tasks.routing import DEAD, DEAD_QUEUE, MIGRATED, RETRY_QUEUES, TOPIC
from tasks.transport import Channel
from tests.support.command import nightshift
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit

OLD = {"x-queue-type": "classic"}
KEYS = ["first", "second", "third"]


@pytest.fixture
def app(broker: str) -> Iterator[Any]:
    client.celery()  # which bounds the waits of every connection of this process
    app = Celery(broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"confirm_publish": True}
    with app:
        yield app
    pools.reset()


@contextmanager
def channel_of(broker: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(broker))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    finally:
        connection.close()


def declare_old(broker: str, name: str, exchange: str, key: str = "") -> None:
    """As an older version had a queue: with other arguments, and the same binding."""
    with channel_of(broker) as channel:
        channel.queue_delete(name)
        channel.queue_declare(name, durable=True, arguments=OLD)
        channel.queue_bind(name, exchange, key)


def put(broker: str, exchange: str, keys: list[str]) -> None:
    with channel_of(broker) as channel:
        for number, key in enumerate(keys):
            properties = pika.BasicProperties(headers={"number": number, "x-tries": 2}, priority=7)
            channel.basic_publish(exchange, key, str(number).encode(), properties, mandatory=True)


def taken(broker: str, name: str) -> list[tuple[bytes, str, Any]]:
    """Body, routing key and headers of all messages of a queue."""
    found: list[tuple[bytes, str, Any]] = []
    with channel_of(broker) as channel:
        while True:
            method, properties, body = channel.basic_get(name, auto_ack=True)
            if method is None:
                return found
            assert properties.priority == 7
            headers = {n: v for n, v in properties.headers.items() if n != "x-delivery-count"}  # the broker's
            found.append((body, method.routing_key, headers))


def migrated(app: Celery) -> dict[str, int]:
    with client.errors(app, 60), app.connection_for_write() as connection, migration.alone(connection):
        return {one.queue.name: migration.migrate(connection, one) for one in migration.find(connection)}


def declare(app: Celery) -> None:
    with app.connection_for_write() as connection:
        topology.declare(connection)


def test_a_queue_of_a_lane_and_one_for_retries(app: Celery, broker: str) -> None:
    declare(app)
    waiting = RETRY_QUEUES[2]
    declare_old(broker, "ocr", TOPIC.name, "step.ocr")
    declare_old(broker, waiting.name, waiting.exchange.name)
    put(broker, TOPIC.name, ["step.ocr"] * 3)
    put(broker, waiting.exchange.name, ["step.ner", "step.urgent"])
    with pytest.raises(PreconditionFailed):
        declare(app)
    with app.connection_for_write() as connection:
        found = {one.queue.name: (one.difference, one.messages) for one in migration.find(connection)}
    assert re.fullmatch("x-[a-z-]+ is .+, not .+", found["ocr"][0])
    assert found["ocr"][1] == 3
    assert found[waiting.name][1] == 2

    assert migrated(app) == {"ocr": 3, waiting.name: 2}
    declare(app)
    with app.connection_for_write() as connection:
        assert migration.find(connection) == []
    headers = [{"number": n, "x-tries": 2} for n in range(3)]
    assert taken(broker, "ocr") == [(b"%d" % n, "ocr", headers[n]) for n in range(3)]
    assert taken(broker, waiting.name) == [
        (b"0", "step.ner", headers[0]),
        (b"1", "step.urgent", headers[1]),
    ]
    put(broker, TOPIC.name, ["step.ocr"])
    assert len(taken(broker, "ocr")) == 1  # it is bound again, and nothing else is


def test_an_interrupted_one_and_a_message_of_another_user_are_named(
    app: Celery, broker: str, rabbit: Rabbit
) -> None:
    declare(app)
    declare_old(broker, "ocr", TOPIC.name, "step.ocr")
    with channel_of(broker) as channel:
        channel.queue_declare("ocr.moving", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "ocr.moving", b"0", pika.BasicProperties(user_id="guest"))
    with app.connection_for_write() as connection, pytest.raises(Interrupted, match=r'"ocr\.moving" has its'):
        topology.prepare(connection)
    rabbit.ctl("add_user", "mover", "x")
    rabbit.ctl("set_permissions", "-p", broker.rpartition("/")[2], "mover", ".*", ".*", ".*")
    with Celery(broker=broker.replace("guest:guest", "mover:x"), set_as_current=False) as other:
        other.conf.broker_transport_options = {"confirm_publish": True}
        with pytest.raises(
            BrokerUnavailable, match='"mover" may not publish a message of the user "guest" again'
        ):
            migrated(other)
        rabbit.ctl("set_user_tags", "mover", "impersonator")
        assert migrated(other) == {"ocr": 1}
    with app.connection_for_write() as connection:
        topology.prepare(connection)
    with channel_of(broker) as channel:
        channel.queue_purge("ocr")


def test_a_dead_letter_that_a_command_looks_at(
    app: Celery, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(app)
    declare_old(broker, DEAD_QUEUE.name, DEAD.name)
    put(broker, DEAD.name, ["step.ocr"])
    with channel_of(broker) as channel:
        assert channel.basic_get(DEAD_QUEUE.name)[0]

        def put_back(seconds: float) -> None:
            assert seconds > dead.SECONDS
            channel.close()

        monkeypatch.setattr(migration, "time", SimpleNamespace(sleep=put_back))
        assert migrated(app) == {DEAD_QUEUE.name: 1}
    assert [body for body, _, _ in taken(broker, DEAD_QUEUE.name)] == [b"0"]


class Died(Exception):
    """What a test has the broker's connection raise."""


CALLS = ("queue_declare", "queue_bind", "queue_unbind", "queue_delete", "basic_publish_confirm", "basic_ack")


def test_it_may_die_at_every_call_and_continues(
    app: Celery, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(app)
    monkeypatch.setattr(
        migration, "MIGRATED", [q for q in MIGRATED if q.name == "ner"]
    )  # the others are as they were
    for last in itertools.count(1):
        declare_old(broker, "ner", TOPIC.name, "step.ner")
        put(broker, TOPIC.name, ["step.ner"])
        calls, whole = iter(range(last)), False
        with app.connection_for_write() as connection, monkeypatch.context() as patch:
            (changed,) = migration.find(connection)
            for name in CALLS:
                patch.setattr(Channel, name, dying(name, calls))
            with suppress(Died):
                migration.migrate(connection, changed)
                whole = True
        migrated(app)
        found = [body for body, _, _ in taken(broker, "ner")]
        assert found in ([b"0"], [b"0", b"0"]), (
            f"died at call {last}"
        )  # twice: it was published and not acknowledged
        if whole:
            break
    assert last > 10


def dying(name: str, calls: Iterator[int]) -> Any:
    """A method that raises once there are no calls left, and closes its connection as a killed process does."""
    method = getattr(Channel, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("passive") and next(calls, None) is None:
            self.connection.collect()
            raise Died
        return method(self, *args, **kwargs)

    return call


def test_it_refuses_while_workers_consume_and_while_another_runs(app: Celery, broker: str) -> None:
    declare(app)
    declare_old(broker, "ocr", TOPIC.name, "step.ocr")
    with channel_of(broker) as channel:
        channel.basic_consume("result", lambda *_: None)
        with pytest.raises(BrokerUnavailable, match='"result" has consumers: stop all workers'):
            migrated(app)
    with (
        app.connection_for_write() as other,
        migration.alone(other),
        pytest.raises(BrokerUnavailable, match="Another `nightshift queues migrate` is running"),
    ):
        migrated(app)
    wait_for(lambda: migrated(app) == {"ocr": 0}, "the lock to be free")


def test_the_command(broker: str, tmp_path: Any, app: Celery) -> None:
    declare(app)
    env = {"NIGHTSHIFT_BROKER_URL": broker, "NIGHTSHIFT_STORE_URL": str(tmp_path / "store")}
    (tmp_path / "store").mkdir()
    declare_old(broker, "ocr", TOPIC.name, "step.ocr")
    put(broker, TOPIC.name, ["step.ocr"])
    shown = nightshift("queues", "migrate", **env)
    assert shown.returncode == 4
    assert "Stop all workers, then: nightshift queues migrate --yes" in shown.stdout
    done = nightshift("queues", "migrate", "--yes", "--json", **env)
    assert (done.returncode, '"ocr": 1' in done.stdout) == (0, True), done.stderr
    assert nightshift("queues", "migrate", **env).stdout == "All queues are as this version declares them.\n"
