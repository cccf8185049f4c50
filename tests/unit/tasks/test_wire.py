"""What arrives of a message, whatever its sender wrote into headers and properties."""

import struct
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from amqp import serialization, spec
from amqp.basic_message import Message as AmqpMessage

from pipeline.submission.contract import MAX_BODY
from tasks import transport, wire
from tasks.confidential import OVERHEAD


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(serialization.PROPERTY_CLASSES, spec.Basic.CLASS_ID, None)
    wire.install()


def table(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = b"\x01aF" + table(inner)
    return table(inner)


def properties(flags: int, content: bytes) -> dict[str, Any]:
    message = AmqpMessage()
    header = struct.pack(">HxxQ", spec.Basic.CLASS_ID, 5) + struct.pack(">H", flags) + content
    message.inbound_header(header)
    found: dict[str, Any] = message.properties
    return found


def test_readable_properties_are_read() -> None:
    assert properties(0x8000, b"\x04text") == {"content_type": "text"}


@pytest.mark.parametrize(
    ("flags", "content"),
    [
        (0x8000, b"\x02\xff\xfe"),  # a content type that is not UTF-8
        (0x0008, b"\x01\xe9"),  # an application's name in Latin-1
        (0x2000, nested(9000)),
        (0x2000, table(b"\x01hT" + struct.pack(">Q", 2**62))),  # a date that no calendar has
        (0x2000, table(b"\x01h?")),  # an unknown type
    ],
)
def test_properties_that_cannot_be_read_end_no_worker(flags: int, content: bytes) -> None:
    assert properties(flags, content) == {"application_headers": {wire.UNREADABLE: True}}


def received(body: bytes, **props: Any) -> wire.Message:
    sent = SimpleNamespace(body=body, properties=props, delivery_tag=1, delivery_info={})
    return wire.Message(sent)


def test_a_compressed_body_stays_as_it_is_and_is_an_error() -> None:
    body = zlib.compress(b"0" * 10_000_000)
    message = received(body, application_headers={"compression": "zlib"})
    assert message.body == body
    assert message.errors


@pytest.mark.parametrize("headers", [{}, None, {"compression": ""}, {"other": 1}])
def test_other_headers_are_no_error(headers: Any) -> None:
    assert not received(b"{}", application_headers=headers).errors


def test_a_large_body_is_cut_so_that_it_is_still_seen_to_be_too_large() -> None:
    assert len(received(b"x" * (3 * MAX_BODY)).body) == MAX_BODY + 1 + OVERHEAD


def test_a_body_is_never_decoded_by_its_content_encoding() -> None:
    assert issubclass(transport.Connection.Channel, wire.Channel)
    connection = SimpleNamespace(
        _get_free_channel_id=lambda: 1, confirm_publish=False, channels={}, channel_max=1
    )
    assert not wire.Channel(connection).auto_decode


def test_a_routing_key_that_is_not_utf8_is_made_readable() -> None:
    payload = b"\0\0\0\0" + b"\x02ct" + b"\0" * 8 + b"\0" + b"\x01e" + b"\x03a\xff\xfe"
    readable = wire._readable(payload, "sLbss")
    values, _ = serialization.loads("sLbss", readable, 4)
    assert values[0] == "ct"
    assert values[4] == "a??"
    assert wire._readable(readable, "sLbss") is readable
