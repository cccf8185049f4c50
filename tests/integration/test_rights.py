"""What each role may do at a real RabbitMQ with the shipped definitions: the table in the docs is what is found."""

import base64
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pika
import pytest

from tests.conftest import ROOT
from tests.support import roles
from tests.support.servers.rabbit import Rabbit

REPLIES, EVENTS = "{}.reply.celery.pidbox", "celeryev.{}"
"""Queues that some role may declare."""
DOC = ROOT / "docs" / "how-to" / "rights.md"


@pytest.fixture(scope="module")
def server(rabbit: Rabbit, tmp_path_factory: pytest.TempPathFactory) -> Rabbit:
    roles.import_definitions(rabbit, tmp_path_factory.mktemp("definitions"))
    return rabbit


def send(exchange: str, key: str = "") -> Callable[[Any], None]:
    def act(channel: Any) -> None:
        channel.confirm_delivery()
        channel.basic_publish(exchange, key, b"{}")

    return act


def read(queue: str) -> Callable[[Any], None]:
    def act(channel: Any) -> None:
        method, _, _ = channel.basic_get(queue)
        if method:
            channel.basic_nack(method.delivery_tag)

    return act


def read_from(exchange: str, key: str = "#", names: str = REPLIES) -> Callable[[Any], None]:
    """Bind a queue of its own to an exchange; `names` is the form of its name."""

    def act(channel: Any) -> None:
        name = names.format(uuid.uuid4())
        channel.queue_declare(name, auto_delete=True, exclusive=True)
        channel.queue_bind(name, exchange, key)
        channel.basic_get(name)

    return act


def copy(channel: Any) -> None:
    try:
        read_from("nightshift", "step.ocr")(channel)
    except pika.exceptions.ChannelClosedByBroker:
        read_from("nightshift", "step.ocr", EVENTS)(channel.connection.channel())


def declare(channel: Any) -> None:
    channel.queue_declare("inference_tasks", durable=True)


def declare_other(channel: Any) -> None:
    channel.queue_declare("other", durable=True)


def count(channel: Any) -> None:
    channel.queue_declare("ocr", passive=True)


COUNT = "count the messages of a queue (up to RabbitMQ 4.2 everyone may)"
AT_THE_BROKER: dict[str, Callable[[Any], None]] = {
    "send raw messages (exchange `nightshift`, routing key `task_type.document`)": send(
        "nightshift", "task_type.x"
    ),
    "send messages of steps (exchange `nightshift`, routing key `step.ocr`)": send("nightshift", "step.none"),
    "send to a queue by its name (the default exchange)": send("", "none"),
    "send to the retry queues": send("nightshift.retry-300", "step.none"),
    "write dead letters": send("nightshift.dead"),
    "send remote control commands to workers": send("celery.pidbox"),
    "send events": send("celeryev", "none"),
    "read raw messages": read("inference_tasks"),
    "read messages of steps": read("ocr"),
    "read and remove dead letters": read("dead"),
    "read replies to its own remote control commands": read_from("reply.celery.pidbox"),
    "read events": read_from("celeryev", names=EVENTS),
    "copy messages of steps as they are sent": copy,
    "declare and delete Nightshift's queues": declare,
    "declare other queues": declare_other,
    COUNT: count,
}
IN_MANAGEMENT = {
    "see rates, queues and connections in the management API": ("GET", "nodes"),
    "change users and permissions in the management API": ("DELETE", "users/nightshift-none"),
}


def may(server: Rabbit, role: str, act: Callable[[Any], None]) -> bool:
    connection = pika.BlockingConnection(pika.URLParameters(roles.url(server, role)))
    try:
        act(connection.channel())
    except pika.exceptions.ChannelClosedByBroker as error:
        if error.reply_code != 403:
            raise
        return False
    finally:
        connection.close()
    return True


def may_manage(server: Rabbit, role: str, method: str, path: str) -> bool:
    login = base64.b64encode(f"nightshift-{role}:{roles.password(role)}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.management_port}/api/{path}",
        headers={"Authorization": f"Basic {login}"},
        method=method,
    )
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 401:
            raise
        return False
    return True


def test_each_role_may_do_what_the_docs_say_and_nothing_else(server: Rabbit) -> None:
    found = {
        what: [may(server, role, act) for role in roles.ROLES] for what, act in AT_THE_BROKER.items()
    } | {
        what: [may_manage(server, role, *request) for role in roles.ROLES]
        for what, request in IN_MANAGEMENT.items()
    }
    if server.version < (4, 3):  # when anyone may
        assert found[COUNT].pop(0)
        found[COUNT].insert(0, False)
    lines = [
        f"| | {' | '.join(roles.ROLES)} |",
        f"| --- |{' --- |' * len(roles.ROLES)}",
        *(
            f"| {what} | {' | '.join('yes' if one else 'no' for one in each)} |"
            for what, each in found.items()
        ),
    ]
    table = "\n".join(lines)
    assert table in DOC.read_text(), f"docs/how-to/rights.md must say:\n{table}"


@pytest.mark.parametrize("role", roles.ROLES)
def test_without_its_password_nobody_gets_in(server: Rabbit, role: str) -> None:
    parameters = pika.URLParameters(roles.url(server, role))
    parameters.credentials = pika.PlainCredentials(f"nightshift-{role}", "")
    with pytest.raises(
        (pika.exceptions.ProbableAuthenticationError, pika.exceptions.ProbableAccessDeniedError)
    ):
        pika.BlockingConnection(parameters)
