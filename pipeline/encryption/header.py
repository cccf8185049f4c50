"""How an encrypted object begins: which key it needs is known without decrypting it.

    magic (7 bytes) | version (1) | length of the key id (1) | key id | check (8) | salt (32) | nonce prefix (7)

`check` is derived from the key, so that another key under the same id is not taken for tampering.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.errors import RunError

MAGIC = b"\x8eNSHIFT"
"""No text in UTF-8, no JSON, parquet, image or PDF begins like this."""

VERSION = 1
CHECK, SALT, PREFIX = 8, 32, 7
LONGEST_ID = 32
LONGEST = len(MAGIC) + 2 + LONGEST_ID + CHECK + SALT + PREFIX
"""Bytes of an object that always contain its header."""


class BadHeader(ValueError):
    """It begins like an encrypted object, and continues like none; the text continues "it …"."""


class Locked(RunError):
    """What is needed to decrypt an object is missing; its text continues "it is …"."""

    code = "encryption_locked"


class Header(NamedTuple):
    """What is in a header; `size` is its length in bytes."""

    key_id: str
    check: bytes
    salt: bytes
    prefix: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(MAGIC) + 2 + len(self.key_id) + CHECK + SALT + PREFIX

    def encode(self) -> bytes:
        """The bytes at the beginning of the object."""
        name = self.key_id.encode("ascii")
        return MAGIC + bytes([VERSION, len(name)]) + name + self.check + self.salt + self.prefix


def is_sealed(data: bytes) -> bool:
    """Whether bytes begin as an encrypted object does."""
    return data.startswith(MAGIC)


def parse(data: bytes) -> Header:
    """The header of an encrypted object; raises `BadHeader`, or `Locked` for a later format."""
    rest = data[len(MAGIC) : LONGEST]
    if len(rest) < 2:
        raise BadHeader("ends within its header")
    if rest[0] != VERSION:
        raise Locked(
            f"encrypted in format version {rest[0]}, which this Nightshift does not read: upgrade it"
        )
    end = 2 + rest[1]
    name, fixed = rest[2:end], rest[end : end + CHECK + SALT + PREFIX]
    if len(fixed) < CHECK + SALT + PREFIX:
        raise BadHeader("ends within its header")
    if not name.isascii() or not name.decode("ascii").isprintable():
        raise BadHeader("has an invalid key id")
    return Header(name.decode("ascii"), fixed[:CHECK], fixed[CHECK : CHECK + SALT], fixed[CHECK + SALT :])
