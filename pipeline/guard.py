"""What reading a document may use of its process: memory, and processor time per page. Active in worker processes only.

Native decoders neither raise `MemoryError` nor stop when asked, so a thread watches the process from inside. It ends
the process once a limit is exceeded, after the page in progress has been recorded as unreadable: the next attempt
finds it so, and reads the others. A kernel limit on memory backs it up, for what grows faster than it looks.
"""

from __future__ import annotations

import logging
import math
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from pipeline.errors import OverLimit, PermanentError

EXIT_MEMORY, EXIT_TIME = 81, 82
"""Exit codes of a process that was ended because of its memory, or of the processor time of a page."""
EXIT_OPENING_MEMORY, EXIT_OPENING_TIME = 83, 84
"""The same, because of the document that was being opened: another attempt would end likewise."""
POLL = 0.1
"""Seconds between two looks."""
SPARE = 512 * 2**20
"""Bytes that the kernel's limit leaves above the other one: libraries reserve such areas before they use them."""
STORING = 15.0
"""Maximum seconds for recording a page before the process ends."""

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 2**20

log = logging.getLogger("nightshift")


def out_of_memory() -> PermanentError:
    """The error of a document, or a page, that needs too much memory."""
    return PermanentError(
        "The document needs more memory than a worker may use: split it, or raise NIGHTSHIFT_WORKER_MEMORY.",
        code="out_of_memory",
    )


def over_time(seconds: float) -> OverLimit:
    """The error of a page that takes too long. Seconds of processor time, so that a busy machine does not matter."""
    return OverLimit(
        f"It takes more than {seconds:.0f} s of processor time, as pages made to hold up a machine do: print it to a"
        " PDF and send that, or raise NIGHTSHIFT_TIME_LIMIT if it is genuine.",
        code="over_time",
    )


class _Work(msgspec.Struct, eq=False):
    """One page in progress: its thread and that one's clock, when it must have ended by it, and how it is given up.

    `until`: when it must have ended by the clock of this machine. `before`: bytes of memory in use before it began, for
    a document that is being opened.
    """

    thread: int
    clock: int
    end: float
    until: float
    seconds: float
    give_up: Callable[[PermanentError], None]
    before: int | None = None


def _nothing(_: PermanentError) -> None:
    pass


class _Watch(threading.Thread):
    def __init__(self, memory: int, opening: float, statm: int | None) -> None:
        super().__init__(name="guard", daemon=True)
        self.memory, self.opening = memory, opening
        self.give_up: Callable[[PermanentError], None] = _nothing
        self.lock = threading.Lock()
        self.works: dict[int, _Work] = {}  # by thread
        self._soft = 0
        self._statm = open_statm() if statm is None else statm

    def run(self) -> None:
        while True:
            time.sleep(POLL)
            self.look()

    def look(self) -> None:
        if self.memory:
            resident, shared, data = _usage(self._statm)
            if resident > self.memory:
                self._end_for_memory(resident)
            self.limit_data(max(data - (resident - shared), 0))
        for work in list(self.works.values()):
            with suppress(OSError):  # its thread has ended meanwhile
                self._look_at(work, time.clock_gettime(work.clock))

    def _look_at(self, work: _Work, used: float) -> None:
        if used > work.end:
            what, code = ("a page", EXIT_TIME) if work.before is None else ("a document", EXIT_OPENING_TIME)
            why = f"{what} takes over {work.seconds:.0f} s"
            self._end(over_time(work.seconds), code, why, work, while_it_lasts=True)
        elif time.monotonic() > work.until:  # it may only have waited: another attempt
            self._end(None, EXIT_TIME, "a page takes too long", work, while_it_lasts=True)

    def _end_for_memory(self, resident: int) -> None:
        """What the process holds is a document's own fault where most of it was taken to open that.

        Of several pages in progress, none is known to be at fault: the next attempt reads one at a time.
        """
        works, why = list(self.works.values()), f"{resident // _MIB} MiB of memory in use"
        work = works[0] if len(works) == 1 else None
        if work is None:
            self._end(None, EXIT_MEMORY, why)
        elif work.before is None:
            self._end(out_of_memory(), EXIT_MEMORY, why, work)
        elif resident - work.before > self.memory // 2:
            self._end(out_of_memory(), EXIT_OPENING_MEMORY, why, work)
        else:
            self._end(None, EXIT_MEMORY, why)

    def resident(self) -> int:
        """Bytes of memory that this process has in use."""
        return _usage(self._statm)[0]

    def limit_data(self, unused: int) -> None:
        """Set the kernel's limit; `unused`: bytes that are reserved but not in use, so do no harm."""
        soft = self.memory + SPARE + unused
        if abs(soft - self._soft) < 16 * _MIB:
            return
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        with suppress(ValueError, OSError):  # a lower limit from outside stays
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        self._soft = soft

    def _end(
        self,
        error: PermanentError | None,
        code: int,
        why: str,
        work: _Work | None = None,
        *,
        while_it_lasts: bool = False,
    ) -> None:
        """End this process, and give up `work` if that is in progress; `while_it_lasts`: else do nothing."""
        with self.lock:  # the page can't end in between
            lasts = work is not None and self.works.get(work.thread) is work
            if while_it_lasts and not lasts:
                return
            ending = threading.Timer(STORING, os._exit, [code])  # a store may hang
            ending.daemon = True
            with suppress(RuntimeError, MemoryError):
                ending.start()
            with suppress(Exception):
                log.warning("ending this process: %s", why)
                if work is not None and lasts and error is not None:
                    work.give_up(error)
            os._exit(code)


_watch: _Watch | None = None


def open_statm() -> int:
    """Open what says how much memory this process uses."""
    return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)


def start(memory_mib: int, opening: float = 120.0, *, statm: int | None = None) -> None:
    """Guard this process from now on; it may use `memory_mib` MiB of memory, 0: as much as there is.

    `opening`: seconds of processor time that it may take to open a document. `statm`: from `open_statm`, where this
    process can't open files any more.
    """
    global _watch  # noqa: PLW0603 - one guard per process is the point
    if _watch is None and sys.platform == "linux":
        _watch = _Watch(memory_mib * _MIB, opening, statm)
        if memory_mib:
            _watch.limit_data(0)
        _watch.start()


@contextmanager
def page(seconds: float, longest: float, give_up: Callable[[PermanentError], None]) -> Iterator[None]:
    """Guard the page that is read inside, by this thread.

    `seconds`: processor time that it may take. `give_up` records it as unreadable for a reason, from another thread.
    `longest`: seconds after which the process ends anyway, as one that hangs.
    """
    watch = _watch
    if watch is None:
        yield
        return
    thread = threading.get_ident()
    clock = time.pthread_getcpuclockid(thread)
    around = watch.works.get(thread)  # what is in progress already, of which this page is a part
    watch.works[thread] = _Work(
        thread, clock, time.clock_gettime(clock) + seconds, time.monotonic() + longest, seconds, give_up
    )
    try:
        yield
    finally:
        with watch.lock:
            if around is None:
                del watch.works[thread]
            else:
                watch.works[thread] = around


@contextmanager
def opening() -> Iterator[None]:
    """Guard the document that is opened inside, by this thread: it is at fault for what that takes."""
    watch = _watch
    thread = threading.get_ident()
    if watch is None or thread in watch.works:  # a picture inside the page that is read
        yield
        return
    clock, seconds = time.pthread_getcpuclockid(thread), watch.opening
    end = time.clock_gettime(clock) + seconds
    watch.works[thread] = _Work(thread, clock, end, math.inf, seconds, watch.give_up, watch.resident())
    try:
        yield
    finally:
        with watch.lock:
            del watch.works[thread]


@contextmanager
def giving_up(note: Callable[[PermanentError], None]) -> Iterator[None]:
    """While this lasts, `note` is called, in another thread, with why the document being opened ends this process."""
    watch = _watch
    if watch is None:
        yield
        return
    watch.give_up = note
    try:
        yield
    finally:
        watch.give_up = _nothing


def of_document(exitcode: int, opening: float) -> PermanentError | None:
    """Why a document ended the process that opened it, by its exit code; `None` where that is no document's fault.

    `opening`: the seconds that were given to `start`.
    """
    if exitcode == EXIT_OPENING_MEMORY:
        return out_of_memory()
    return over_time(opening) if exitcode == EXIT_OPENING_TIME else None


def resident() -> int:
    """Bytes of memory that this process has in use."""
    with Path("/proc/self/statm").open("rb") as statm:
        return _usage(statm.fileno())[0]


def _usage(statm: int) -> tuple[int, int, int]:
    """Bytes of a process: resident, of these shared with files, private data. `statm`: its open file."""
    fields = os.pread(statm, 100, 0).split()
    return int(fields[1]) * _PAGE, int(fields[2]) * _PAGE, int(fields[5]) * _PAGE
