"""Pictures that are stored row by row (BMP, TIFF) of which a part was overwritten with zeros.

Zeros are black or white there, so a run of them says nothing; but a copy that breaks off, and a disk that can't read,
lose whole blocks of the file, and an edge in a picture is seldom at the edge of one. Fax codes (ITU-T T.4, T.6) have no
long runs of zeros, and their decoder takes them for blank rows; so do those of JPEG and, in part, Deflate.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.documents.zeroed import RUN, SECTOR, in_jpeg

if TYPE_CHECKING:
    from PIL import Image

_BLOCK = 4096
"""Bytes that are lost together, and their multiples."""
_OFFSETS, _COUNTS, _TILES, _TILE_COUNTS, _COMPRESSION, _TABLES = 273, 279, 324, 325, 259, 347
"""Tags of TIFF 6.0: where strips or tiles are, their bytes, how they are packed, and what those of JPEG share."""
_STORED, _FAX, _JPEG, _DEFLATE = 1, (2, 3, 4), 7, (8, 32946)
_PIECE = 1 << 20


def has_lost_rows(data: bytes, image: Image.Image) -> bool:
    """Whether a part of the current page of `image`, read from `data`, is lost; `False` where that is unknown."""
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None:
        return _of_bmp(data, image)
    offsets = tags.get(_OFFSETS) or tags.get(_TILES, ())
    counts = tags.get(_COUNTS) or tags.get(_TILE_COUNTS, ())
    if not offsets or len(offsets) != len(counts):
        return False
    ends = [offset + count for offset, count in zip(offsets, counts, strict=True)]
    if tags.get(_COMPRESSION) != _STORED:
        return any(_is_packed_lost(data, *part, tags) for part in zip(offsets, ends, strict=True))
    in_strips = _OFFSETS in tags and list(offsets[1:]) == ends[:-1]
    return in_strips and _lost(data, offsets[0], ends[-1], sum(counts) // image.height)


def _is_packed_lost(data: bytes, begin: int, end: int, tags: Any) -> bool:
    """Whether there are zeros that mean a loss in a strip or tile of a TIFF."""
    first = data.find(RUN, begin, end)
    if first < 0:
        return False
    packed = tags.get(_COMPRESSION)
    if packed in _FAX:  # behind the last code they may only fill it up
        return data[first:end].strip(b"\0") != b"" or first % SECTOR == 0
    if packed == _JPEG:
        tables = tags.get(_TABLES, b"")[:-2]  # without the mark of their end
        return in_jpeg(tables + data[begin + 2 : end])
    return packed in _DEFLATE and not _is_whole(data[begin:end])


def _is_whole(packed: bytes) -> bool:
    """Whether a part can be unpacked up to its check sum (RFC 1950); blank paper has zeros in its codes, too."""
    unpacker = zlib.decompressobj()
    try:
        while packed and not unpacker.eof:
            unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return unpacker.eof


def _of_bmp(data: bytes, image: Image.Image) -> bool:
    tiles: Any = getattr(image, "tile", [])
    if len(tiles) != 1 or tiles[0][0] != "raw":
        return False
    _, _, begin, (_, row, _) = tiles[0]
    return _lost(data, begin, begin + row * image.height, row)


def _lost(data: bytes, begin: int, end: int, row: int) -> bool:
    """Whether zeros fill whole blocks of the file, from within a row up to within another one or to the end."""
    return row > 0 and any(
        (first - begin) % row
        and (
            (last - begin) % row
            if last < end
            else not _is_background(data[max(begin, first - _BLOCK) : first])
        )
        for first, last in _zero_blocks(data, begin, min(end, len(data)))
    )


def _is_background(before: bytes) -> bool:
    """Whether zeros are most of what is before a run: then it is blank paper, which begins anywhere."""
    return 2 * before.count(0) > len(before)


def _zero_blocks(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of zeros over whole blocks of the file; one that ends at `end` also has what follows its last block."""
    zeros = bytes(_BLOCK)
    at = -(-begin // _BLOCK) * _BLOCK
    while at < end:
        first = at
        while data.startswith(zeros, at, end):
            at += _BLOCK
        rest = data[at:end] if end - at < _BLOCK else b""
        last = end if rest and not rest.strip(b"\0") else at
        if at > first and (first == begin or data[first - 1]) and (last == end or data[last]):
            yield first, last
        at += _BLOCK
