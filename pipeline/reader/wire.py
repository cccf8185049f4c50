"""What a reader process and its parent exchange: JSON for structure, raw bytes for files and pixels.

JSON, since it carries neither code nor numbers that are not finite: an answer is not trusted. Each message is a head of
two lengths, the JSON, and as many bytes as the second length says.
"""

from __future__ import annotations

import struct
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from pipeline.documents.base import Rect, Suspect
from pipeline.limits import Limits
from pipeline.models import Code, Rotation, TextLine

HEAD = struct.Struct("<IQ")
MAX_JSON = 64 * 1024 * 1024
"""Bytes: a page of 200,000 characters has a third of it, three XML invoices a quarter."""

Count = Annotated[int, Meta(ge=1, le=10_000_000)]
Side = Annotated[int, Meta(ge=1, le=1_000_000)]
Sentence = Annotated[str, Meta(max_length=2000)]

T = TypeVar("T")
Few = Annotated[tuple[T, ...], Meta(max_length=1000)]


class Open(msgspec.Struct, frozen=True, tag=True):
    """Open the document that follows, in place of the one before."""

    limits: Limits


class Read(msgspec.Struct, frozen=True, tag=True):
    """Return a page."""

    number: int


class Render(msgspec.Struct, frozen=True, tag=True):
    """Draw a page."""

    number: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The reader is confined, apart from these layers, and waits."""

    missing: tuple[str, ...]


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The document is open."""

    media_type: Sentence
    page_count: Count


class Drawn(msgspec.Struct, frozen=True, tag=True):
    """The size of the picture that follows: RGB, 8 bits per channel."""

    height: Side
    width: Side


class ReadPage(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A `PageInput` without its picture, which follows if `drawn` is set."""

    width: Side
    height: Side
    drawn: Drawn | None = None
    lines: Annotated[tuple[TextLine, ...], Meta(max_length=200_000)] | None = None
    regions: Few[Rect] = ()
    suspects: Few[Suspect] = ()
    rotation: Rotation = 0
    unread: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    warnings: Few[Sentence] = ()
    dpi: float | None = None
    codes: Few[Code] = ()
    tiled: bool = False


class Failed(msgspec.Struct, frozen=True, tag=True):
    """What was raised: the class of an error of `pipeline.errors`, or of any other, and where."""

    kind: Sentence
    message: Sentence
    code: Annotated[str, Meta(pattern="^[a-z_]{0,40}$")] = ""


Request = Open | Read | Render
Answer = Ready | Opened | Drawn | ReadPage | Failed

decode_request = msgspec.json.Decoder(Request).decode
decode_answer = msgspec.json.Decoder(Answer).decode


def framed(message: Request | Answer, body: int = 0) -> bytes:
    """A message before its body of so many bytes."""
    text = msgspec.json.encode(message)
    return HEAD.pack(len(text), body) + text
