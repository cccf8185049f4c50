"""With several brokers, those that have failed come last, each is tried, and what is said names all."""

from collections.abc import Iterator

import pytest
from amqp.exceptions import InternalError, NotFound

from tasks import broker, brokers
from tasks.transport import OutOfTime, Silent, Unconfirmed

URLS = ("amqp://u:secret@a:1/v", "amqp://u:secret@b/v", "amqps://u:secret@c/v")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    brokers._failed.clear()
    yield
    brokers._failed.clear()


def test_the_order_is_the_given_one_then_that_of_the_failures() -> None:
    assert brokers.in_order(URLS) == list(URLS)
    brokers.failed("a:1")
    brokers.failed("b:5672")
    assert brokers.in_order(URLS) == [URLS[2], URLS[0], URLS[1]]
    brokers.succeeded("a:1")
    assert brokers.in_order(URLS) == [URLS[0], URLS[2], URLS[1]]


def test_a_sentence_names_all_brokers_and_no_password() -> None:
    connection = brokers.Connection(";".join(URLS))
    said = broker.trouble(ConnectionRefusedError(), brokers.shown(connection)).sentence
    assert "a:1, b:5672, c:5671" in said
    assert "secret" not in said
    assert brokers.shown(brokers.Connection(URLS[0])) == "amqp://u:**@a:1/v"


def test_each_broker_is_tried_however_few_attempts_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def refuse(self: brokers.Connection) -> None:
        tried.append(str(self.hostname))
        raise ConnectionRefusedError

    monkeypatch.setattr(brokers.Connection, "_establish_connection", refuse)
    with pytest.raises(ConnectionRefusedError):
        brokers.Connection(";".join(URLS)).connect()
    assert tried == ["a", "b", "c"]


def test_a_connection_begins_with_a_broker_that_has_not_failed() -> None:
    connection = brokers.Connection(";".join(URLS))
    brokers.failed("a:1")
    connection._begin()
    assert (connection.hostname, connection.password) == ("b", "secret")
    connection.maybe_switch_next()
    assert connection.hostname == "c"


LATE = OutOfTime("late")
LATE.unconfirmed = True
ASKED = Silent("nothing")
ASKED.queue = "inference_tasks"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InternalError("Cannot get a message from queue 'q': nodedown"), "without a majority of their nodes"),
        (Unconfirmed("no"), "confirms no messages"),
        (LATE, "confirms no messages"),
        (ASKED, 'has not answered about the queue "inference_tasks"'),
        (
            NotFound("NOT_FOUND - home node 'r@n1' of durable queue 'inference_tasks' in vhost '/' is down"),
            'The queue "inference_tasks" is on one node alone, n1, which is down',
        ),
    ],
)
def test_a_cluster_without_a_majority_is_said_to_be_one_and_waited_for(error: Exception, said: str) -> None:
    found = broker.trouble(error, "a:1, b:5672")
    assert said in found.sentence
    assert "Nothing is lost" in found.sentence
    assert not found.lasting
