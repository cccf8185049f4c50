"""The keys of `NIGHTSHIFT_ENCRYPTION_KEYS`: the first one encrypts, all of them decrypt."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.encryption.header import CHECK, LONGEST_ID, Header, Locked
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings

SETTING = "NIGHTSHIFT_ENCRYPTION_KEYS"
KEY_BYTES = 32
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_ID}}}")
_EXPECTED = "expected id:key, where the key is 32 bytes as base64 (`nightshift keys new` prints one)"
_MOST = 64 * 1024  # bytes of a file of keys


class Key:
    """One key: its id, its 32 bytes, and the bytes by which it is recognised. It is not shown by `repr`."""

    __slots__ = ("check", "id", "secret")

    def __init__(self, key_id: str, secret: bytes) -> None:
        self.id, self.secret = key_id, secret
        self.check = hmac.digest(secret, b"nightshift-key-check", "sha256")[:CHECK]

    def __repr__(self) -> str:
        """Name the key only."""
        return f"Key({self.id!r})"


class Keyring:
    """All keys, in the order of the setting; none where encryption is off."""

    def __init__(self, keys: list[Key]) -> None:
        self._keys = {key.id: key for key in keys}
        self.first = keys[0] if keys else None

    def __iter__(self) -> Iterator[Key]:
        """All keys, the one that encrypts first."""
        return iter(self._keys.values())

    def find(self, header: Header) -> Key:
        """The key that an object was encrypted with; raises `Locked`."""
        key = self._keys.get(header.key_id)
        if key is None:
            raise Locked(f'encrypted with the key "{header.key_id}", which is not in {SETTING}: add that key')
        if not hmac.compare_digest(key.check, header.check):
            raise Locked(
                f'encrypted with another key "{header.key_id}" than the one in {SETTING}: correct that key'
            )
        return key


def keyring(settings: Settings) -> Keyring:
    """The keys that the settings name; raises `UsageError` with one sentence that shows nothing of any key."""
    keys = [_key(text, where) for where, text in _entries(settings.encryption_keys.strip())]
    ids = [key.id for key in keys]
    if twice := next((n for n, name in enumerate(ids, 1) if name in ids[: n - 1]), 0):
        raise UsageError(f"Invalid setting {SETTING}: key {twice} has the id of an earlier key.")
    if not keys and settings.encryption_required:
        raise UsageError(
            f"NIGHTSHIFT_ENCRYPTION_REQUIRED is set, but {SETTING} has no key: set both, or neither."
        )
    return Keyring(keys)


def new_line(key_id: str) -> str:
    """A fresh random key, as the setting and its file have it; raises `UsageError` for an invalid id."""
    if not _ID.fullmatch(key_id):
        raise UsageError(
            f'"{key_id}" is not a valid key id: use 1 to {LONGEST_ID} of A-Z, a-z, 0-9, ".", "_", "-".'
        )
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _entries(value: str) -> list[tuple[str, str]]:
    """Each key's text, and what to call it in an error: by its place, since its id may be a piece of a key."""
    if not value.startswith("@"):
        parts = value.split(",") if value else []
        return [(f"key {number}", part.strip()) for number, part in enumerate(parts, 1)]
    lines = [(f"line {number} of its file", line.strip()) for number, line in enumerate(_read(value[1:]), 1)]
    found = [(where, line) for where, line in lines if line and not line.startswith("#")]
    if not found:
        raise UsageError(f"Invalid setting {SETTING}: the file that it names contains no key.")
    return found


def _read(path: str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MOST).decode("ascii").splitlines()
    except OSError as error:
        raise UsageError(f"{SETTING} names a file that can't be read: {error.strerror}.") from None
    except ValueError:  # not ASCII, or a path with a NUL
        raise UsageError(
            f"Invalid setting {SETTING}: the file that it names is not a list of keys."
        ) from None


def _key(text: str, where: str) -> Key:
    name, _, encoded = text.partition(":")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not _ID.fullmatch(name) or len(secret) != KEY_BYTES:
        raise UsageError(f"Invalid setting {SETTING}: {where} is not a key: {_EXPECTED}.")
    return Key(name, secret)
