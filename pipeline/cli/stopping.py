"""Ctrl-C and SIGTERM: the first one lets a command finish what it must, the second one ends it at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pipeline.errors import ExitCode

_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it


@contextmanager
def stoppable() -> Iterator[None]:
    """Within: the first SIGINT or SIGTERM raises `KeyboardInterrupt`, the second ends the process with 130.

    A signal that is ignored, as in a shell's background jobs, stays ignored.
    """
    caught = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]

    def first(*_: object) -> NoReturn:
        for number in caught:
            signal.signal(number, _second)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, first) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _second(*_: object) -> NoReturn:
    if sys.stderr.isatty():
        sys.stderr.write(f"{_SHOW_CURSOR}\n")
        sys.stderr.flush()
    os._exit(ExitCode.STOPPED)
