"""What is in an Outlook message (.msg, [MS-OXMSG]): its text, and its attachments.

A message is an OLE file: a stream for each property of variable length, named by its id and type, and one with all
the short ones. Attachments and attached messages are folders of the same form.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import olefile

from pipeline.documents import encodings, ole
from pipeline.documents.html import decode_html, html_text
from pipeline.documents.sources.base import Member
from pipeline.documents.sources.files import over_limit
from pipeline.documents.sources.mail import text_page
from pipeline.documents.sources.names import brief
from pipeline.errors import PermanentError, Unreadable, Unsupported

# Property ids of [MS-OXPROPS]
_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _TO, _CC = "0C1A", "0C1F", "5D01", "0E04", "0E03"
_LONG_NAME, _NAME, _DATA, _DISPLAY_NAME = "3707", "3704", "3701", "3001"
_SENT, _RECEIVED = 0x0039_0040, 0x0E06_0040
_UNICODE, _STRING, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_MAX_NESTED = 3


def members(data: bytes, name: str) -> list[Member]:
    """A message's text (by the name "") and attachments, with those of attached messages.

    Raises `Unsupported` for another OLE file, `Unreadable` for one that never ends; hostile bytes make olefile raise
    nearly any type.
    """
    if ole.is_endless(data):
        raise Unreadable(f"{name} is not a readable Outlook message: send it again.")
    with olefile.OleFileIO(io.BytesIO(data)) as file:
        if not file.exists("__properties_version1.0"):
            raise Unsupported(f"{name} is not an Outlook message: convert it to PDF.")
        return list(_message(file, [], name, "", 0))


def _message(
    file: olefile.OleFileIO, folder: list[str], name: str, prefix: str, depth: int
) -> Iterator[Member]:
    yield _member(prefix, _text(file, folder, name, nested=depth > 0))
    for number, place in enumerate(_attachments(file, folder), 1):
        given = _string(file, place, _LONG_NAME) or _string(file, place, _NAME)
        embedded = [*place, f"__substg1.0_{_DATA}{_OBJECT}"]
        if file.exists(embedded):
            title = given or _string(file, place, _DISPLAY_NAME) or f"message {number}"
            inner = f"{prefix}!{title}" if prefix else title
            if not file.exists([*embedded, "__properties_version1.0"]):
                yield _member(inner, Unsupported("is an object of another program: save it as a PDF."))
            elif depth >= _MAX_NESTED:
                yield _member(
                    inner, Unsupported("is too deep in other messages: save it as a file of its own.")
                )
            else:
                yield from _message(file, embedded, title, inner, depth + 1)
            continue
        data = _stream(file, place, _DATA, _BINARY)
        title = (given or f"part {number}").replace("\\", "/").rsplit("/", 1)[-1]
        missing = Unsupported("is only a link: attach the file itself.")
        yield _member(f"{prefix}!{title}" if prefix else title, missing if data is None else data)


def _attachments(file: olefile.OleFileIO, folder: list[str]) -> list[list[str]]:
    depth = len(folder)
    found = {
        path[depth]
        for path in file.listdir(streams=True, storages=True)
        if path[:depth] == folder and len(path) > depth and path[depth].startswith("__attach_version1.0_")
    }
    return [[*folder, name] for name in sorted(found)]


def _member(name: str, content: bytes | PermanentError) -> Member:
    def read(max_bytes: int) -> bytes:
        if isinstance(content, PermanentError):
            raise type(content)(
                f"{brief(name.rsplit('!', 1)[-1])} {content.message}".strip(), code=content.code
            )
        if len(content) > max_bytes:
            raise over_limit(name, max_bytes)
        return content

    return Member(name, read)


def _text(file: olefile.OleFileIO, folder: list[str], name: str, *, nested: bool) -> bytes | PermanentError:
    body = _string(file, folder, _BODY)
    if not body and (html := _stream(file, folder, _HTML, _BINARY)):
        body = html_text(decode_html(html))[0]
    body = body or html_text(_string(file, folder, _HTML))[0]
    if not body.strip() and _stream(file, folder, _RTF, _BINARY):
        subject = "" if nested else name
        return Unsupported(
            f"{subject} has its text as rich text only: save it as .eml, or print it to a PDF.".strip()
        )
    address = _string(file, folder, _SENDER_SMTP) or _string(file, folder, _SENDER_ADDRESS)
    sender = _string(file, folder, _SENDER)
    fields = [
        ("From", f"{sender} <{address}>" if "@" in address and address != sender else sender or address),
        ("To", _string(file, folder, _TO)),
        ("Cc", _string(file, folder, _CC)),
        ("Date", _sent(file, folder)),
        ("Subject", _string(file, folder, _SUBJECT)),
    ]
    return text_page(fields, body)


def _sent(file: olefile.OleFileIO, folder: list[str]) -> str:
    path = [*folder, "__properties_version1.0"]
    data: bytes = file.openstream(path).read() if file.exists(path) else b""
    times = {}
    for at in range(24 if folder else 32, len(data) - 15, 16):
        tag, _, value = struct.unpack_from("<IIQ", data, at)
        if tag in (_SENT, _RECEIVED):
            times[tag] = value
    ticks = times.get(_SENT) or times.get(_RECEIVED)
    return (_EPOCH + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%d %H:%M UTC") if ticks else ""


def _string(file: olefile.OleFileIO, folder: list[str], prop: str) -> str:
    if (data := _stream(file, folder, prop, _UNICODE)) is not None:
        return data.decode("utf-16-le", "replace").rstrip("\0")
    if (data := _stream(file, folder, prop, _STRING)) is not None:
        return encodings.decode(data.rstrip(b"\0"))
    return ""


def _stream(file: olefile.OleFileIO, folder: list[str], prop: str, kind: str) -> bytes | None:
    path = [*folder, f"__substg1.0_{prop}{kind}"]
    if not file.exists(path):
        return None
    data: bytes = file.openstream(path).read()
    return data
