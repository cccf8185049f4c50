"""What is in an e-mail (RFC 5322, MIME): its text, and its attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, Message, MIMEPart
from email.parser import BytesParser
from functools import partial

from pipeline.documents import encodings
from pipeline.documents.html import html_text
from pipeline.documents.sources.base import Kind, Member
from pipeline.documents.sources.files import over_limit
from pipeline.errors import OverLimit, Unreadable, Unsupported

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_SIGNATURES = ("smime.p7s", "signature.asc", "signature.p7s")
_ENCRYPTED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")
# The header of the e-mail, and that of each part: right after a boundary.
_HEADERS = re.compile(rb"(?:\A|\n--[^\n]*\n)(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_DELIMITER = re.compile(rb"[\r\n]--([^\r\n]{1,80})")
_BOUNDARY = re.compile(rb"boundary\s*=\s*\"?([^\"\s;]{1,70})", re.IGNORECASE)
MAX_PARTS = 20_000
"""Parts of an e-mail: parsing takes some tenths of a millisecond for each."""
MAX_LEVELS = 500
"""Different boundaries of parts in each other or side by side."""
MAX_NESTED = 100
"""Parts in each other: each line is compared with the boundaries of all parts around it."""
MAX_FIELD = 16_384
"""Bytes of one field of a header; the rest of it is cut off, since parsing takes the square of its length."""
_STUB = 3
"""Plain text is not what the e-mail says if it is this many times shorter than the same in HTML."""
_SUFFIX = {"message/rfc822": ".eml", "text/html": ".html", "text/plain": ".txt", "text/calendar": ".ics"}


def members(data: bytes, name: str) -> list[Member]:
    """An e-mail's text (by the name "") and attachments; raises `Unreadable`, `Unsupported` or `OverLimit`.

    Hostile headers make the standard library's parser raise nearly any other type.
    """
    if data.startswith(b"From ") and data.count(b"\n\nFrom ") + data.count(b"\n\r\nFrom "):
        raise Unsupported(f"{name} is a mailbox with several e-mails: save each one as an .eml file.")
    _check_parts(data, name)
    data = _HEADERS.sub(lambda block: _in_utf8(_bounded(block[0])), data)
    try:
        message = BytesParser(policy=policy.default).parsebytes(data)
        if not message.keys():
            raise Unreadable(f"{name} is not a readable e-mail: save it again as an .eml file.")
        return list(_members(message, name))
    except RecursionError:  # e-mails in e-mails need no boundaries
        raise _too_deep(name) from None


def text_page(fields: list[tuple[str, str]], body: str) -> bytes:
    """The text of an e-mail as a document: who wrote to whom when, and what.

    The byte order mark says that it is text, whatever it looks like.
    """
    head = "".join(f"{name}: {' '.join(value.split())}\n" for name, value in fields if value)
    return f"{head}\n{body}\n".encode("utf-8-sig", "replace")


def _check_parts(data: bytes, name: str) -> None:
    boundaries = set(_BOUNDARY.findall(data))
    first, last, parts = dict[bytes, int](), dict[bytes, int](), 0
    for found in _DELIMITER.finditer(data):
        line = found[1].rstrip()
        mark = line if line in boundaries else line.removesuffix(b"--")
        if mark in boundaries:
            parts += 1
            first.setdefault(mark, found.start())
            if mark != line:
                last[mark] = found.start()
    if _depth(first, last, len(data)) > MAX_NESTED:
        raise _too_deep(name)
    if parts > MAX_PARTS:
        raise OverLimit(f"{name} has more than {MAX_PARTS:,} parts: save its attachments and send those.")
    if len(boundaries) > MAX_LEVELS:
        raise OverLimit(
            f"{name} has more than {MAX_LEVELS} groups of parts: save its attachments and send those."
        )


def _depth(first: dict[bytes, int], last: dict[bytes, int], end: int) -> int:
    """How many parts are in each other, by where each boundary is met first and last; at the end if it never is."""
    depth = deepest = 0
    for _, step in sorted(
        [*((at, 1) for at in first.values()), *((last.get(mark, end), -1) for mark in first)]
    ):
        depth += step
        deepest = max(deepest, depth)
    return deepest


def _too_deep(name: str) -> OverLimit:
    return OverLimit(f"{name} is nested too deeply: save the e-mails inside and send those.")


def _bounded(header: bytes) -> bytes:
    """A header without the end of fields that are too long."""
    if len(header) <= MAX_FIELD:
        return header
    fields = re.split(rb"\n(?![ \t])", header)
    return b"\n".join(field if len(field) <= MAX_FIELD else field[:MAX_FIELD] for field in fields)


def _in_utf8(header: bytes) -> bytes:
    """A header with names in another encoding than the standard allows, as old programs write them."""
    if header.isascii():
        return header
    encoding, _ = encodings.most_plausible(header, encodings.COMMON)
    return header.decode(encoding or "cp1252", "replace").encode()


def is_signature(name: str) -> bool:
    """Whether an attachment is the signature of its e-mail."""
    return name.rsplit("/", 1)[-1].lower() in _SIGNATURES


def _members(message: EmailMessage, name: str) -> Iterator[Member]:
    if message.get_content_type() in _ENCRYPTED and "signed" not in str(message.get_param("smime-type", "")):
        raise Unsupported(
            f"{name} is an encrypted e-mail: open it in a mail program and save it without encryption.",
            code="encrypted",
        )
    body = message.get_body(("plain", "html"))
    yield Member("", partial(_text, message, name))
    number, alternatives = 0, _alternatives(message, body)
    for part in _leaves(message):
        if part is body or id(part) in alternatives:
            continue
        number += 1
        kind: Kind | None = "mail" if part.get_content_type() == "message/rfc822" else None
        title = _name(part, number)
        yield Member(title, partial(_attachment, part, title), kind)


def _leaves(message: MIMEPart) -> Iterator[MIMEPart]:
    """All parts that hold something; an attached e-mail is one part."""
    waiting: list[MIMEPart] = [message]  # the next one last
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(list(part.iter_parts()))
        else:
            yield part


def _alternatives(message: EmailMessage, body: MIMEPart | None) -> set[int]:
    """Ids of the parts that show the same text as the body in another form."""
    same: set[int] = set()
    for holder in message.walk():
        if holder.get_content_type() == "multipart/alternative":
            inside = list(holder.walk())
            if any(part is body for part in inside):
                texts = (p for p in inside if p.get_content_type() in ("text/plain", "text/html"))
                same.update(id(part) for part in texts if not part.get_filename())
    return same


def _name(part: MIMEPart, number: int) -> str:
    name = (part.get_filename() or "").replace("\\", "/").rsplit("/", 1)[-1].strip()
    if name:
        return name
    subject = ""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload(0) if part.is_multipart() else None
        subject = str(inner.get("Subject", "")) if isinstance(inner, Message) else ""
        subject = "".join(c for c in subject if c not in "/\\\r\n")[:60]
    suffix = _SUFFIX.get(part.get_content_type(), "")
    return f"{subject.strip() or f'part {number}'}{suffix}"


def _text(message: EmailMessage, name: str, max_bytes: int) -> bytes:
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    text = _decoded(plain) if plain is not None else ""
    if html is not None:
        shown, _ = html_text(_decoded(html))
        if len(shown) > _STUB * len(text.strip()):
            text = shown
    data = text_page([(field, str(message.get(field, ""))) for field in _SHOWN], text)
    if len(data) > max_bytes:
        raise over_limit(name, max_bytes)
    return data


def _decoded(part: MIMEPart) -> str:
    data = _payload(part)
    charset = str(part.get_content_charset("") or "")
    if charset in ("", "us-ascii", "gb2312"):  # often untrue: guessed from the bytes
        charset = "gb18030" if charset == "gb2312" else ""
    try:
        return data.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return encodings.decode(data)


def _payload(part: MIMEPart) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _attachment(part: MIMEPart, name: str, max_bytes: int) -> bytes:
    inner = part.get_payload() if part.is_multipart() else None
    if isinstance(inner, list):  # an attached e-mail, a delivery report
        data = b"\n".join(each.as_bytes() for each in inner if isinstance(each, Message))
    elif part.get_content_maintype() == "text" and not part.get_filename():
        data = _decoded(part).encode("utf-8-sig", "replace")  # a part of the text, whatever it looks like
    else:
        data = _payload(part)
    if len(data) > max_bytes:
        raise over_limit(name, max_bytes)
    return data
