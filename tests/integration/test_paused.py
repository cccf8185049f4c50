"""What waits at a real broker comes back to where it was, and is counted by lane."""

import pytest
from celery import Celery

from pipeline.messages import Message
from pipeline.night.repair import Queued
from tasks import publish, routing, sender, topology
from tests.support.servers import wait_for

SHORT = routing._retry(1)


@pytest.fixture
def app(broker: str) -> Celery:
    app = Celery(broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"confirm_publish": True}
    app.conf.task_queues = [*routing.WORK_QUEUES, routing.RAW_QUEUE]
    with app.connection_for_write() as connection, connection.channel() as channel:
        topology.declare(connection)
        bound = SHORT.bind(channel)
        bound.exchange.declare()
        bound.queue_declare()
        bound.queue_bind()
    return app


def test_a_raw_message_of_a_paused_acceptance_comes_back(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "RETRY_QUEUES", (SHORT,))
    body = b'{"task_id": "t", "image_url": "s3://inbox/a"}'
    assert publish.publish_raw_later(app, body) == 1
    wait_for(lambda: topology.depths(app)[routing.RAW] == 1, "the message to come back")
    with app.connection_for_read() as connection, connection.channel() as channel:
        message = channel.basic_get(routing.RAW, no_ack=True)
    assert message is not None
    assert (message.body if isinstance(message.body, str) else bytes(message.body).decode()) == body.decode()


def test_messages_are_counted_by_lane(app: Celery) -> None:
    for step, priority in (("ingest", 5), ("ocr", 9), ("ocr", 5), ("ner", 5), ("ocr", 0), ("result", 9)):
        publish.publish(app, [Message(step=step, task_id="t", priority=priority)])
    publish.publish_later(app, Message(step="ocr", task_id="t"), outage=2)
    expected = Queued(ingest=1, urgent=1, normal=2, backfill=1, elsewhere=2)
    wait_for(lambda: topology.queued(app) == expected, "the messages to be counted")


def test_a_raw_message_keeps_its_first_sender(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "RETRY_QUEUES", (SHORT,))
    publish.publish_raw_later(app, b"{}", "scanner")
    wait_for(lambda: topology.depths(app)[routing.RAW] == 1, "the message to come back")
    with app.connection_for_read() as connection, connection.channel() as channel:
        message = channel.basic_get(routing.RAW, no_ack=True)
    assert message is not None
    assert message.properties["user_id"] == "guest", "RabbitMQ would refuse any other"
    body = bytes(message.body) if isinstance(message.body, (bytes, memoryview)) else message.body.encode()
    assert sender.of(message, body, "guest") == "scanner"
    assert sender.of(message, body, "worker") == "guest", "a producer can't name another sender"
