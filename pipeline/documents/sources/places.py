"""List the documents at the places that a command was given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipeline.documents.sources import buckets, folders, inside
from pipeline.documents.sources.apart import Opener
from pipeline.documents.sources.base import Notes, Source
from pipeline.documents.sources.files import read_file
from pipeline.documents.sources.names import shown
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings


def find(places: Sequence[str], settings: Settings, notes: Notes | None = None) -> Iterator[Source]:
    """List the documents at `places`, in a stable order, each once; folders recursively.

    Archives, e-mails and PDFs give the documents in them; they are opened in a process apart. The store in use, litter
    (`names.no_document`) and hidden files are left out, which `notes` counts; a place that is named itself is read
    whatever its name. Links are followed.
    Raises `UsageError` for a place that does not exist or is the store itself, before anything is listed.
    """
    notes = Notes() if notes is None else notes
    store = _folder_of(settings.store_url)
    for place in places:
        _check(place, store, settings)
    seen: set[str] = set()
    visited: set[tuple[int, int]] = set()
    opener = Opener(settings)
    for place in places:
        if place.startswith("s3://"):
            found = buckets.documents(place, settings, notes)
        else:
            found = _local(_path(place), store, opener, notes, visited)
        for source in found:
            if source.url not in seen:
                seen.add(source.url)
                yield source


def _check(place: str, store: Path | None, settings: Settings) -> None:
    advice = "is the store itself: give another folder for the results (--out)."
    if place.startswith("s3://"):
        if place.rstrip("/") == settings.store_url.rstrip("/"):
            raise UsageError(f"{shown(place)} {advice}")
        return
    path = _path(place)
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{shown(place)} does not exist: give files, folders, zip archives or s3:// prefixes."
        ) from None
    except OSError:  # fails alone when it is read
        return
    if store and os.path.realpath(path) == os.path.realpath(store):
        raise UsageError(f"{shown(place)} {advice}")


def _path(place: str) -> Path:
    if place.startswith("file:"):
        return Path(unquote(urlsplit(place).path, errors="surrogateescape"))
    return Path(place)


def _folder_of(store_url: str) -> Path | None:
    """The store's folder; `None` for one that is no folder."""
    scheme = urlsplit(store_url).scheme
    return _path(store_url) if scheme in ("", "file") else None


def _local(
    path: Path, store: Path | None, opener: Opener, notes: Notes, visited: set[tuple[int, int]]
) -> Iterator[Source]:
    try:
        is_folder = path.is_dir()
    except OSError:
        is_folder = False
    if not is_folder:
        yield from _file(path, opener, notes)
        return
    for file in folders.files(path, store, notes, visited):
        yield from _file(file, opener, notes)


def _file(path: Path, opener: Opener, notes: Notes) -> Iterator[Source]:
    # One file is one task, however it is reached: by a relative path, with dots, or through a link.
    url = shown(os.path.realpath(path))
    found = opener.documents(path, url, notes) if inside.may_hold_documents(path) else []
    yield from found or [Source(url, partial(read_file, path, opener.max_bytes))]
