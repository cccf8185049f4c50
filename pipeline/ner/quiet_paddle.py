"""Import Paddle without its side effects on the process.

On import Paddle 3.3 takes over SIGTERM, SIGSEGV and others in C (a worker's own handlers never run
again), adds a handler to the root logger, warns about a missing ccache, and prints a warning if
OMP_NUM_THREADS is above 1. All of that is undone here.
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

from pipeline.errors import RunError

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
"""Bytes, several times the largest `struct sigaction`: it is only saved and restored, never read."""


def import_paddle() -> Any:
    """Return the module `paddle`, with `paddle.inference`; takes seconds and 300 MB the first time."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    with _signals_kept(), _root_logger_kept(), _one_openmp_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import paddle
        import paddle.inference
    return paddle


def import_paddlenlp() -> Any:
    """Return the module `paddlenlp`; takes some seconds and 200 MB more the first time.

    PaddleNLP 3.0.0b4 imports a function that newer aistudio-sdk lack, logs its progress, and reports each
    model it opens to an external host: here it gets a function that refuses, logs nothing, and has the
    report marked as sent.
    """
    import_paddle()
    with _signals_kept(), _root_logger_kept(), _one_openmp_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import aistudio_sdk.hub

        if not hasattr(aistudio_sdk.hub, "download"):
            aistudio_sdk.hub.download = _no_aistudio
        import paddlenlp
        from paddlenlp.taskflow import utils as taskflow_utils
        from paddlenlp.utils import downloader
        from paddlenlp.utils.log import logger
    taskflow_utils.DOWNLOAD_CHECK = downloader.DOWNLOAD_CHECK = True
    logger.set_level("ERROR")
    return paddlenlp


def _no_aistudio(*_: object, **__: object) -> None:
    raise RunError("Models from AI Studio can't be fetched by Nightshift: name a local folder.")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Restore the handlers in C: `signal.signal` knows only Python's and only in the main thread."""
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
    """Prevent Paddle's warning; a predictor's number of threads is set on the predictor."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
