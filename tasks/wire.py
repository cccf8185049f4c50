"""What py-amqp and kombu do with a message before any handler: nothing that its sender chooses by a header.

Out of the box, kombu unpacks what a header `compression` names, without a limit; py-amqp decodes a body as the property
`content_encoding` says; and a header or property that py-amqp cannot read (a text that is not UTF-8, a date after the
year 9999, tables nested a thousand deep) raises in the event loop and ends the worker, and the next one that gets the
message, too. Here each message arrives with its bytes as they were sent, and an oversized body is cut.
"""

from __future__ import annotations

import sys
from typing import Any

from amqp import serialization, spec
from kombu.exceptions import ContentDisallowed
from kombu.transport import pyamqp

from pipeline.submission.contract import MAX_BODY
from tasks.confidential import OVERHEAD

_KEPT = (
    MAX_BODY + 1 + OVERHEAD
)  # bytes of a body: enough to see that it is too large, and to decrypt a dead letter

UNREADABLE = "x-unreadable"
"""The only header of a message whose headers and properties could not be read."""

_decode_properties = serialization.decode_properties_basic


def _properties(buffer: bytes, offset: int) -> tuple[dict[str, Any], int]:
    """Properties and headers of a message; a mark where they cannot be read."""
    try:
        found: tuple[dict[str, Any], int] = _decode_properties(buffer, offset)
    except Exception:  # whatever py-amqp makes of it: the message must arrive
        return {"application_headers": {UNREADABLE: True}}, len(buffer)
    return found


class Message(pyamqp.Message):
    """A message as it was sent: never unpacked, and cut after 1 MiB.

    One whose header asks for unpacking has an error instead: nothing of ours is sent like that.
    """

    def __init__(self, msg: Any, channel: Any = None, **kwargs: Any) -> None:
        headers = msg.properties.get("application_headers")
        if not isinstance(headers, dict):
            msg.properties["application_headers"] = headers = {}
        if headers.get("compression"):
            try:
                raise ContentDisallowed("compressed messages are not unpacked")
            except ContentDisallowed:
                self.errors = [sys.exc_info()]
        if len(msg.body) > _KEPT:
            msg.body = msg.body[:_KEPT]
        super().__init__(msg, channel=channel, **kwargs)


class Channel(pyamqp.Channel):
    """A channel whose messages are `Message`s, with bodies of bytes."""

    Message = Message

    def __init__(
        self, connection: Any, channel_id: Any = None, auto_decode: bool = False, on_open: Any = None
    ) -> None:
        super().__init__(connection, channel_id, auto_decode=auto_decode, on_open=on_open)

    def dispatch_method(self, method_sig: tuple[int, int], payload: bytes, content: Any) -> Any:
        """Handle a frame; a routing key need not be UTF-8."""
        if content is not None and method_sig in (spec.Basic.Deliver, spec.Basic.GetOk, spec.Basic.Return):
            payload = _readable(payload, self._METHODS[method_sig].args)
        return super().dispatch_method(method_sig, payload, content)


_SIZES = {"b": 1, "B": 2, "l": 4, "L": 8}


def _readable(payload: bytes, arguments: str) -> bytes:
    """The arguments of a method, with `?` for each byte of a text that is not UTF-8."""
    if bytes(payload).isascii():
        return payload
    readable, offset = bytearray(payload), 4
    for kind in arguments:
        if kind != "s":
            offset += _SIZES[kind]
            continue
        start, offset = offset + 1, offset + 1 + payload[offset]
        text = bytes(payload[start:offset])
        try:
            text.decode()
        except UnicodeDecodeError:
            readable[start:offset] = bytes(byte if byte < 128 else ord("?") for byte in text)
    return bytes(readable)


def install() -> None:
    """Read all properties in this process this way; `tasks.transport` uses the channel."""
    serialization.PROPERTY_CLASSES[spec.Basic.CLASS_ID] = _properties
