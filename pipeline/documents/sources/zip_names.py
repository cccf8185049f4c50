"""Names in zip archives: the format leaves their encoding open, and packers use that of their own country.

A name is UTF-8 if the archive says so. Otherwise all such names of an archive are decoded alike, in the encoding in
which they look most like names.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from zipfile import ZipInfo

from pipeline.documents.encodings import most_plausible

_UTF8 = 0x800  # general purpose bit 11
_UNICODE_PATH = 0x7075  # extra field of Info-ZIP
_ENCODINGS = ("gb18030", "cp932", "big5", "cp437", "cp1252", "cp866")
_ENOUGH = 1000  # names to look at
_SYLLABLES = 8
"""As many different ones make names Korean: each is a common character of GB 2312 too, of which half are elsewhere."""


def decoded(infos: Sequence[ZipInfo]) -> list[str]:
    """The members' names, with / between folders."""
    unknown = [raw for info in infos if (raw := _raw(info)) is not None]
    sample = b"\n".join(unknown[:_ENOUGH])
    encoding, _ = most_plausible(sample, _ENCODINGS)
    if encoding == "gb18030" and _is_korean(sample):
        encoding = "cp949"
    found = []
    for info in infos:
        raw = _raw(info)
        name = (
            info.filename
            if raw is None
            else _unicode_path(info, raw) or raw.decode(encoding or "cp437", "replace")
        )
        found.append(name.replace("\\", "/"))
    return found


def _is_korean(names: bytes) -> bool:
    """Whether all characters beyond ASCII are Hangul in EUC-KR."""
    try:
        text = names.decode("euc_kr")
    except UnicodeDecodeError:
        return False
    found = {character for character in text if not character.isascii()}
    return len(found) >= _SYLLABLES and all("가" <= character <= "힣" for character in found)


def _raw(info: ZipInfo) -> bytes | None:
    """The bytes of a name in an unknown encoding: zipfile decodes them as cp437, which loses nothing."""
    if info.flag_bits & _UTF8 or info.orig_filename.isascii():
        return None
    return info.orig_filename.encode("cp437")


def _unicode_path(info: ZipInfo, raw: bytes) -> str | None:
    at = 0
    while at + 4 <= len(info.extra):
        kind, size = struct.unpack_from("<HH", info.extra, at)
        field = info.extra[at + 4 : at + 4 + size]
        if kind == _UNICODE_PATH and len(field) > 5 and field[1:5] == struct.pack("<I", zlib.crc32(raw)):
            return field[5:].decode("utf-8", "replace")
        at += 4 + size
    return None
