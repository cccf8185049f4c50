"""Read the metadata of an ONNX file without loading the model, or a library of 35 MiB for it."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ModelMissing

METADATA = 14
"""Field `metadata_props` of `ModelProto` in onnx.proto: pairs of key (1) and value (2)."""
_SIZES = {1: 8, 5: 4}
"""Bytes of the wire types of a fixed size (protobuf.dev/programming-guides/encoding)."""


def metadata(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file; raises `ModelMissing` if it is none."""
    found = {}
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for number, start, end in _fields(content, 0, len(content)):
                if number == METADATA:
                    pair = {n: content[a:b].decode() for n, a, b in _fields(content, start, end)}
                    found[pair[1]] = pair.get(2, "")
    except (ValueError, IndexError, KeyError) as error:
        raise ModelMissing(f"{path} is not a readable ONNX file: copy it again.") from error
    return found


def _fields(content: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each field of a message that has a length."""
    while at < end:
        tag, at = _varint(content, at)
        if tag & 7 == 2:
            size, at = _varint(content, at)
            if at + size > end:
                raise ValueError("a field reaches beyond its message")
            yield tag >> 3, at, at + size
            at += size
        elif tag & 7 == 0:
            _, at = _varint(content, at)
        else:
            at += _SIZES[tag & 7]


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while content[at] & 0x80:
        value |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | content[at] << shift, at + 1
