"""One encrypted object of any size: AES-256-GCM in chunks of 1 MiB, behind a header.

Each object has a key of its own: HKDF-SHA256 of the key that the header names, with the header's random salt. A key is
therefore never used for more than one object, however many there are. The nonce of a chunk is the random prefix in the
header, the number of the chunk (32 bits, from 0), and a byte that is 1 for the last chunk only. So chunks can't be left
out, repeated, exchanged or cut off: the construction STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015), as in Tink's streaming encryption AES-GCM-HKDF.
The header and the object's name are authenticated with each chunk, so that no object can take another one's place.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.encryption.header import PREFIX, SALT, BadHeader, Header, parse
from pipeline.encryption.keyring import KEY_BYTES, Key, Keyring

CHUNK = 1 << 20
_TAG = 16


class Tampered(ValueError):
    """The bytes are not what was encrypted under this name; the text continues "it …"."""


def seal(data: bytes, name: str, key: Key) -> bytes:
    """Encrypt bytes that belong under `name`."""
    whole = io.BytesIO()  # unlike a list of pieces, it is never copied
    for piece in stream(io.BytesIO(data), name, key):
        whole.write(piece)
    return whole.getvalue()


def stream(source: IO[bytes], name: str, key: Key) -> Iterator[bytes]:
    """Encrypt a file piece by piece: the header, then at most 1 MiB each."""
    header = Header(key.id, key.check, os.urandom(SALT), os.urandom(PREFIX))
    aead, bound = _cipher(key, header), _bound(header, name)
    yield header.encode()
    chunk, number, ends = source.read(CHUNK), 0, False
    while not ends:
        following = source.read(CHUNK)
        ends = not following
        yield aead.encrypt(_nonce(header, number, last=ends), chunk, bound)
        chunk, number = following, number + 1


def unseal(data: bytes, name: str, keys: Keyring) -> bytes:
    """Decrypt what was encrypted under `name`, all of it or nothing.

    Raises `Tampered`, and `Locked` where the key is not there.
    """
    try:
        header = parse(data)
    except BadHeader as error:
        raise Tampered(str(error)) from None
    aead, bound = _cipher(keys.find(header), header), _bound(header, name)
    chunks = memoryview(data)[header.size :]
    whole = io.BytesIO()
    for number, start in enumerate(range(0, max(1, len(chunks)), CHUNK + _TAG)):
        last = start + CHUNK + _TAG >= len(chunks)
        try:
            piece = aead.decrypt(
                _nonce(header, number, last=last), chunks[start : start + CHUNK + _TAG], bound
            )
        except InvalidTag:
            raise Tampered(
                "was changed, cut off, or written under another name since it was encrypted"
            ) from None
        whole.write(piece)
    return whole.getvalue()


def _cipher(key: Key, header: Header) -> AESGCM:
    own = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=header.salt, info=b"nightshift-object")
    return AESGCM(own.derive(key.secret))


def _nonce(header: Header, number: int, *, last: bool) -> bytes:
    return header.prefix + struct.pack(">IB", number, last)


def _bound(header: Header, name: str) -> bytes:
    """What is authenticated with each chunk."""
    return header.encode() + name.encode()
