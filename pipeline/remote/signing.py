"""Create and verify signatures (HMAC-SHA256): of callbacks, and of what processes of one installation exchange."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

SIGNATURE_HEADER = "Nightshift-Signature"
"""Header of a callback that contains its signature."""


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """Sign a callback: `t=<timestamp>,v1=<hex>`, HMAC-SHA256 (RFC 2104) over `<timestamp>.<body>`.

    `timestamp`: seconds since 1970 (UTC). Raises `ValueError` for an empty secret.
    """
    if not secret:
        raise ValueError("the secret must not be empty")
    return f"t={timestamp},v1={mac(str(timestamp).encode() + b'.' + body, secret)}"


def verify(body: bytes, header: str, secret: str, now: float, tolerance: float = 300) -> bool:
    """Verify a signature as a receiver does: right secret, body unchanged, at most `tolerance` seconds old.

    `header` may contain several `v1`, as during the rotation of a secret: one match is enough.
    `now`: seconds since 1970 (UTC).
    """
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]):
        return False
    timestamp = int(stamps[0])
    wanted = sign(body, secret, timestamp).rpartition("=")[2].encode()
    given = [value.encode() for name, _, value in pairs if name == "v1"]
    return abs(now - timestamp) <= tolerance and any(hmac.compare_digest(wanted, value) for value in given)


def mac(content: bytes, key: str) -> str:
    """HMAC-SHA256 (RFC 2104) of `content` under `key`: 64 hex digits."""
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()


def is_mac(text: str, content: bytes, keys: Iterable[str]) -> bool:
    """Whether `text` is the `mac` of `content` under one of the keys, in constant time for each."""
    return any(hmac.compare_digest(mac(content, key).encode(), text.encode()) for key in keys)
