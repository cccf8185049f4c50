"""Pictures that are stored row by row (BMP, TIFF) of which a part was overwritten with zeros.

Zeros are black or white there, so a run of them says nothing; but a copy that breaks off, and a disk that can't read,
lose whole blocks of the file, and an edge in a picture is seldom at the edge of one. Fax codes (ITU-T T.4) have no
long runs of zeros, and their decoder takes them for blank rows; those of other packed TIFF raise an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

BLOCK = 4096
"""Bytes that are lost together, and their multiples."""
_OFFSETS, _COUNTS, _COMPRESSION = 273, 279, 259
"""Tags of TIFF 6.0: where strips are, their bytes, and how they are packed."""
_STORED, _FAX = 1, (2, 3)
_FAX_RUN = bytes(1024)


def has_lost_rows(data: bytes, image: Image.Image) -> bool:
    """Whether a part of the current page of `image`, read from `data`, is lost; `False` where that is unknown."""
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None:
        return _of_bmp(data, image)
    offsets, counts = tags.get(_OFFSETS, ()), tags.get(_COUNTS, ())
    if not offsets or len(offsets) != len(counts):
        return False
    ends = [offset + count for offset, count in zip(offsets, counts, strict=True)]
    if tags.get(_COMPRESSION) in _FAX:
        return any(data.find(_FAX_RUN, *strip) >= 0 for strip in zip(offsets, ends, strict=True))
    if tags.get(_COMPRESSION) == _STORED and list(offsets[1:]) == ends[:-1]:
        return _lost(data, offsets[0], ends[-1], sum(counts) // image.height)
    return False


def _of_bmp(data: bytes, image: Image.Image) -> bool:
    tiles: Any = getattr(image, "tile", [])
    if len(tiles) != 1 or tiles[0][0] != "raw":
        return False
    _, _, begin, (_, row, _) = tiles[0]
    return _lost(data, begin, begin + row * image.height, row)


def _lost(data: bytes, begin: int, end: int, row: int) -> bool:
    """Whether zeros fill whole blocks of the file, from within a row up to within another one or to the end."""
    return row > 0 and any(
        (first - begin) % row and (last == end or (last - begin) % row)
        for first, last in _zero_blocks(data, begin, min(end, len(data)))
    )


def _zero_blocks(data: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of zeros that begin where a block of the file begins, and end where one ends or at `end`."""
    zeros = bytes(BLOCK)
    at = -(-begin // BLOCK) * BLOCK
    while at < end:
        first = at
        while at < end and data.startswith(zeros[: end - at], at):
            at += BLOCK
        last = min(at, end)
        if last > first and (first == begin or data[first - 1]) and (last == end or data[last]):
            yield first, last
        at += BLOCK
