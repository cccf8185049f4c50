"""Members of zip archives as streams that never unpack more than the archive says they hold.

`zipfile` unpacks bzip2 and LZMA without a bound: each 4 KiB of a hostile archive may become gigabytes at once.
"""

from __future__ import annotations

import bz2
import copy
import io
import lzma
import zipfile
import zlib
from typing import IO

_LZMA_HEADER = 9  # version, size of the properties, properties
_SMALLEST_DICTIONARY = 4096


def opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> IO[bytes]:
    """A member, open for reading; the caller has compared its size with `max_bytes`.

    Raises what `zipfile` does for members that are damaged, or that hold more than the archive says.
    """
    if info.compress_type == zipfile.ZIP_BZIP2:
        return io.BytesIO(_checked(info, bz2.BZ2Decompressor(), _packed(archive, info, max_bytes)))
    if info.compress_type == zipfile.ZIP_LZMA:
        packed = _packed(archive, info, max_bytes)
        return io.BytesIO(_checked(info, _lzma(packed[:_LZMA_HEADER], info.file_size), packed[_LZMA_HEADER:]))
    return archive.open(info)


def _packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes:
    """The bytes of a member as they are in the archive."""
    stored = copy.copy(info)
    stored.compress_type, stored.file_size = zipfile.ZIP_STORED, info.compress_size
    del stored.CRC  # of what it unpacks to
    with archive.open(stored) as file:
        packed = file.read(max_bytes + 1)
    if len(packed) > max_bytes:
        raise zipfile.BadZipFile("larger packed than unpacked")
    return packed


def _lzma(header: bytes, size: int) -> lzma.LZMADecompressor:
    """A decompressor for the properties at the start of a member; no distance in `size` bytes needs more memory."""
    if len(header) < _LZMA_HEADER or header[2:4] != b"\x05\x00":
        raise zipfile.BadZipFile("damaged LZMA properties")
    rest, lc = divmod(header[4], 9)
    pb, lp = divmod(rest, 5)
    dictionary = min(int.from_bytes(header[5:9], "little"), size)
    properties = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb}
    return lzma.LZMADecompressor(
        lzma.FORMAT_RAW, filters=[properties | {"dict_size": max(dictionary, _SMALLEST_DICTIONARY)}]
    )


def _checked(
    info: zipfile.ZipInfo, unpacker: bz2.BZ2Decompressor | lzma.LZMADecompressor, packed: bytes
) -> bytes:
    data = unpacker.decompress(packed, max_length=info.file_size + 1)
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile("its size or checksum is wrong")
    return data
