"""No message of ours has an AMQP priority of its own: RabbitMQ 4.3 would deliver a queue in another order by it."""

from typing import Any

from pipeline.messages import Message
from tasks import publish, topology
from tests.integration.test_doctor import app_of


def _taken(app: Any, queue: str) -> list[Any]:
    with app.connection_for_read() as connection, connection.channel() as channel:
        found = []
        while message := channel.basic_get(queue, no_ack=True):
            found.append(message)
        return found


def test_a_queue_keeps_its_order_whatever_the_priorities_of_its_documents(broker: str) -> None:
    priorities = [5, 3, 7, 4, 6, 7, 3, 5]
    with app_of(broker) as app:
        with app.connection_for_write() as connection:
            topology.declare(connection)
        publish.publish(
            app, [Message(step="ocr", task_id=f"t{n}", priority=p) for n, p in enumerate(priorities)]
        )
        waiting = _taken(app, "ocr")
        assert [m.headers["lane"] for m in waiting] == priorities
        for p in (0, 9):
            publish.publish_later(app, Message(step="ocr", task_id="later", priority=p))
        publish.publish_raw_later(app, b"{}")
        publish.publish_dead(app, b"{}", reason="why", code="c", task_id="t", trace_id="x")
        others = [m for queue in ("retry-10", "retry-300", "dead") for m in _taken(app, queue)]
        assert len(others) == 4
        assert {m.properties.get("priority", 0) for m in [*waiting, *others]} == {0}
