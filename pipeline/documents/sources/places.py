"""List the documents at the places that a command was given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit

from pipeline.documents.sources import buckets, containers, folders
from pipeline.documents.sources.base import Notes, Source
from pipeline.documents.sources.files import BEING_WRITTEN, opened, read_file
from pipeline.documents.sources.names import shown
from pipeline.errors import PermanentError, UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings


def find(places: Sequence[str], settings: Settings, notes: Notes | None = None) -> Iterator[Source]:
    """List the documents at `places`, in a stable order, each once; folders recursively.

    Archives and e-mails give the documents in them. The store in use, litter (`names.no_document`) and hidden files
    are left out, which `notes` counts; a place that is named itself is read whatever its name. Links are followed.
    Raises `UsageError` for a place that does not exist or is the store itself, before anything is listed.
    """
    notes = Notes() if notes is None else notes
    store = _folder_of(settings.store_url)
    for place in places:
        _check(place, store, settings)
    seen: set[str] = set()
    visited: set[tuple[int, int]] = set()
    for place in places:
        if place.startswith("s3://"):
            found = buckets.documents(place, settings, notes)
        else:
            found = _local(_path(place), store, settings, notes, visited)
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
    path: Path, store: Path | None, settings: Settings, notes: Notes, visited: set[tuple[int, int]]
) -> Iterator[Source]:
    try:
        is_folder = path.is_dir()
    except OSError:
        is_folder = False
    if not is_folder:
        yield from _file(path, settings, notes)
        return
    for file in folders.files(path, store, notes, visited):
        yield from _file(file, settings, notes)


def _file(path: Path, settings: Settings, notes: Notes) -> Iterator[Source]:
    # One file is one task, however it is reached: by a relative path, with dots, or through a link.
    url = shown(os.path.realpath(path))
    if kind := containers.kind_of_file(path):
        yield from containers.of_file(path, url, kind, settings, notes)
    elif path.suffix.lower() == ".pdf":
        yield from _pdf(path, url, settings)
    else:
        yield Source(url, partial(read_file, path, settings.max_bytes))


def _pdf(path: Path, url: str, settings: Settings) -> Iterator[Source]:
    """A PDF, and the documents that are embedded in it."""
    from pipeline.documents.portfolio import members

    try:
        with opened(path, deadline=0.0):
            found = members(path, path.name, settings.max_bytes)
    except OSError:  # fails alone when it is read
        found = []
    except PermanentError as error:
        if error.code != BEING_WRITTEN:  # which is waited for when it is read
            yield Source(url, partial(_refused, error))
            return
        found = []
    if not found:
        yield Source(url, partial(read_file, path, settings.max_bytes))
    for one in found:
        name = f"{url}!{shown(one.name)}" if one.name else url
        yield Source(name, partial(one.read, settings.max_bytes))


def _refused(error: PermanentError) -> NoReturn:
    raise error
