"""Whether a folder is only the place where something should be mounted.

A file that is missing there is not the fault of its document. An empty folder alone is no evidence: producers remove
their files. It takes a mount point of /etc/fstab that is not in use, or a folder that was another one when this
process last read from it.
"""

from __future__ import annotations

import os
from pathlib import Path

_FSTAB = Path("/etc/fstab")
_seen: dict[Path, tuple[int, int]] = {}
"""Folder -> device and inode when a file below it was last read."""


def note(folder: Path) -> None:
    """Note that a file below this folder was read."""
    if identity := _identity(folder):
        _seen[folder] = identity


def missing(folder: Path, path: Path) -> Path | None:
    """The mount point that is not in use, for `path` below the allowed `folder`; `None` if nothing says so."""
    before = _seen.get(folder)
    if before and _identity(folder) != before and _is_empty(folder):
        return folder
    for place in _listed():
        if place != Path("/") and path.is_relative_to(place) and not os.path.ismount(place):
            return place
    return None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _listed() -> list[Path]:
    """Mount points of /etc/fstab; spaces are written as \\040 there."""
    try:
        lines = _FSTAB.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    fields = [line.split() for line in lines if not line.lstrip().startswith("#")]
    return [Path(row[1].replace("\\040", " ")) for row in fields if len(row) > 1 and row[1].startswith("/")]
