"""Digests of records: whether a record in the store is still what was written.

The SHA-256 covers the JSON of a record with an empty `digest`, which is its last field, so that it is put in and taken
out without encoding the record twice.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from msgspec import structs

from pipeline.models import DocumentResult, to_json

_OPEN, _CLOSE, _SIZE = b'"digest":"', b'"}', 64


def encode(record: DocumentResult) -> bytes:
    """The JSON of a record as it is stored, with its digest."""
    data = to_json(structs.replace(record, digest="") if record.digest else record)
    return data[: -len(_CLOSE)] + hashlib.sha256(data).hexdigest().encode() + _CLOSE


def check(data: bytes, digest: str | None) -> Literal["intact", "changed", "unknown"]:
    """Whether stored JSON agrees with its `digest`; `unknown` for a record of an older version, which has none."""
    if digest is None:
        return "unknown"
    end = len(data) - len(_CLOSE) - _SIZE
    if data[max(end, 0) :] != digest.encode() + _CLOSE or not data[:end].endswith(_OPEN):
        return "changed"
    found = hashlib.sha256(memoryview(data)[:end])
    found.update(_CLOSE)
    return "intact" if found.hexdigest() == digest else "changed"
