"""Whether the encoded data of a picture is complete: one check per compression scheme.

PDFium draws a picture whose data is cut off as white or in half, without an error. Each check here looks for the
cheapest proof that data is missing: lengths and end markers that the scheme itself has, and a decoder only where it has
none. Damage inside data that is complete is not looked for.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Fault = Literal["ends early, so a part is missing", "can't be decoded", "is missing from the file"]
EARLY: Fault = "ends early, so a part is missing"
DAMAGED: Fault = "can't be decoded"
MISSING: Fault = "is missing from the file"

_CHUNK = 1 << 20
_EOI = b"\xff\xd9"
_NOISE = bytes(range(1, 255)) * 64

_PLAIN_BITS = (1, 2, 4, 8, 16)
_SPARE_ROWS = 2


def jpeg_fault(data: bytes) -> Fault | None:
    """Check a JPEG (DCTDecode); one that lacks only its end marker is whole, as some scanners leave it out."""
    data = data[max(data.find(b"\xff\xd8"), 0) :]
    try:
        try:
            pixels = _decoded(data, small=True)
        except OSError as error:
            if "truncated" not in str(error):
                return DAMAGED
            return EARLY if _depends_on_more(data, small=False) else None
        # decoders fill up what is missing before the end marker with one colour
        return EARLY if (pixels[-1] == pixels[-1][0]).all() and _depends_on_more(data, small=True) else None
    except Exception:  # hostile bytes make Pillow raise nearly any type
        return EARLY if data.startswith(b"\xff\xd8\xff") else DAMAGED


def _depends_on_more(jpeg: bytes, *, small: bool) -> bool:
    """Whether pixels change with what follows the data: it ends before they do."""
    body = jpeg[: jpeg.rfind(_EOI)] if jpeg[-32:].rfind(_EOI) >= 0 else jpeg.rstrip(b"\xff")
    first, second = (_decoded(body + more + _EOI, small=small) for more in (b"", _NOISE))
    return bool((first != second).any())


def _decoded(jpeg: bytes, *, small: bool) -> NDArray[np.uint8]:
    """Decode, if `small` at an eighth of the size and without colour: all data is parsed, at a quarter of the cost."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        image.draft("L", (1, 1) if small else image.size)
        return np.asarray(image)


def jpx_fault(data: bytes) -> Fault | None:
    """Check a JPEG 2000 codestream by the lengths of its tile-parts (ISO 15444-1, A.4.2)."""
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0:
        return DAMAGED
    at += 2
    while at + 2 <= len(data):
        marker = data[at : at + 2]
        if marker == _EOI:
            return None
        if at + 12 > len(data):
            return EARLY
        if marker == b"\xff\x90":
            (length,) = struct.unpack_from(">I", data, at + 6)
            if length == 0:  # the last tile-part, up to the end marker
                return None if data.rstrip(b"\0\r\n").endswith(_EOI) else EARLY
            length = max(length, 12)
        else:
            length = 2 + struct.unpack_from(">H", data, at + 2)[0]
        at += length
    return EARLY if at > len(data) else None


def jpx_size(data: bytes) -> tuple[int, int]:
    """Width and height that a JPEG 2000 codestream says it has (ISO 15444-1, A.5.1); 0 where it says none."""
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 24 > len(data):
        return 0, 0
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    return max(right - left, 0), max(bottom - top, 0)


def jpx_decodes(data: bytes) -> bool:
    """Whether a JPEG 2000 picture decodes at 1/32 of its size, which costs a few per cent of all of it."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as image:
            setattr(image, "reduce", 5)  # noqa: B010 - an attribute of this format, a method of others
            image.load()
    except Exception:  # hostile bytes make Pillow raise nearly any type
        return False
    return True


def jbig2_fault(data: bytes) -> Fault | None:
    """Check embedded JBIG2 data by the lengths of its segments (ISO 14492, 7.2)."""
    at = 0
    while at < len(data):
        if not data[at:].strip(b"\0\r\n"):
            return None
        try:
            number, flags, references = struct.unpack_from(">IBB", data, at)
            at += 6
            count = references >> 5
            if count == 7:
                count = struct.unpack_from(">I", data, at - 1)[0] & 0x1FFFFFFF
                at += 3 + (count + 8) // 8
            at += count * (1 if number <= 256 else 2 if number <= 65536 else 4) + (4 if flags & 0x40 else 1)
            (length,) = struct.unpack_from(">I", data, at)
        except struct.error:
            return EARLY
        if length == 0xFFFFFFFF:  # a region of unknown length: nothing to compare
            return None
        at += 4 + length
    return EARLY if at > len(data) else None


def fax_rows_missing(data: bytes, width: int, height: int) -> int:
    """Estimate how many rows at the end of fax data (CCITT) are missing, 0 if it has its end marker.

    Group 3 rows are counted by their end-of-line codes. Group 4 has none: the data is decoded twice, followed by
    different codes; rows that differ come from those. The result is wrong for the rare group 3 data without
    end-of-line codes, so that the caller must look at the picture too.
    """
    end = _bits(data.rstrip(b"\0\r\n")[-16:])
    if re.search(r"0{11}1[01]?0{11}1[01]?0*$", end):
        return 0
    if re.match(r"0{11,}1", _bits(data[:8])):
        return max(height - len(re.findall(r"0{11}1", _bits(data))), 0)
    rows = height * max(width // 7 + 1, 16) // 8 * 10
    copies, stripes = b"\xff" * (height // 8 + 64), _from_bits("0011000011" * 8) * (rows // 80 + 8)
    first, second = (_group4(data + tail[: 1 << 22], width, height) for tail in (copies, stripes))
    differs = np.flatnonzero((first != second).any(axis=1))
    return height - int(differs[0]) if differs.size else 0


def _bits(data: bytes) -> str:
    return bin(int.from_bytes(b"\1" + data, "big"))[3:]


def _from_bits(bits: str) -> bytes:
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _group4(data: bytes, width: int, height: int) -> NDArray[np.bool_]:
    """Decode by libtiff: shape (height, width), bool."""
    # width, height, bits, group 4, black is 1, offset, samples, rows and bytes of the only strip
    tags = {
        256: width,
        257: height,
        258: 1,
        259: 4,
        262: 0,
        273: 8 + 2 + 9 * 12 + 4,
        277: 1,
        278: height,
        279: len(data),
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    file = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + data
    with Image.open(io.BytesIO(file), formats=("TIFF",)) as image:
        return np.asarray(image)


def plain_fault(
    size: int, width: int, height: int, components: Sequence[int], bits: Sequence[int]
) -> Fault | None:
    """Check the length of pixels that are stored as such, for the depths that are possible."""
    options = [(c, b) for c in components for b in bits]
    rows = [-(-width * c * b // 8) for c, b in options]
    if any(height * row <= size <= (height + _SPARE_ROWS) * row for row in rows):
        return None
    usual = min(-(-width * c * max(b for b in bits if b <= 8) // 8) for c in components)
    return EARLY if size < 0.99 * height * usual else None


def flate_fault(
    data: bytes, width: int, height: int, components: Sequence[int], bits: Sequence[int]
) -> Fault | None:
    """Check deflated pixels (FlateDecode), with or without a predictor, in bounded memory."""
    most = height * (1 + 2 * width * max(components))
    size, ended, damaged = _inflated(data, most)
    if size >= most:
        return None
    # without its end, data of an unusual depth would look like a part of data of a usual one
    likely = bits if ended else [b for b in bits if b in (max(bits), min(max(bits), 8))]
    rows = {-(-width * c * b // 8) + predictor for c in components for b in likely for predictor in (0, 1)}
    if any(height * row <= size <= (height + 1) * row for row in rows):
        return None
    if not ended:
        return DAMAGED if damaged and not size else EARLY
    return plain_fault(size, width, height, components, bits)


def _inflated(data: bytes, most: int) -> tuple[int, bool, bool]:
    """How many bytes come out (counted to `most`), whether the data has its end, and whether it is damaged."""
    inflater, size, rest = zlib.decompressobj(-zlib.MAX_WBITS), 0, data[2:]
    while rest and not inflater.eof and size < most:
        try:
            size += len(inflater.decompress(rest, _CHUNK))
        except zlib.error:
            return size, False, True
        rest = inflater.unconsumed_tail
    if not inflater.eof and size < most:
        size += len(inflater.flush())
    return size, inflater.eof, False
