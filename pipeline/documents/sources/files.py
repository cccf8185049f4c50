"""Read a file only when nobody is writing it any more."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipeline.documents.sources.names import brief, shown
from pipeline.errors import OverLimit, RunError, Unreadable, is_of_machine

SETTLED = 2.0
"""A file that was changed less than this many seconds ago may still be growing."""
WATCHED = 60.0
"""For this many seconds after a change, a file that a process keeps open for writing is not complete."""
BEING_WRITTEN = "being_written"
"""Code of the error for a file that is not complete yet."""

PATIENCE = 5.0
"""Seconds to wait for a file to be complete."""
_POLL = 0.1


def read_file(path: Path, max_bytes: int) -> bytes:
    """The bytes of a complete file; raises `Unreadable` or `OverLimit`, `RunError` if the whole disk can't be read."""
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with opened(path, deadline) as file:
                before = os.fstat(file.fileno())
                data = bounded(file, max_bytes, str(path))
                if _same(before, os.fstat(file.fileno())):
                    return data
            if time.monotonic() >= deadline:
                raise _being_written(path)
    except OSError as error:
        raise unreadable(shown(path.name), error) from error


@contextmanager
def opened(path: Path, deadline: float | None = None) -> Iterator[IO[bytes]]:
    """A file that is complete, open for reading; waits up to `PATIENCE` s, or until `deadline` (monotonic).

    Raises `Unreadable` for one that is still being written, and `OSError`.
    """
    deadline = time.monotonic() + PATIENCE if deadline is None else deadline
    while True:
        file = path.open("rb")
        try:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or _is_complete(file, status):
                break
        except BaseException:
            file.close()
            raise
        file.close()  # reopened: a writer may replace it
        if time.monotonic() >= deadline:
            raise _being_written(path)
        time.sleep(_POLL)
    with file:
        yield file


def head_of(path: Path, size: int) -> bytes:
    """The first bytes of a file, complete or not; empty if it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def bounded(file: IO[bytes], max_bytes: int, name: str) -> bytes:
    """Read everything, but at most `max_bytes`; raises `OverLimit`."""
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise over_limit(name, max_bytes)
    return data


def over_limit(name: str, max_bytes: int) -> OverLimit:
    """The error of a document that is too large; `name`: with or without its folders."""
    return OverLimit(
        f"{brief(Path(name).name)} is larger than {max_bytes / 1024**2:.0f} MiB; "
        "raise NIGHTSHIFT_MAX_BYTES if such documents are expected."
    )


def _is_complete(file: IO[bytes], status: os.stat_result) -> bool:
    age = time.time() - status.st_mtime
    if abs(age) < SETTLED:
        return False
    return not (abs(age) < WATCHED and _is_open_for_writing(file))


def _is_open_for_writing(file: IO[bytes]) -> bool:
    """Whether a process on this machine has the file open for writing: a read lease is refused then.

    `False` where leases do not exist (network file systems, files of other users). Another process that opens the
    file in this very moment waits until the lease is returned; its signal is one that is ignored by default.
    """
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return not stat.S_ISREG(before.st_mode) or (before.st_size, before.st_mtime_ns) == (
        after.st_size,
        after.st_mtime_ns,
    )


def _being_written(path: Path) -> Unreadable:
    return Unreadable(
        f"{shown(path.name)} is still being written: run the same command again when it is complete.",
        code=BEING_WRITTEN,
    )


def unreadable(name: str, error: OSError) -> Unreadable | RunError:
    """The error of a file that the operating system does not give, or of the run if no file is at fault."""
    sentence = f"{name} can't be read from disk: {error.strerror or error}."
    return RunError(sentence, code="source_unavailable") if is_of_machine(error) else Unreadable(sentence)
