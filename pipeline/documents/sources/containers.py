"""Archives and e-mails: the documents in them, at every depth, within limits."""

from __future__ import annotations

import codecs
import io
import re
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn

from pipeline.documents import ole
from pipeline.documents.sniff import SNIFF_BYTES, is_mail, is_text
from pipeline.documents.sources import archives, mail, names
from pipeline.documents.sources.base import Kind, Member, Notes, Source
from pipeline.documents.sources.files import bounded, head_of, opened, unreadable
from pipeline.errors import OverLimit, PermanentError, PipelineError, Unreadable, Unsupported
from pipeline.limits import unpacked_limit

MAX_DEPTH = 3
"""Archives and e-mails in each other, the outermost included."""
MAX_ATTACHMENTS = 1000
"""Documents taken out of one e-mail, at all depths."""
MAX_MEMBERS = 100_000
"""Documents taken out of one archive, at all depths."""

# Documents that are never looked into when places are listed: listing a large share must not open every file.
_PLAIN = re.compile(
    r"\.(pdf|jpe?g|png|tiff?|webp|bmp|gif|jp2|j2k|heic|heif|avif|txt|csv|html?|docx?|xlsx?|ods|pptx?)",
    re.IGNORECASE,
)
_SUFFIXES = frozenset({".zip", ".eml", ".msg"})
"""Names by which archives and e-mails inside others are known: those are not all unpacked to look."""


def kind_of_file(path: Path) -> Kind | None:
    """Whether documents can be taken out of a file, by its content; `None` for a document itself."""
    suffix = path.suffix.lower()
    if _PLAIN.fullmatch(suffix) or not path.is_file():
        return None
    return _kind(head_of(path, SNIFF_BYTES), suffix)


def _kind(head: bytes, suffix: str) -> Kind | None:
    if head.startswith(archives.SIGNATURES):
        return "zip"
    if head.startswith(ole.SIGNATURE):
        return "outlook" if suffix == ".msg" else None
    if not is_text(head) or head.startswith(codecs.BOM_UTF8):
        return None  # a text that was taken out of an e-mail begins with a byte order mark
    return "mail" if suffix == ".eml" or is_mail(head) else None


def of_file(path: Path, url: str, kind: Kind, max_bytes: int, notes: Notes) -> Iterator[Source]:
    """The documents in an archive or e-mail on disk."""

    def stream() -> Path | IO[bytes]:
        with opened(path) as file:  # waits until it is complete
            if kind == "zip":
                return path  # read member by member: an archive may be larger than a document
            return io.BytesIO(bounded(file, max_bytes, str(path)))

    limit = MAX_MEMBERS if kind == "zip" else MAX_ATTACHMENTS
    try:
        size = path.stat().st_size
    except OSError:  # fails alone when it is read
        size = 0
    nest = _Nest(max_bytes, notes, limit, unpacked_limit(size))
    yield from nest.documents(_Container(url, kind, stream, max_bytes), 1)


class _Container:
    """One archive or e-mail; what is in it is kept for the last few only, and listed again when needed."""

    def __init__(self, url: str, kind: Kind, stream: Callable[[], Path | IO[bytes]], max_bytes: int) -> None:
        self.url, self.kind, self.stream, self.max_bytes = url, kind, stream, max_bytes

    @property
    def name(self) -> str:
        """What people know it by, for messages."""
        return names.brief(PurePosixPath(self.url.rsplit("!", 1)[-1]).name)

    def read(self, index: int) -> bytes:
        """A member's bytes; raises a `PermanentError`."""
        member = members(self)[index]
        try:
            return member.read(self.max_bytes)
        except Unsupported:  # not the container's fault, and nothing to be found by its name
            raise
        except PermanentError as error:
            text = f"{self.name}!{error.message}" if member.name else error.message
            raise type(error)(text, code=error.code) from error
        except MemoryError:
            raise
        except Exception as error:  # hostile bytes make parsers raise nearly any type
            raise Unreadable(
                f"{self.name}!{names.brief(member.name)} can't be extracted: send it again."
            ) from error


_opening = (
    threading.RLock()
)  # threads that need the same archive must not unpack it at once; nests are unpacked inwards


def members(container: _Container) -> list[Member]:
    """What is in a container; raises a `PermanentError` for one that can't be opened."""
    with _opening:
        return _members(container)


@lru_cache(maxsize=MAX_DEPTH)
def _members(container: _Container) -> list[Member]:
    try:
        stream = container.stream()
        if container.kind == "zip":
            return archives.members(stream, container.name)
        assert not isinstance(stream, Path)
        if container.kind == "mail":
            return mail.members(stream.read(), container.name)
        from pipeline.documents.sources import outlook

        return outlook.members(stream.read(), container.name)
    except (PipelineError, MemoryError):
        raise
    except OSError as error:
        raise unreadable(container.name, error) from error
    except Exception as error:  # hostile bytes make parsers raise nearly any type
        what = {"zip": "zip archive", "mail": "e-mail", "outlook": "Outlook message"}[container.kind]
        raise Unreadable(f"{container.name} is not a readable {what}: send it again.") from error


class _Nest:
    """A container with all that is in it: they share limits on the number of documents and on what they unpack to."""

    def __init__(self, max_bytes: int, notes: Notes, limit: int, unpacked: int) -> None:
        self.max_bytes, self.notes, self.limit = max_bytes, notes, limit
        self.unpacked = unpacked  # bytes that are left
        self.given = 0

    def documents(self, container: _Container, depth: int) -> Iterator[Source]:
        try:
            found = members(container)
        except PermanentError as error:
            yield _failing(container.url, error)
            return
        size = sum(member.size for member in found)
        self.unpacked -= size
        if self.unpacked < 0:
            yield _failing(container.url, archives.too_large(container.name, size))
            return
        if not found:
            yield _failing(
                container.url, Unreadable(f"{container.name} contains no documents.", code="empty")
            )
        taken: set[str] = set()
        for index, member in enumerate(found):
            if reason := names.no_document_at(member.name):
                self.notes.left_out[reason] += 1
                continue
            if mail.is_signature(member.name):
                self.notes.left_out[names.SIGNATURE] += 1
                continue
            if self.given >= self.limit:
                yield self._too_many(container, len(found) - index)
                return
            yield from self._member(container, index, member, taken, depth)

    def _member(
        self, container: _Container, index: int, member: Member, taken: set[str], depth: int
    ) -> Iterator[Source]:
        # The text of an e-mail goes by the name of the e-mail itself.
        name = names.numbered(names.shown(member.name), taken) if member.name else ""
        url = f"{container.url}!{name}" if name else container.url
        kind = member.kind or (self._kind_inside(container, index, name) if name else None)
        if kind is None:
            self.given += 1
            yield Source(url, partial(container.read, index))
        elif depth >= MAX_DEPTH:
            self.given += 1
            yield _failing(
                url,
                OverLimit(
                    f"{names.brief(PurePosixPath(name).name)} is inside {depth} archives or e-mails, and at most "
                    f"{MAX_DEPTH} in each other are opened: unpack the outer ones first."
                ),
            )
        else:
            inner = _Container(url, kind, lambda: io.BytesIO(container.read(index)), self.max_bytes)
            yield from self.documents(inner, depth + 1)

    def _kind_inside(self, container: _Container, index: int, name: str) -> Kind | None:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in _SUFFIXES:
            return None
        try:
            return _kind(container.read(index)[:SNIFF_BYTES], suffix)
        except PermanentError:  # reported when it is read
            return None

    def _too_many(self, container: _Container, more: int) -> Source:
        return _failing(
            f"{container.url}!…",
            OverLimit(
                f"{container.name} contains too many documents: the first {self.limit:,} are read, {more:,} more are "
                "not; save them to a folder and give that."
            ),
        )


def _failing(url: str, error: PermanentError) -> Source:
    def read() -> NoReturn:
        raise error

    return Source(url, read)
