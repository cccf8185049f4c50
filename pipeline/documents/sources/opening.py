"""A process that opens files: it lists the documents in them and takes them out, for one that must not be harmed.

It is guarded as workers are, answers one request at a time, and keeps the last files open. What it sends is data, never
code: its answers are decoded by their declared types.
"""

from __future__ import annotations

import os
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from pipeline import errors, guard
from pipeline.documents.sniff import sniff
from pipeline.documents.sources import inside
from pipeline.documents.sources.base import Notes, Source
from pipeline.errors import OverLimit, PipelineError, Unreadable

MAX_NAMES = 64 * 2**20
"""Bytes that the names of the documents in one file may have together."""
_KEPT = 3
_MIB = 2**20


class Listing(msgspec.Struct, frozen=True, tag=True):
    """Request: list the documents in a file. `path` as the system has it; `url` names it."""

    path: bytes
    url: str


class Reading(msgspec.Struct, frozen=True, tag=True):
    """Request: the bytes of the document `url`, which is number `index` in a file."""

    path: bytes
    file_url: str
    index: int
    url: str


class Sniffing(msgspec.Struct, frozen=True, tag=True):
    """Request: the media type of the bytes that follow."""


class Listed(msgspec.Struct, frozen=True, tag=True):
    """Answer: the documents in a file, none where it is itself the only one, and what was left out by reason."""

    urls: list[str]
    left_out: dict[str, int]
    unreachable: list[tuple[str, str]]


class Data(msgspec.Struct, frozen=True, tag=True):
    """Answer: bytes follow."""


class MediaType(msgspec.Struct, frozen=True, tag=True):
    """Answer: the type of the bytes."""

    name: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Answer: an error, by the name of its class."""

    kind: str
    code: str
    message: str

    def error(self) -> PipelineError:
        """The error itself."""
        found = getattr(errors, self.kind, None)
        kind = found if isinstance(found, type) and issubclass(found, PipelineError) else Unreadable
        return kind(self.message, code=self.code)

    @classmethod
    def of(cls, error: PipelineError) -> Refused:
        """How `error` is sent."""
        return cls(type(error).__name__, error.code, error.message)


class Full(msgspec.Struct, frozen=True, tag=True):
    """Answer: earlier files have taken so much memory that another process must answer."""


Request = Listing | Reading | Sniffing
Answer = Listed | Data | MediaType | Refused | Full


class Desk:
    """Answers requests. `max_bytes`: of one document; `memory`: MiB that this process may use, 0 for no limit."""

    def __init__(self, max_bytes: int, memory: int) -> None:
        self._max_bytes, self._memory = max_bytes, memory
        self._open: dict[bytes, list[Source]] = {}  # the last used is last
        self._asked = 0

    def answer(self, request: Request, more: bytes = b"") -> tuple[Answer, bytes]:
        """The answer, and the bytes that follow it; `more`: bytes that follow the request."""
        self._asked += 1
        try:
            match request:
                case Listing(path, url):
                    return self._list(path, url), b""
                case Reading():
                    return self._read(request)
                case Sniffing():
                    return MediaType(sniff(more)), b""
        except PipelineError as error:
            return Refused.of(error), b""
        except MemoryError:
            return Refused.of(guard.out_of_memory()), b""

    def is_full(self, request: Request) -> bool:
        """Whether what is kept of other files would leave this one too little memory."""
        known = not isinstance(request, Sniffing) and request.path in self._open
        if known or not self._asked or not self._memory:
            return False
        return guard.resident() > self._memory * _MIB // 3

    def _list(self, path: bytes, url: str) -> Listed:
        notes = Notes()
        found = self._documents(path, url, notes)
        if sum(len(source.url) for source in found) > MAX_NAMES:
            raise OverLimit(
                f"{Path(os.fsdecode(path)).name} holds {len(found):,} documents with names of more than"
                f" {MAX_NAMES // _MIB} MiB together, as files made to exhaust a machine do: unpack it by hand if it is"
                " genuine."
            )
        return Listed([source.url for source in found], dict(notes.left_out), notes.unreachable)

    def _read(self, request: Reading) -> tuple[Answer, bytes]:
        kept = self._open.pop(request.path, None)
        if kept is None:
            kept = self._documents(request.path, request.file_url, Notes())
        self._open[request.path] = kept
        if request.index >= len(kept) or kept[request.index].url != request.url:
            raise Unreadable(
                f"{Path(request.url).name} was changed while it was read: run the command again."
            )
        return Data(), kept[request.index].read()

    def _documents(self, path: bytes, url: str, notes: Notes) -> list[Source]:
        self._open.pop(path, None)
        while len(self._open) >= _KEPT:
            del self._open[next(iter(self._open))]
        found = inside.documents(Path(os.fsdecode(path)), url, self._max_bytes, notes)
        if found:
            self._open[path] = found
        return found


def main() -> None:
    """Answer until the other side closes; arguments: descriptor, memory, seconds, longest, max_bytes."""
    descriptor, memory, seconds, longest, max_bytes = sys.argv[1:]
    desk = Desk(int(max_bytes), int(memory))
    decoder = msgspec.msgpack.Decoder(Request)
    guard.start(int(memory))
    with Connection(int(descriptor)) as other:
        while True:
            try:
                request = decoder.decode(other.recv_bytes())
                more = other.recv_bytes() if isinstance(request, Sniffing) else b""
                if desk.is_full(request):
                    other.send_bytes(msgspec.msgpack.encode(Full()))
                    return
                with guard.page(float(seconds), float(longest), lambda _: None):
                    answer, data = desk.answer(request, more)
                other.send_bytes(msgspec.msgpack.encode(answer))
                if isinstance(answer, Data):
                    other.send_bytes(data)
            except (EOFError, OSError):
                return
            except Exception:  # a defect: this process is of no further use
                traceback.print_exc()
                raise SystemExit(1) from None
