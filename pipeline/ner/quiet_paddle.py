"""Import Paddle without what it does to the process it is imported into.

On import Paddle 3.3 takes over SIGTERM, SIGSEGV and others in C (a worker's own handlers never run
again), gives the root logger a handler, warns about a missing ccache, and prints a warning when
OMP_NUM_THREADS is above 1. All of that is put back here.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
)
_SIGACTION_ROOM = 1024
"""Bytes, several times the largest `struct sigaction`: it is only kept and given back, never read."""


def import_paddle() -> Any:
    """Return the module `paddle`, with `paddle.inference`; takes seconds and 300 MB the first time."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    with _signals_kept(), _root_logger_kept(), _one_openmp_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle
        import paddle.inference
    return paddle


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put the handlers back in C: `signal.signal` knows only Python's and only in the main thread."""
    libc = ctypes.CDLL(None)
    before = {number: ctypes.create_string_buffer(_SIGACTION_ROOM) for number in _SIGNALS}
    for number, action in before.items():
        libc.sigaction(int(number), None, action)
    try:
        yield
    finally:
        for number, action in before.items():
            libc.sigaction(int(number), action, None)


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def _one_openmp_thread() -> Iterator[None]:
    """Keep Paddle from warning; how many threads a predictor uses is set on the predictor."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
