"""Waiting for a broker that says nothing, on socket pairs."""

import logging
import socket
import time
from collections.abc import Iterator
from struct import pack
from types import SimpleNamespace
from typing import Any

import pytest
from amqp import spec
from amqp.serialization import dumps

from pipeline.errors import BrokerUnavailable
from tasks import client, pulse, transport
from tasks.transport import Alarm, Connection, OutOfTime, Silent, within


def frame(kind: int, payload: bytes, channel: int = 0) -> bytes:
    return pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(sig: tuple[int, int], args: bytes = b"", channel: int = 0) -> bytes:
    return frame(1, pack(">HH", *sig) + args, channel)


HEARTBEAT = frame(8, b"")
BLOCKED = method(spec.Connection.Blocked, dumps("s", ["low on memory"]))
UNBLOCKED = method(spec.Connection.Unblocked)


class Line:
    """A connection whose handshake is over, with one channel, and the broker's end of it."""

    def __init__(self, *, confirm: bool = True) -> None:
        ours, self.broker = socket.socketpair()
        self.connection = Connection(confirm_publish=confirm)
        wire = transport._Tcp("localhost:1")
        wire.sock = ours
        wire._setup_transport()
        wire.connected = True
        ours.settimeout(0.5)
        connection: Any = self.connection
        connection._transport = wire
        connection.on_inbound_frame = connection.frame_handler_cls(connection, connection.on_inbound_method)
        connection.frame_writer = connection.frame_writer_cls(connection, wire)
        connection.client_properties["capabilities"] = {"connection.blocked": True}
        self.broker.sendall(method(spec.Channel.OpenOk, dumps("L", [0]), 1))
        self.channel = connection.channel(1)

    def publish(self) -> None:
        self.channel._confirm_selected = True
        self.channel.basic_publish(self.channel.prepare_message(b"x"), routing_key="q")

    def close(self) -> None:
        self.connection.collect()
        self.broker.close()


@pytest.fixture
def line() -> Iterator[Line]:
    it = Line()
    yield it
    it.close()


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_patience", 0.0)


def test_a_confirmation_that_never_comes_ends_the_connection(line: Line) -> None:
    started = time.monotonic()
    with within(10, reply=0.3), pytest.raises(Silent):
        line.publish()
    assert 0.2 < time.monotonic() - started < 2
    assert not line.connection.connected, "a late confirmation would be taken for that of the next message"


def test_heartbeats_are_no_answer(line: Line) -> None:
    line.broker.sendall(HEARTBEAT * 3)
    with within(10, reply=0.3), pytest.raises(Silent):
        line.channel.queue_declare("q", passive=True)


def test_after_the_time_of_a_command_nothing_is_tried_again(line: Line) -> None:
    with within(0.3), pytest.raises(OutOfTime):
        line.publish()
    assert OutOfTime not in Connection.recoverable_connection_errors
    assert not issubclass(OutOfTime, Connection.recoverable_connection_errors)


def test_an_alarm_is_named_at_once_by_a_command(line: Line) -> None:
    line.broker.sendall(BLOCKED)
    with pytest.raises(Alarm, match=r"in alarm \(low on memory\)"):
        line.publish()


def test_a_step_waits_for_the_end_of_a_short_alarm(line: Line) -> None:
    transport.wait_in_alarm(5)
    confirmed = method(spec.Basic.Ack, dumps("Lb", [1, False]), 1)
    line.broker.sendall(BLOCKED + UNBLOCKED + confirmed)
    with within(10, reply=0.3):
        line.publish()
    assert line.connection.blocked == ""


def test_a_step_does_not_wait_for_the_end_of_a_long_one(line: Line) -> None:
    transport.wait_in_alarm(0.5)
    line.broker.sendall(BLOCKED)
    with within(10, reply=0.1), pytest.raises(Alarm):
        line.publish()


def test_an_event_is_dropped_in_an_alarm() -> None:
    line = Line(confirm=False)
    line.broker.sendall(BLOCKED)
    line.channel.basic_publish(
        line.channel.prepare_message(b"x"), routing_key="q"
    )  # reads that it is blocked
    line.broker.recv(10_000)
    line.channel.basic_publish(line.channel.prepare_message(b"x"), routing_key="q")
    line.broker.setblocking(False)
    with pytest.raises(BlockingIOError):
        line.broker.recv(1)
    line.close()


def test_the_rest_of_a_frame_is_not_waited_for_in_the_event_loop(line: Line) -> None:
    line.broker.sendall(BLOCKED[:20])
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            line.connection.drain_events(timeout=0)
    assert time.monotonic() - started < 0.2
    line.broker.sendall(BLOCKED[20:])
    line.connection.drain_events(timeout=0)
    assert line.connection.blocked == "low on memory", "no byte is lost"


def test_a_peer_that_takes_nothing_ends_the_connection(line: Line) -> None:
    def fill() -> None:
        for _ in range(1000):
            line.connection.frame_writer(1, 1, (60, 40), b"x" * 100_000, None)

    with pytest.raises(Silent):
        fill()
    assert not line.connection.connected, "half a frame may have been sent"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Alarm("RabbitMQ is in alarm (low on disk) and"), "in alarm (low on disk)"),
        (Silent("nothing"), "RabbitMQ at amqp://broker does not answer (Silent)"),
        (OutOfTime("late"), "RabbitMQ at amqp://broker does not answer (OutOfTime)"),
    ],
)
def test_a_command_says_it_in_one_sentence(error: Exception, sentence: str) -> None:
    app = SimpleNamespace(
        connection_for_write=lambda: SimpleNamespace(alt=(), as_uri=lambda: "amqp://broker")
    )
    with pytest.raises(BrokerUnavailable) as raised, client.errors(app):
        raise error
    assert sentence in raised.value.message


def test_the_main_thread_shows_that_it_lives_with_each_frame(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    before = pulse.beats()
    line.broker.sendall(UNBLOCKED)
    line.connection.drain_events(timeout=1)
    assert pulse.beats() > before


def test_a_connection_that_is_known_to_be_blocked_is_not_waited_for(line: Line) -> None:
    line.connection.blocked = "low on memory"
    with pytest.raises(Alarm):
        line.publish()


def test_a_process_that_ends_in_an_alarm_does_not_wait_for_a_farewell(line: Line) -> None:
    transport.wait_in_alarm(60)
    line.connection.blocked = "low on memory"
    started = time.monotonic()
    line.channel.close()
    line.connection.close()
    assert time.monotonic() - started < 1
    assert not line.connection.connected
