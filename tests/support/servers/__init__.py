"""Real servers, started on private ports for a test session and killed with it."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest


def unavailable(what: str) -> NoReturn:
    """Skip on a laptop, fail in CI: a service that can't be had must not pass unseen there."""
    reason = f"{what} is not installed: run `make test`, which sets it up"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


_draw = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on just now.

    Below the range that the system gives to outgoing connections: a client that reconnects while its server
    is down could take the server's port otherwise. None is given twice, and no seed decides which: what a test
    seeds would have every run choose the same.
    """
    while True:
        port = _draw.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Poll until `condition()` is true; fails with `what` after `seconds`, times PATIENCE on a slow machine."""
    seconds *= float(os.environ.get("PATIENCE", "1"))
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:.0f} s without success for {what}")
        time.sleep(0.05)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections on this loopback port."""
    try:
        socket.create_connection((host, port), 0.5).close()
    except OSError:
        return False
    return True


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start(
    command: Sequence[object],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server whose output goes to `log` and that dies when the tests do."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - it only calls prctl
        )
