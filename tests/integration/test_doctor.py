"""`nightshift doctor` with a real RabbitMQ and a real S3 server: well, and each fault that they can have."""

import time
from pathlib import Path
from typing import Any

import pika
import pytest
from celery import Celery
from kombu import pools

from pipeline.doctor import certificates, pages, store
from pipeline.doctor.finding import Finding
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, open_store
from tasks import client, doctor, routing, topology
from tests.support import roles
from tests.support.command import nightshift
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.swift import Swift

SETTINGS = Settings.from_env({}, remote_control="off")


def app_of(url: str) -> Celery:
    client.celery()  # which bounds the waits of every connection of this process
    app = Celery(broker=url, set_as_current=False, control="tasks.control:Control")
    app.conf.broker_transport_options = {"confirm_publish": True}
    app.conf.task_queues = [*routing.WORK_QUEUES, routing.RAW_QUEUE]
    return app


def look(url: str, settings: Settings = SETTINGS) -> dict[str, Finding]:
    with app_of(url) as app:
        try:
            return {one.check: one for one in doctor.check(app, settings)}
        finally:
            pools.reset()


@pytest.fixture
def declared(broker: str) -> str:
    with app_of(broker).connection_for_write() as connection:
        topology.declare(connection)
    return broker


def levels(found: dict[str, Finding]) -> dict[str, str]:
    return {name: one.level for name, one in found.items() if one.level != "ok"}


def test_a_broker_that_is_well(declared: str) -> None:
    found = look(declared)
    assert levels(found) == {}
    assert "RabbitMQ 3" in found["broker"].sentence or "RabbitMQ 4" in found["broker"].sentence
    assert "guest:guest" not in found["broker"].sentence
    assert found["broker rights"].sentence == 'The user "guest" has the rights of a worker.'
    assert found["broker queues"].sentence.endswith("with the arguments that Nightshift declares.")


def test_a_broker_on_which_nothing_is_declared_yet_and_no_worker_answers(broker: str) -> None:
    found = look(broker)
    assert levels(found) == {"broker rights": "warning", "broker queues": "warning"}
    with (
        pika.BlockingConnection(pika.URLParameters(broker)) as connection,
        pytest.raises(pika.exceptions.ChannelClosedByBroker, match="no queue"),
    ):
        connection.channel().queue_declare("ocr", passive=True)


def test_no_worker_answers(declared: str) -> None:
    found = look(declared, Settings.from_env({}))
    assert found["workers"].sentence == "No worker answers."
    assert found["workers"].level == "fault"


def test_a_queue_with_other_arguments_and_dead_letters(declared: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(declared)) as connection:
        channel = connection.channel()
        channel.queue_delete("result")
        channel.queue_declare("result", durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", "dead", b"odd")
    found = look(declared)
    assert levels(found) == {"broker queues": "fault", "dead letters": "warning"}
    assert 'The queue "result" exists with another x-' in found["broker queues"].sentence
    assert "nightshift queues migrate" in found["broker queues"].cure + found["broker queues"].sentence
    with pika.BlockingConnection(pika.URLParameters(declared)) as connection:
        assert connection.channel().queue_declare("dead", passive=True).method.message_count == 1


def test_an_alarm(declared: str, rabbit: Rabbit) -> None:
    rabbit.alarm(True)
    try:
        wait_for(lambda: look(declared)["broker alarm"].level == "fault", "the alarm to be seen", 30)
    finally:
        rabbit.alarm(False)
    wait_for(lambda: look(declared)["broker alarm"].level == "ok", "the alarm to end", 30)


def test_wrong_password_and_no_server(declared: str) -> None:
    (wrong,) = look(declared.replace("guest:guest", "guest:wrong")).values()
    assert (wrong.level, "rejects the user name or password" in wrong.sentence) == ("fault", True)
    (gone,) = look("amqp://guest:guest@127.0.0.1:1//").values()
    assert (gone.level, "does not answer" in gone.sentence) == ("fault", True)


def test_the_rights_of_each_role(rabbit: Rabbit, tmp_path: Path) -> None:
    roles.import_definitions(rabbit, tmp_path)
    with app_of(roles.url(rabbit, "worker")).connection_for_write() as connection:
        topology.declare(connection)
    said = {role: look(roles.url(rabbit, role)) for role in roles.ROLES}
    for role, found in said.items():
        assert found["broker rights"].level == "ok", role
        assert f"nightshift-{role}" in found["broker rights"].sentence
        assert found["broker queues"].level == "ok", role
    rabbit.ctl("set_permissions", "-p", roles.VHOST, "nightshift-worker", "^$", "^nightshift$", ".*")
    try:
        rights = look(roles.url(rabbit, "worker"))["broker rights"]
        assert rights.level == "fault"
        assert rights.sentence == (
            'The user "nightshift-worker" may not declare queues, send retries, write dead letters, as a worker must.'
        )
        assert "docs/how-to/rights.md" in rights.cure
    finally:
        roles.import_definitions(rabbit, tmp_path)


def test_a_page_of_the_management_plugin(rabbit: Rabbit) -> None:
    one, other = pages.check([f"http://127.0.0.1:{rabbit.management_port}/", "http://127.0.0.1:1/"])
    assert (one.level, other.level) == ("ok", "fault")


def test_certificates_of_the_broker(rabbit: Rabbit) -> None:
    url = f"amqps://guest:guest@127.0.0.1:{rabbit.tls_port}//"
    (unknown,) = certificates.check(Settings.from_env({}, broker_url=url))
    assert (unknown.level, "not trusted here" in unknown.sentence) == ("fault", True)


def test_an_s3_store(bucket: str, s3: Swift) -> None:
    opened = open_store(f"s3://{bucket}/some/prefix", Settings.from_env())
    assert isinstance(opened, EncryptedStore)
    found = {one.check: one for one in store.check(opened)}
    assert levels(found) == {}
    assert "supported" in found["store conditions"].sentence
    assert found["store clock"].sentence == "This machine's clock agrees with the store's."
    assert not list(opened.list("doctor"))


def test_the_command_ends_in_time_with_servers_that_never_answer(tmp_path: Path) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        port = silent.getsockname()[1]
        began = time.monotonic()
        env: dict[str, Any] = {
            "NIGHTSHIFT_STORE_URL": "s3://bucket/a",
            "NIGHTSHIFT_S3_ENDPOINT": f"http://127.0.0.1:{port}",
            "NIGHTSHIFT_BROKER_URL": f"amqp://a:b@127.0.0.1:{port}//",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        done = nightshift("doctor", "--reach", f"http://127.0.0.1:{port}/", **env)
        took = time.monotonic() - began
    assert done.returncode == 1, done.stderr
    assert "FAULT    store" in done.stdout
    assert "FAULT    broker" in done.stdout
    assert took < 35, "30 s, and a busy machine"
