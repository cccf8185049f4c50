"""Files are opened in a guarded process, so that none can take the memory or the time of the one that asks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
from collections import Counter
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pipeline import guard
from pipeline.documents import ole
from pipeline.documents.sniff import sniff
from pipeline.documents.sources.base import Notes, Source
from pipeline.documents.sources.names import brief
from pipeline.documents.sources.opening import (
    MAX_NAMES,
    Answer,
    Data,
    Full,
    Listed,
    Listing,
    MediaType,
    Reading,
    Refused,
    Request,
    Sniffing,
)
from pipeline.errors import OverLimit, PermanentError, Unreadable
from pipeline.sandbox import environment

if TYPE_CHECKING:
    from pipeline.settings import Settings

MAX_DEATHS = 3
"""Times that one file may end the process, before nothing more is taken out of it."""
ATTEMPTS = 2
"""For a request that ends the process by a signal, as the system does when the machine runs out of memory."""
_PATIENCE = 5.0
_STARTING = 15.0
"""Seconds in addition for the first answer of a process, on a busy machine."""
_COMMAND = "from pipeline.documents.sources.opening import main; main()"


class Opener:
    """Opens files in a process of its own, which starts when first needed. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._memory, self._longest = settings.worker_memory, settings.time_limit
        self._seconds = settings.page_seconds
        self.max_bytes = settings.max_bytes
        self._deaths: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def documents(self, path: Path, url: str, notes: Notes) -> list[Source]:
        """The documents in a file; none where it is itself the only one. One that can't be opened fails when read."""
        raw = os.fsencode(path)
        try:
            listed, _ = self._ask(Listing(raw, url), path.name)
        except PermanentError as error:
            return [Source(url, partial(_refused, error))]
        assert isinstance(listed, Listed)
        notes.left_out.update(listed.left_out)
        notes.unreachable += listed.unreachable
        return [
            Source(one, partial(self._read, Reading(raw, url, index, one)))
            for index, one in enumerate(listed.urls)
        ]

    def sniff(self, data: bytes, name: str) -> str:
        """`pipeline.documents.sniff.sniff`; what has to be opened for it is, apart. `name` for messages."""
        if not data.startswith((b"PK", ole.SIGNATURE)):
            return sniff(data)
        found, _ = self._ask(Sniffing(), name, data)
        assert isinstance(found, MediaType)
        return found.name

    def _read(self, request: Reading) -> bytes:
        _, data = self._ask(request, request.url.rsplit("!", 1)[-1].rsplit("/", 1)[-1])
        return data

    def _ask(self, request: Request, name: str, more: bytes = b"") -> tuple[Answer, bytes]:
        """The answer of the process and the bytes that follow it; raises what it refused with, or died of."""
        path = b"" if isinstance(request, Sniffing) else request.path
        with self._lock:
            for attempt in range(1, ATTEMPTS + 1):
                if self._deaths[path] >= MAX_DEATHS:
                    raise Unreadable(f"{brief(name)} is in a file that crashed the process that opened it.")
                try:
                    return self._answer(request, more)
                except _Died as death:
                    if path:
                        self._deaths[path] += 1
                    if attempt == ATTEMPTS or not death.by_signal:
                        raise self._verdict(death, name) from None
        raise AssertionError("unreachable")

    def _answer(self, request: Request, more: bytes) -> tuple[Answer, bytes]:
        for _ in range(2):
            if self._process is None:
                self._process = _Process(self._memory, self._seconds, self._longest, self.max_bytes)
            try:
                answer, data = self._process.exchange(request, more)
            except BaseException:  # interrupted: the answer would be taken for the next one's
                self._close()
                raise
            if not isinstance(answer, Full):
                break
            self._close()
        if isinstance(answer, Refused):
            raise answer.error()
        return answer, data

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def _verdict(self, death: _Died, name: str) -> PermanentError:
        if death.code == guard.EXIT_MEMORY:
            return PermanentError(
                f"{brief(name)} needs more memory to be opened than a worker may use: split it, or raise"
                " NIGHTSHIFT_WORKER_MEMORY.",
                code="out_of_memory",
            )
        if death.code == guard.EXIT_TIME or death.late:
            time = f"{self._longest:.0f} s" if death.late else f"{self._seconds:.0f} s of processor time"
            return OverLimit(
                f"{brief(name)} takes more than {time} to be opened, as files made to hold up a machine do: unpack it"
                " by hand, or raise NIGHTSHIFT_TIME_LIMIT if it is genuine.",
                code="over_time",
            )
        return Unreadable(
            f"{brief(name)} crashed the process that opened it: unpack it by hand, or send it again."
        )


class _Died(Exception):
    """The process ended instead of answering. `late`: because it took too long."""

    def __init__(self, code: int, *, late: bool) -> None:
        super().__init__(code)
        self.code, self.late = code, late

    @property
    def by_signal(self) -> bool:
        """Whether something else than the guard or the time ended it."""
        return self.code < 0 and not self.late


class _Process:
    """One process, and the connection to it."""

    def __init__(self, memory: int, seconds: float, longest: float, max_bytes: int) -> None:
        self._longest, self._max_bytes, self._starting = longest, max_bytes, _STARTING
        self._here, there = Pipe()
        with there:
            arguments = (there.fileno(), memory, seconds, longest + 3 * _PATIENCE, max_bytes)
            command = [sys.executable, "-c", _COMMAND, *map(str, arguments)]
            # a group of its own: Ctrl-C in a terminal is for the process that asks
            self._process = subprocess.Popen(  # noqa: S603 - no input in the command
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                env=environment(),
                process_group=0,
            )
        self.close = weakref.finalize(
            self, _close, self._here, self._process
        )  # at the latest when Python ends

    def exchange(self, request: Request, more: bytes) -> tuple[Answer, bytes]:
        """Send a request and wait for its answer; raises `_Died`."""
        late = threading.Event()
        timer = threading.Timer(self._longest + _PATIENCE + self._starting, self._end, [late])
        timer.daemon = True
        timer.start()
        try:
            answer = self._exchanged(self._here, request, more)
            self._starting = 0.0
            return answer
        except (EOFError, OSError, msgspec.MsgspecError):
            raise _Died(self._ended(), late=late.is_set()) from None
        finally:
            timer.cancel()

    def _exchanged(self, here: Connection, request: Request, more: bytes) -> tuple[Answer, bytes]:
        here.send_bytes(msgspec.msgpack.encode(request))
        if isinstance(request, Sniffing):
            here.send_bytes(more)
        answer = msgspec.msgpack.decode(here.recv_bytes(4 * MAX_NAMES), type=Answer)
        return answer, here.recv_bytes(self._max_bytes) if isinstance(answer, Data) else b""

    def _end(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def _ended(self) -> int:
        """Exit code of the process, which closed its side, or sent what is no answer."""
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _close(here: Connection, process: subprocess.Popen[bytes]) -> None:
    here.close()
    process.kill()
    process.wait()


def _refused(error: PermanentError) -> bytes:
    raise error
