"""OLE files (compound files): what kind of document one is, by the streams in it."""

from __future__ import annotations

import io
import struct
from array import array

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MSI = "000C1084-0000-0000-C000-000000000046"
_STREAMS = {
    "EncryptedPackage": "encrypted",
    "EncryptionInfo": "encrypted",
    "__properties_version1.0": "outlook",
    "WordDocument": "word",
    "Workbook": "excel",
    "Book": "excel",
    "PowerPoint Document": "powerpoint",
    "VisioDocument": "visio",
    "Quill": "publisher",
    "Catalog": "thumbnails",
    "TaskManager": "project",
}


def kind(data: bytes) -> str:
    """`word`, `excel`, `powerpoint`, `outlook`, `encrypted`, `thumbnails`, `installer` …, or `unknown`."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            names = {path[0] for path in file.listdir(streams=True, storages=True)}
            identity = file.root.clsid
    except Exception:  # hostile bytes make olefile raise nearly any type
        return "damaged"
    if identity == _MSI:
        return "installer"
    if any(name.startswith(("256_", "96_", "1024_")) for name in names):
        return "thumbnails"
    return next((found for name, found in _STREAMS.items() if name in names), "unknown")


def is_endless(data: bytes) -> bool:
    """Whether sectors of a file follow each other in a circle: readers that follow it take all the memory there is."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            if _has_circle(file.fat) or _repeats(data, file.sectorsize):
                return True
            file.loadminifat()
            return _has_circle(file.minifat)
    except Exception:  # hostile bytes make olefile raise nearly any type
        return True


def _has_circle(following: array[int]) -> bool:
    """Whether a chain of sectors, each naming the one after it, comes back to itself."""
    walks = array("L", bytes(array("L").itemsize * len(following)))
    for walk, start in enumerate(range(len(following)), 1):
        at = start
        while at < len(following) and not walks[at]:
            walks[at] = walk
            at = following[at]
        if at < len(following) and walks[at] == walk:
            return True
    return False


def _repeats(data: bytes, size: int) -> bool:
    """Whether the chain of sectors that list the other sectors comes back to itself."""
    (at,) = struct.unpack_from("<I", data, 68)
    seen = set()
    while at < len(data) // size:
        if at in seen:
            return True
        seen.add(at)
        (at,) = struct.unpack_from("<I", data, (at + 2) * size - 4)
    return False
