"""Walk a folder: in order, each folder once, without what is no document."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.documents.sources import names
from pipeline.documents.sources.base import Notes

_Identity = tuple[int, int]

_STORE_FOLDERS = ("documents", "receipts")


def files(root: Path, store: Path | None, notes: Notes, visited: set[_Identity]) -> Iterator[Path]:
    """All files below `root`, depth first, in order of their names; links are followed, a folder is read once.

    `store`: the folder of the store in use, left out. `visited`: device and inode of folders read before.
    What is left out or can't be entered goes to `notes`.
    """
    if _identity(root) in visited:
        return
    store_identity = _identity(store) if store else None
    pending: list[Iterator[os.DirEntry[str]]] = [iter(_entries(root, notes, visited))]
    while pending:
        entry = next(pending[-1], None)
        if entry is None:
            pending.pop()
            continue
        path = Path(entry.path)
        if reason := names.no_document(entry.name):
            notes.left_out[reason] += 1
            continue
        try:
            status = entry.stat()  # follows links
        except OSError as error:
            notes.unreachable.append((names.shown(entry.path), _why(entry, error)))
            continue
        if stat.S_ISDIR(status.st_mode):
            identity = (status.st_dev, status.st_ino)
            if identity == store_identity or _is_store(path):
                notes.left_out[names.STORE] += 1
            elif identity not in visited:
                pending.append(iter(_entries(path, notes, visited)))
        elif stat.S_ISREG(status.st_mode):
            yield path
        else:
            notes.left_out[names.SPECIAL] += 1


def _entries(folder: Path, notes: Notes, visited: set[_Identity]) -> list[os.DirEntry[str]]:
    try:
        if identity := _identity(folder):
            visited.add(identity)
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        notes.unreachable.append((names.shown(str(folder)), f"can't be entered: {error.strerror or error}."))
        return []


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _why(entry: os.DirEntry[str], error: OSError) -> str:
    if entry.is_symlink() and isinstance(error, FileNotFoundError):
        return "is a link to something that does not exist."
    return f"can't be read: {error.strerror or error}."


def _is_store(folder: Path) -> bool:
    """Whether a folder is a store, of an earlier command perhaps: its documents are copies of what was read then."""
    try:
        if not all((folder / name).is_dir() for name in _STORE_FOLDERS):
            return False
        with os.scandir(folder / "receipts") as days:
            return any(entry.name.startswith("date=") for entry in days)
    except OSError:
        return False
