"""Where documents come from: files, folders, zip archives, `s3://` prefixes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit

import msgspec

from pipeline.errors import OverLimit, PermanentError, PipelineError, Unreadable, UsageError
from pipeline.storage import open_store

if TYPE_CHECKING:
    from pipeline.settings import Settings


class Source(msgspec.Struct, frozen=True):
    """One document to process: `url` names it in messages and results, `read` fetches its bytes.

    `read` raises a `PermanentError` when this document can't be fetched.
    """

    url: str
    read: Callable[[], bytes]


def find(places: Sequence[str], settings: Settings) -> Iterator[Source]:
    """List the documents at `places`, in a stable order; folders recursively, without hidden files.

    Raises `UsageError` for a place that does not exist, before anything is listed.
    """
    for place in places:
        if urlsplit(place).scheme not in ("s3", "file") and not Path(place).exists():
            raise UsageError(f"{place} does not exist: give files, folders, zip archives or s3:// prefixes.")
    seen: set[str] = set()
    for place in places:
        for source in _at(place, settings):
            if source.url not in seen:
                seen.add(source.url)
                yield source


def _at(place: str, settings: Settings) -> Iterator[Source]:
    scheme = urlsplit(place).scheme
    if scheme == "s3":
        return _bucket(place, settings)
    return _path(Path(unquote(urlsplit(place).path)) if scheme == "file" else Path(place), settings)


def _path(path: Path, settings: Settings) -> Iterator[Source]:
    if path.is_dir():
        for child in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in child.relative_to(path).parts)
            if child.is_file() and not hidden:
                yield from _file(child, settings)
    elif path.exists():
        yield from _file(path, settings)
    else:
        raise UsageError(f"{path} does not exist.")


def _file(path: Path, settings: Settings) -> Iterator[Source]:
    if path.suffix.lower() == ".zip":
        yield from _archive(path, settings)
    elif path.suffix.lower() == ".pdf":
        yield from _pdf(path, settings)
    else:
        yield Source(str(path), lambda: _read_file(path, settings.max_bytes))


def _pdf(path: Path, settings: Settings) -> Iterator[Source]:
    """A PDF, or what is embedded in it."""
    from pipeline.documents.portfolio import members

    try:
        found = members(path, path.name, settings.max_bytes)
    except PermanentError as error:
        yield Source(str(path), partial(_refused, error))
        return
    if not found:
        yield Source(str(path), lambda: _read_file(path, settings.max_bytes))
    for one in found:
        yield Source(f"{path}!{one.name}" if one.name else str(path), partial(one.read, settings.max_bytes))


def _refused(error: PermanentError) -> NoReturn:
    raise error


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return bounded(file, max_bytes, str(path))
    except OSError as error:
        raise Unreadable(f"{path.name} can't be read from disk: {error.strerror}.") from error


def bounded(file: IO[bytes], max_bytes: int, name: str) -> bytes:
    """Read everything, but at most `max_bytes`; raises `OverLimit`."""
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OverLimit(
            f"{Path(name).name} is larger than {max_bytes / 1024**2:.0f} MiB; "
            "raise NIGHTSHIFT_MAX_BYTES if such documents are expected."
        )
    return data


def _archive(path: Path, settings: Settings) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                m for m in archive.infolist() if not m.is_dir() and not Path(m.filename).name.startswith(".")
            ]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield Source(str(path), lambda: _broken_archive(path))
        return
    for member in members:
        # A member's name is shown, never used as a path.
        yield Source(f"{path}!{member.filename}", partial(_read_member, path, member, settings.max_bytes))


def _broken_archive(path: Path) -> bytes:
    raise Unreadable(f"{path.name} is not a readable zip archive; recreate it.")


def _read_member(path: Path, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    name = f"{path.name}!{member.filename}"
    if member.flag_bits & 1:
        raise PermanentError(
            f"{name} is encrypted; unpack the archive with its password first.", code="encrypted"
        )
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            return bounded(file, max_bytes, name)
    except PipelineError:
        raise
    except Exception as error:  # zipfile raises many kinds on damaged members
        raise Unreadable(f"{name} can't be extracted; recreate the archive.") from error


def _bucket(url: str, settings: Settings) -> Iterator[Source]:
    parts = urlsplit(url)
    store = open_store(f"s3://{parts.netloc}", settings)
    prefix = parts.path.lstrip("/")
    empty = True
    for key in store.list(prefix):
        # "scans/a" means the object or the folder of that name, not "scans/abc.jpg"
        rest = key.removeprefix(prefix)
        if key.endswith("/") or not (prefix in ("", key) or prefix.endswith("/") or rest.startswith("/")):
            continue
        empty = False
        yield Source(f"s3://{parts.netloc}/{key}", partial(store.get, key))
    if empty:
        raise UsageError(f"Nothing found at {url}: check the bucket and the key.")
