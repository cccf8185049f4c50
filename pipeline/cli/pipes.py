"""Pipes whose reader has gone, as that of `nightshift status | head -1`.

Standard output: the command ends quietly with 141, as a tool does that SIGPIPE kills. The signal itself stays ignored,
since it would also come from connections to the broker and the store. Standard error: the command goes on, as nobody
wants its messages.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import IO, Any

from pipeline.errors import ExitCode


class _Pipe(io.FileIO):
    """A pipe; once its reader has gone, what is written is dropped. `ends`: and the command ends."""

    def __init__(self, number: int, *, ends: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._ends = ends

    def write(self, data: Any, /) -> int:
        """Write; raises `SystemExit` where the reader of standard output has gone."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if self._ends:
                sys.exit(ExitCode.CLOSED_PIPE)
            return len(data)


def install() -> None:
    """Have this process notice when nobody reads its output any more."""
    sys.stdout = _guarded(sys.stdout, ends=True)
    sys.stderr = _guarded(sys.stderr, ends=False)


def _guarded(stream: Any, *, ends: bool) -> Any:
    """The same stream, if it is a pipe; Python has none where the descriptor is closed."""
    if stream is None or not _is_pipe(stream):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(stream.fileno(), ends=ends)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _is_pipe(stream: IO[str]) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except io.UnsupportedOperation:  # text in memory
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
