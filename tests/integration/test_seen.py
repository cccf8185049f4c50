"""What `nightshift why` asks a real RabbitMQ: counts, alarms and dead letters, with the rights of each role."""

from pathlib import Path

import pytest
from kombu import pools

from pipeline.messages import Message
from tasks import publish, seen, topology
from tests.integration.test_doctor import app_of
from tests.support import roles
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_SECONDS", 0.2)


def test_messages_letters_and_an_alarm(broker: str, rabbit: Rabbit) -> None:
    with app_of(broker) as app:
        try:
            assert seen.seen(app, "t", letters=True).messages == {}, (
                "nothing is declared yet, and nothing is now"
            )
            with app.connection_for_write() as connection:
                topology.declare(connection)
            publish.publish(app, [Message(step="ocr", task_id=f"t{n}", turn=n) for n in (1, 2)])
            publish.publish_dead(
                app, b"{}", reason="It is odd.", code="bad_message", task_id="t", trace_id=""
            )
            found = seen.seen(app, "t", letters=True)
            assert (found.trouble, found.alarm, found.workers, found.holders) == ("", "", (), ())
            assert (found.messages["ocr"], found.messages["ocr-2"], found.consumers["ocr"]) == (1, 1, 0)
            assert found.letters == ("bad_message: It is odd.",)
            assert seen.seen(app, "t", letters=False).messages["dead"] == 1, "it is still there"
            rabbit.alarm(True)
            try:
                wait_for(lambda: seen.seen(app, "t", letters=False).alarm, "the alarm to be seen", 30)
            finally:
                rabbit.alarm(False)
        finally:
            pools.reset()


def test_what_a_role_may_not_ask_is_left_out(rabbit: Rabbit, tmp_path: Path) -> None:
    roles.import_definitions(rabbit, tmp_path)
    with app_of(roles.url(rabbit, "worker")).connection_for_write() as connection:
        topology.declare(connection)
    for role, workers in (("monitor", None), ("producer", None), ("operator", ())):
        with app_of(roles.url(rabbit, role)) as app:
            found = seen.seen(app, "t", letters=True)
            pools.reset()
        if role == "producer" and rabbit.version >= (
            4,
            3,
        ):  # which answers only who has some right to a queue
            assert "permission for queue" in found.trouble
            continue
        assert (found.trouble, found.workers) == ("", workers), role
        assert found.messages["ocr"] == 0


def test_where_a_message_waits_and_what_comes_before() -> None:
    queue = seen.place(Message(step="ocr", task_id="t", priority=0, turn=2))
    assert (queue.name, queue.gpu) == ("filler-2", True)
    assert {"filler", "ocr", "ner-3", "urgent"} <= set(queue.before)
    assert "filler-3" not in queue.before
    assert seen.place(Message(step="ingest", task_id="t")).before == ()
