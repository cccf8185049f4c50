"""A reader process as its parent sees it: started without secrets, asked with a time limit, its answers checked."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from pipeline import guard
from pipeline.limits import PageTime
from pipeline.reader import wire
from pipeline.sandbox import LAYERS, environment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STARTING = 60.0
"""Seconds that a process may take to start, on a busy machine; normally half a second."""
ENDING = 5.0
"""Seconds that a process may take to end."""
POLL = 0.1
"""Seconds between two looks at the processor time of a reader that is waited for."""
_PIPE = 1024 * 1024
PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from pipeline.reader import child;"
PROGRAM += " child.main(*map(int, sys.argv[1:]))"

R = TypeVar("R")
T = TypeVar("T", bound=wire.Answer)


class Crashed(Exception):
    """The process ended, hung or gave an invalid answer; the message continues a sentence about its document."""


class ReaderProcess:
    """One process, for one document at a time. `missing`: layers of its sandbox that this machine lacks."""

    def __init__(self, memory: int = 0, opening: float = 120.0, program: str = PROGRAM) -> None:
        """Start it and wait until it is confined; raises `Crashed` or `OSError`.

        `memory`: MiB, 0: no limit. `opening`: seconds of processor time that it may take to open a document.
        """
        theirs, self._requests = os.pipe()
        self._answers, writes = os.pipe()
        try:
            numbers = map(str, (theirs, writes, os.getpid(), memory, round(opening)))
            self._process = subprocess.Popen(  # noqa: S603 - nothing of a document is in the command
                [sys.executable, "-I", "-B", "-c", program, json.dumps(_path()), *numbers],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs, writes),
                env=environment(),
                cwd="/",
                process_group=0,
            )
        except OSError:
            os.close(self._requests)
            os.close(self._answers)
            raise
        finally:
            os.close(theirs)
            os.close(writes)
        for end in (self._requests, self._answers):
            os.set_blocking(end, False)
            with suppress(OSError):  # the user's share of pipe buffers is used up
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE)
        self._begun = self.used = 0.0
        self.ended = False
        self._limit = PageTime(STARTING, STARTING)
        self._until = time.monotonic() + STARTING
        ready = self._whole(lambda: self._answer(wire.Ready))[0]
        self.missing = ready.missing if isinstance(ready, wire.Ready) else tuple(LAYERS)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return not self.ended and self._process.poll() is None

    @property
    def resident(self) -> int:
        """Bytes of memory that it has; 0 where that can't be seen."""
        with suppress(OSError, IndexError, ValueError):
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def ask(
        self, request: wire.Request, expected: type[T], limit: PageTime, body: bytes = b"", largest: int = 0
    ) -> tuple[T | wire.Failed, NDArray[np.uint8] | None]:
        """The answer to a request, and the picture with it, of at most `largest` pixels.

        `used` is the processor time that it took, in seconds. Raises `Crashed`, and `PermanentError` where it took too
        much time or memory; the process has ended then.
        """
        self._limit, self._begun, self.used = limit, self._clock(), 0.0
        self._until = time.monotonic() + limit.longest

        def asked() -> tuple[T | wire.Failed, NDArray[np.uint8] | None]:
            self._write(wire.framed(request, len(body)))
            self._write(body)
            return self._answer(expected, largest)

        return self._whole(asked)

    def end(self) -> int:
        """End the process now, whatever it does; returns its exit code."""
        if not self.ended:
            self.ended = True
            self._process.kill()
            os.close(self._requests)
            os.close(self._answers)
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(ENDING)
        return -signal.SIGKILL

    def broken(self) -> Crashed:
        """End a process whose answer is invalid."""
        self.end()
        return Crashed("made the process that reads it give an invalid answer")

    def _whole(self, work: Callable[[], R]) -> R:
        """Do all of an exchange, or end the process: it could not follow the next one."""
        try:
            return work()
        except BaseException:
            self.end()
            raise

    def _answer(
        self, expected: type[T], largest: int = 0
    ) -> tuple[T | wire.Failed, NDArray[np.uint8] | None]:
        import numpy as np

        length, size = wire.HEAD.unpack(self._read(bytearray(wire.HEAD.size)))
        if length > wire.MAX_JSON:
            raise self.broken()
        try:
            answer = wire.decode_answer(self._read(bytearray(length)))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self.broken() from None
        if not isinstance(answer, (expected, wire.Failed)):
            raise self.broken()
        drawn = answer.drawn if isinstance(answer, wire.ReadPage) else answer
        pixels = drawn.height * drawn.width if isinstance(drawn, wire.Drawn) else 0
        if size != 3 * pixels or pixels > largest:
            raise self.broken()
        image = None
        if isinstance(drawn, wire.Drawn):
            image = np.empty((drawn.height, drawn.width, 3), np.uint8)
            self._read(image.reshape(-1).data)
        self.used = self._clock() - self._begun
        return answer, image

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(self._requests, select.POLLOUT)
            try:
                rest = rest[os.write(self._requests, rest[:_PIPE]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def _read(self, target: bytearray | memoryview) -> bytearray | memoryview:
        rest = memoryview(target)
        while rest:
            self._wait(self._answers, select.POLLIN)
            try:
                count = os.readv(self._answers, [rest])
            except BlockingIOError:
                continue
            if not count:
                raise self._ended()
            rest = rest[count:]
        return target

    def _wait(self, end: int, event: int) -> None:
        """Wait until a pipe is ready; ends the process, and raises, once its time is up."""
        poll = select.poll()
        poll.register(end, event)
        while not poll.poll(POLL * 1000):
            self._check()
        self._check()

    def _check(self) -> None:
        self.used = self._clock() - self._begun
        if self.used > self._limit.seconds:
            self.end()
            raise guard.over_time(self._limit.seconds)
        if time.monotonic() > self._until:
            self.end()
            raise Crashed(f"hung the process that reads it for {self._limit.longest:.0f} s")

    def _clock(self) -> float:
        """Seconds of processor time so far: a clock of the kernel, which the process can't set."""
        with suppress(OSError):
            return time.clock_gettime((~self.pid << 3) | 2)  # CPUCLOCK_SCHED of linux/posix-timers.h
        return self._begun + self.used  # it has ended

    def _ended(self) -> Exception:
        """Why the process ended by itself."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING)
        code = self.end()
        if code == guard.EXIT_MEMORY:
            return guard.out_of_memory()
        crashed = Crashed(f"crashed the process that reads it ({_reason(code)})")
        return guard.of_document(code, self._limit.seconds) or crashed


def _reason(code: int) -> str:
    with suppress(ValueError):  # signals without a name
        return signal.Signals(-code).name
    return f"exit code {code}"


def _path() -> list[str]:
    """Where a reader finds its modules: where this process does."""
    found = [str(Path(entry).absolute()) for entry in sys.path]
    package = str(Path(__file__).parents[2])
    return found if package in found else [*found, package]
