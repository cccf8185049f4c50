"""The reader of this process: started with its first document, and replaced once it crashed or grew large."""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from pipeline.documents import open as here
from pipeline.documents.base import Document
from pipeline.errors import PermanentError, Poison, RunError, UsageError
from pipeline.limits import STARTING, Limits, PageTime
from pipeline.reader import wire
from pipeline.reader.document import ReaderDocument, raised
from pipeline.reader.process import Crashed, ReaderProcess
from pipeline.sandbox import LAYERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.settings import Settings

R = TypeVar("R")
T = TypeVar("T", bound=wire.Answer)
Launch = Callable[[int, float], ReaderProcess]
"""Starts a process from MiB of memory (0: no limit) and seconds that it may take to open a document."""

DOCUMENTS = 500
"""Documents after which a process is replaced ..."""
LARGE = 512 * 1024 * 1024
"""... or bytes of memory that it has kept after a document."""
MEMORY_SHARE = 0.7
"""What a reader process may use of NIGHTSHIFT_WORKER_MEMORY: it has no models."""
RESTART = 1.0
"""Seconds that a document counts as decoded for each process that it ended."""

log = logging.getLogger("nightshift")


class Reader:
    """Opens documents in a reader process, one at a time."""

    def __init__(
        self,
        *,
        memory: int,
        limit: PageTime,
        attempts: int,
        required: bool = False,
        launch: Launch = ReaderProcess,
    ) -> None:
        """Start nothing yet.

        `memory`: MiB, 0: no limit. `limit`: of each answer. `attempts`: processes that a page may crash or hang.
        `required`: read nothing where the machine lacks a layer of the sandbox. `launch` starts a process.
        """
        self._launch = launch
        self._memory, self._limit, self._attempts, self._required = memory, limit, attempts, required
        self._process: ReaderProcess | None = None
        self._open: ReaderDocument | None = None
        self._documents = 0

    def open(self, data: bytes, limits: Limits) -> Document:
        """Open a document; raises what `pipeline.documents.open.open_document` raises, `Poison` or `RunError`."""
        self._documents += 1
        if self._process and (self._documents > DOCUMENTS or self._process.resident > LARGE):
            self.close()
        return ReaderDocument(data, limits, self)

    def opened(self, document: ReaderDocument) -> wire.Opened:
        """Open a document in the process."""
        return self._attempted(document, "The document", lambda process: self._open_in(process, document))

    def ask(
        self, document: ReaderDocument, request: wire.Request, expected: type[T], place: str
    ) -> tuple[T, NDArray[np.uint8] | None]:
        """The answer about a document, and the picture with it; opens it again where another one is open."""

        def asked(process: ReaderProcess) -> tuple[T, NDArray[np.uint8] | None]:
            if self._open is not document:
                self._open_in(process, document)
            return self._asked(process, document, request, expected)

        return self._attempted(document, place, asked)

    def warm(self) -> None:
        """Start the process; raises `RunError`."""
        self._process = self._process or self._started()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
        self._process = self._open = None
        self._documents = 0

    def _open_in(self, process: ReaderProcess, document: ReaderDocument) -> wire.Opened:
        self._open = None
        opened, _ = self._asked(process, document, wire.Open(document.limits), wire.Opened, document.data)
        if not document.fits(opened):
            raise process.broken()
        self._open = document
        return opened

    def _asked(
        self,
        process: ReaderProcess,
        document: ReaderDocument,
        request: wire.Request,
        expected: type[T],
        body: bytes = b"",
    ) -> tuple[T, NDArray[np.uint8] | None]:
        try:
            answer, image = process.ask(request, expected, self._limit, body, document.largest)
        finally:
            document.decoding += process.used
        if isinstance(answer, wire.Failed):
            raise raised(answer)
        return answer, image

    def _attempted(self, document: ReaderDocument, place: str, work: Callable[[ReaderProcess], R]) -> R:
        """Do some work in the process, or in a new one if it crashes or hangs."""
        what = ""
        for _ in range(self._attempts):
            if self._process and not self._process.is_alive:  # ended while nothing was asked
                self.close()
            process = self._process = self._process or self._started()
            try:
                return work(process)
            except Crashed as crash:
                what = str(crash)
                log.warning("%s %s", place, what)
            finally:
                if process.ended:
                    self._process = self._open = None
                    document.decoding += RESTART
        raise Poison(
            f"{place} {what} at each of {self._attempts} attempts: inspect it manually, or print it to a PDF and send"
            " that."
        )

    def _started(self) -> ReaderProcess:
        process = launched(self._launch, self._memory, self._limit.seconds)
        if process.missing and self._required:
            process.end()
            raise RunError(lacking(process.missing))
        return process


def launched(launch: Launch, memory: int = 0, seconds: float = STARTING) -> ReaderProcess:
    """A new process; raises `RunError` where none starts."""
    try:
        return launch(memory, seconds)
    except (Crashed, PermanentError, OSError) as error:
        raise RunError(
            f"The process that parses documents does not start ({error}): see its message above, or set"
            " NIGHTSHIFT_SANDBOX=off."
        ) from error


_reader: Reader | None = None


def start(settings: Settings, *, at_once: bool = False) -> None:
    """Open the documents of this process in a reader process from now on, unless NIGHTSHIFT_SANDBOX is `off`.

    `at_once`: start that process now, so that the first document need not wait for it.
    """
    global _reader  # noqa: PLW0603 - one reader per process is the point
    if _reader is None and settings.sandbox != "off" and sys.platform == "linux":
        _reader = Reader(
            memory=round(MEMORY_SHARE * settings.memory_limit),
            limit=PageTime(settings.page_seconds, settings.time_limit + STARTING),
            attempts=settings.max_attempts,
            required=settings.sandbox == "require",
        )
        atexit.register(_reader.close)
        if at_once:
            with suppress(RunError):  # raised again by the first document
                _reader.warm()


def open_document(data: bytes, limits: Limits) -> Document:
    """Open a document in this process's reader; in this process itself where `start` was not called.

    Raises `Unsupported`, `Unreadable`, `Encrypted`, `OverLimit`, `Poison` or `RunError`.
    """
    return here.open_document(data, limits) if _reader is None else _reader.open(data, limits)


def missing(sandbox: str) -> tuple[str, ...]:
    """The layers of the sandbox that this machine lacks: tried by starting a reader process, half a second.

    Raises `RunError` where none can be started.
    """
    if sandbox == "off" or sys.platform != "linux":
        return tuple(LAYERS)
    process = launched(ReaderProcess)
    process.end()
    return process.missing


def check(settings: Settings) -> None:
    """Say once in the log what the sandbox lacks here; raises `UsageError` where that is required."""
    lacks = missing(settings.sandbox)
    if lacks and settings.sandbox == "require":
        raise UsageError(lacking(lacks))
    if settings.sandbox == "off":
        log.info("NIGHTSHIFT_SANDBOX is off: documents are parsed by processes that have network and secrets")
    elif lacks:
        log.warning("%s", lacking(lacks))


def described(settings: Settings) -> str:
    """A sentence about how documents are parsed on this machine; raises `RunError`."""
    if settings.sandbox == "off":
        return "Documents are parsed by the workers themselves (NIGHTSHIFT_SANDBOX=off)."
    lacks = missing(settings.sandbox)
    return lacking(lacks) if lacks else f"Documents are parsed in a sandbox: {'; '.join(LAYERS.values())}."


def lacking(layers: Sequence[str]) -> str:
    """A sentence about the layers that this machine lacks."""
    walls = "; ".join(f"{layer} ({LAYERS[layer]})" for layer in layers)
    return f"This machine can't confine the processes that parse documents by {walls}: see docs/explanation/parsing.md."
