"""Names as they are, shown safely; names that are no documents.

A name in a result is one line of valid Unicode. Bytes that are not UTF-8 and characters that could disturb a
terminal or a log are written as %XX; a % that would look like one is written as %25. So `os.fsdecode(
urllib.parse.unquote_to_bytes(source))` is the name on disk.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

SYSTEM, HIDDEN, UNFINISHED, STORE, SPECIAL, SIGNATURE = (
    "NAS and system files or folders",
    "hidden files or folders",
    "unfinished transfers",
    "Nightshift store",
    "pipes, sockets or devices",
    "signatures of e-mails",
)

_LITTER = frozenset(
    name.casefold()
    for name in (
        # Synology, QNAP
        "@eaDir @tmp @sharebin @Recycle @Recently-Snapshot @__thumb @appstore #recycle #snapshot",
        # Windows
        "Thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini $RECYCLE.BIN RECYCLER Picasa.ini AlbumArtSmall.jpg",
        "albumart.db",
        # macOS
        ".DS_Store .localized __MACOSX .Spotlight-V100 .Trashes .fseventsd .AppleDouble .TemporaryItems",
        # Syncthing, Linux
        ".stfolder .stversions .stignore lost+found",
    )
    for name in name.split()
) | {
    "system volume information",
    "network trash folder",
    "temporary items",
    "icon\r",
    "thumbs.db:encryptable",
}
_LITTER_PATTERN = re.compile(
    r"\._|~\$|\.~lock\.|SYNO(?:PHOTO|FILE|INDEX)_|.*@Syno(?:EAStream|Resource)$|.*:Zone\.Identifier$"
)
_UNFINISHED = frozenset({".part", ".partial", ".crdownload", ".filepart", ".download", ".tmp"})
_UNSAFE = re.compile(
    r"%(?=[0-9A-Fa-f]{2})|[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(name: str) -> str:
    """A name or path on one line of valid Unicode; see the module's description."""
    return _UNSAFE.sub(lambda found: _escaped(found[0]), name)


def brief(name: str) -> str:
    """A name for a sentence: as `shown`, and the middle of one of more than 120 characters left out."""
    safe = shown(name)
    return safe if len(safe) <= 120 else f"{safe[:70]}…{safe[-49:]}"


def _escaped(character: str) -> str:
    data = character.encode(
        "utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    )
    return "".join(f"%{byte:02X}" for byte in data)


def no_document(name: str) -> str | None:
    """Why a file or folder of this name is left out; `None` for all others."""
    if name.casefold() in _LITTER or _LITTER_PATTERN.match(name):
        return SYSTEM
    if PurePosixPath(name).suffix.lower() in _UNFINISHED:
        return UNFINISHED
    return HIDDEN if name.startswith(".") and name not in (".", "..") else None


def no_document_at(path: str) -> str | None:
    """`no_document` for each part of a path in an archive or bucket."""
    return next((reason for part in path.split("/") if (reason := no_document(part))), None)


def numbered(name: str, taken: set[str]) -> str:
    """`name`, or `name (2)`, `name (3)` … before its suffix if it is taken already; added to `taken`."""
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".") if "." in last.lstrip(".") else (last, "", "")
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{folder}{slash}{stem} ({number}){dot}{suffix}"
    taken.add(candidate)
    return candidate
