"""Pictures of which a part was overwritten with zeros: by a copy that broke off, or blocks that a disk could not read.

Their decoders take the zeros for picture, without an error. Nothing but damage makes long runs of zeros in the data of
these formats: their coders write about as many ones, and what is blank in very few bytes. `zeroed_rows` has those that
are stored row by row.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

RUN = bytes(1024)
"""Zeros in coded data from which on they are looked into."""
SECTOR = 512
"""Bytes of a file that are lost together, at least."""
_SCAN, _TABLES, _BASELINE, _PROGRESSIVE, _NO_FRAMES = 0xDA, 0xC4, (0xC0, 0xC1), 0xC2, (0xC8, 0xCC)
_END_OF_BLOCK = 0
_PARTS = re.compile(
    rb"\xff(?:\xc4(?P<tables>..)"
    rb"|\xda\x00\x08\x01.(?P<used>.)[^\x00]..(?P<codes>(?:[^\xff]++|\xff[\x00\xd0-\xd7])*+))",
    re.DOTALL,
)
"""Of a progressive file: tables, and scans that do not begin with the average of each block."""
_RUNS, _LONG = re.compile(rb"\x00{1024,}"), 2048
_TILE_DATA, _END = b"\xff\x93", b"\xff\xd9"
"""JPEG 2000 has the same last marker as JPEG; coded data has neither."""


def has_lost_part(data: bytes, media_type: str) -> bool:
    """Whether a part of a JPEG, WebP or JPEG 2000 file is lost; `False` where that is unknown."""
    if RUN not in data:
        return False
    if media_type == "image/jpeg":
        return in_jpeg(data)
    if media_type == "image/webp":
        return any(kind == b"VP8 " and RUN in chunk for kind, chunk in _chunks(data))
    if media_type in ("image/jp2", "image/j2c"):
        return _in_codes(data, data.find(_TILE_DATA))
    return False


def _in_codes(data: bytes, at: int) -> bool:
    """Whether there is a run in coded data from here on, before the marker that ends it."""
    end = data.find(_END, at)
    return data.find(RUN, at, end if end >= 0 else len(data)) >= 0


def in_jpeg(data: bytes) -> bool:
    """ITU-T T.81: whether zeros mean something else than blank blocks in what follows the header.

    They may mean blank blocks where the first code of each table is the end of a block, as in tables that were made for
    the picture; where each colour has a scan of its own; and in the first scans of progressive files.
    """
    at, colours = 2, 0
    first: dict[int, int] = {}
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, (size,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        segment = data[at + 4 : at + 2 + size]
        if marker == _SCAN:
            used = {first.get(table & 0xF, _END_OF_BLOCK) for table in segment[2 : 2 + 2 * colours : 2]}
            return (
                segment[:1] == bytes([colours]) and used != {_END_OF_BLOCK} and _in_codes(data, at + 2 + size)
            )
        if marker == _TABLES:
            first |= _first_codes(segment)
        elif marker in _BASELINE:
            colours = segment[5] if len(segment) > 5 else 0
        elif marker == _PROGRESSIVE:
            return _progressive(data, at + 2 + size, first)
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            return False
        at += 2 + size
    return False


def _progressive(data: bytes, at: int, first: dict[int, int]) -> bool:
    """Whether there is a run in a scan of details, in which the blank blocks up to the next detail are one short code.

    Some encoders write a code for each blank block nevertheless, and a pattern may repeat; but then it is no accident
    if a run begins or ends where a sector of the file does. The scans of the blocks' averages have a code for each.
    """
    for part in _PARTS.finditer(data, at):
        if part["tables"]:
            (size,) = struct.unpack_from(">H", part["tables"])
            first |= _first_codes(data[part.start("tables") + 2 : part.start("tables") + size])
            continue
        means = first.get(part["used"][0] & 0xF, _END_OF_BLOCK)
        for run in _RUNS.finditer(part["codes"]):
            begin, end = (part.start("codes") + place for place in run.span())
            if not begin % SECTOR or not end % SECTOR or (means != _END_OF_BLOCK and end - begin >= _LONG):
                return True
    return False


def _first_codes(segment: bytes) -> dict[int, int]:
    """What the code of zeros means in each table of AC coefficients in a segment of tables, by its number."""
    at, found = 0, {}
    while at + 17 < len(segment):
        if segment[at] >> 4 == 1:
            found[segment[at] & 0xF] = segment[at + 17]
        at += 17 + sum(segment[at + 1 : at + 17])
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file: their names and contents."""
    at = 12
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
