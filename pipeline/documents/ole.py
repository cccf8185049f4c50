"""OLE files (compound files): what kind of document one is, by the streams in it."""

from __future__ import annotations

import io

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
