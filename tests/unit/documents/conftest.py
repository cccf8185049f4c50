"""PDFs built object by object, so that each test shows what is special about its file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import pytest

PASSWORD_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def build_pdf(
    content: bytes | Iterable[bytes] = b"",
    *,
    box: bytes = b"0 0 400 300",
    page: bytes = b"",
    resources: bytes = b"",
    extra: Iterable[bytes] = (),
    root: bytes = b"",
    user_password: bytes | None = None,
) -> bytes:
    """Write a PDF with one page per content; objects 1-3 are catalog, page tree and Helvetica, 4.. `extra`."""
    contents = [content] if isinstance(content, bytes) else list(content)
    extra = list(extra)
    first = 4 + len(extra)
    kids = b" ".join(b"%d 0 R" % (first + 2 * i) for i in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + root + b">>",
        b"<</Type/Pages/Kids[" + kids + b"]/Count %d>>" % len(contents),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *extra,
    ]
    identity, trailer, key = b"0123456789abcdef", b"", b""
    if user_password is not None:
        key, trailer = _security(user_password, b"owner", identity)
    for text in contents:
        number = len(objects) + 2
        stream = (
            _rc4(hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], text)
            if key
            else text
        )
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox["
            + box
            + b"]/Contents %d 0 R" % number
            + b"/Resources<</Font<</F1 3 0 R>>"
            + resources
            + b">>"
            + page
            + b">>",
            b"<</Length %d>>stream\n" % len(stream) + stream + b"\nendstream",
        ]
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n" % size
        + table
        + b"trailer<</Size %d/Root 1 0 R/ID[<%s><%s>]"
        % (size, identity.hex().encode(), identity.hex().encode())
        + trailer
        + b">>\nstartxref\n%d\n%%%%EOF" % len(out)
    )


def _security(user: bytes, owner: bytes, identity: bytes) -> tuple[bytes, bytes]:
    """Standard security handler, revision 2, 40-bit RC4 (PDF 1.7, 7.6.3): file key and /Encrypt."""
    permissions = -4
    user, owner = (user + PASSWORD_PADDING)[:32], (owner + PASSWORD_PADDING)[:32]
    o = _rc4(hashlib.md5(owner).digest()[:5], user)
    key = hashlib.md5(user + o + permissions.to_bytes(4, "little", signed=True) + identity).digest()[:5]
    u = _rc4(key, PASSWORD_PADDING)
    entries = (o.hex().encode(), u.hex().encode(), permissions)
    return key, b"/Encrypt<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % entries


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


@pytest.fixture
def make_pdf() -> Callable[..., bytes]:
    return build_pdf
