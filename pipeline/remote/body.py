"""The body of an answer: a whole document within the limit, or an error. Nothing that was cut off passes as whole."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from pipeline.errors import OverLimit, TransientError
from pipeline.remote.urls import shown

CHUNK = 1024 * 1024
"""Bytes to read at once."""

_LENGTH = re.compile("[0-9]{1,18}")


def check_whole(url: str, status: int, length: str | None, encoding: str | None) -> None:
    """Raise `TransientError` unless an HTTP answer says where its body ends.

    `length`, `encoding`: the headers Content-Length and Transfer-Encoding, repeated ones joined by commas; `None` where
    there is none. No part of a document is ever asked for.
    """
    if fault := _fault(status, length, encoding):
        raise TransientError(
            f"{shown(url)} can't be read as a whole: its server {fault}.", code="source_unavailable"
        )


def _fault(status: int, length: str | None, encoding: str | None) -> str:
    if status == 206:
        return "sent only a part of it, which was not asked for"
    if encoding is not None:
        if encoding.strip().lower() != "chunked":
            return "sent it in a transfer encoding other than chunked"
        return "" if length is None else "sent it in chunks and with a length"
    if length is None:
        return "does not say how long it is"
    lengths = {part.strip() for part in length.split(",")}
    if len(lengths) > 1:
        return "gives it more than one length"
    return "" if _LENGTH.fullmatch(lengths.pop()) else "gives it an invalid length"


def collect(chunks: Iterable[bytes], size: int | None, limit: int, url: str, deadline: float) -> bytes:
    """Join the chunks, at most `limit` bytes and not past `deadline`; `size`: the announced length.

    Raises `OverLimit`, and `TransientError` when the time is over.
    """
    taken: list[bytes] = []
    total = 0
    for chunk in () if size is not None and size > limit else chunks:
        taken.append(chunk)
        total += len(chunk)
        if total > limit or time.monotonic() >= deadline:
            break
    if max(total, size or 0) > limit:
        raise OverLimit(
            f"{shown(url)} is larger than {limit / 1024**2:.0f} MiB; "
            "raise NIGHTSHIFT_MAX_BYTES if such documents are expected."
        )
    if time.monotonic() >= deadline:  # an aborted response may look complete
        raise TransientError(
            f"Reading {shown(url)} took too long and was aborted.", code="source_unavailable"
        )
    return b"".join(taken)
