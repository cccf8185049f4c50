"""Run a command to its end and say what it and all its descendants used: `supervise.py OUT.json SECONDS COMMAND...`.

A process of its own, with the standard library alone. It adopts descendants whose parent ended (Linux's subreaper), so
none escapes: at the end, after `SECONDS`, or when this process is ended, all of them are killed and waited for, and
the kernel has their processor time. Memory is the sum over all processes of their proportional share (PSS), sampled.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_SUBREAPER, _DEATH_SIGNAL = 36, 1  # prctl
_POLL, _SAMPLE = 0.02, 0.3
"""Seconds between two looks at the command, and at its memory."""


def descendants(pid: int) -> list[int]:
    """All living processes below one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:  # ended meanwhile
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def memory(pids: list[int]) -> int:
    """Bytes of memory of these processes; what several share is counted once."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


def supervise(command: list[str], limit: float) -> dict[str, object]:
    """Run a command for at most `limit` seconds; returns what `measured` of `rounds.py` has."""
    began, sampled, peak, code = time.monotonic(), 0.0, 0, None
    main = subprocess.Popen(command, preexec_fn=_end_with_parent)  # noqa: PLW1509 - it only calls prctl
    while code is None and time.monotonic() - began < limit:
        if time.monotonic() - sampled > _SAMPLE:
            peak, sampled = max(peak, memory(descendants(os.getpid()))), time.monotonic()
        time.sleep(_POLL)
        code = _reaped(main.pid)
    seconds = time.monotonic() - began
    end()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "exit_code": code,
        "wall_s": round(seconds, 3),
        "cpu_s": round(used.ru_utime + used.ru_stime, 3),
        "peak_mib": round(peak / 2**20, 1),
    }


def _reaped(main: int) -> int | None:
    """Wait for all that ended, without blocking; the exit code of the main process if it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == main:
            code = os.waitstatus_to_exitcode(status)


def end() -> None:
    """Kill and wait for all descendants."""
    while below := descendants(os.getpid()):
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reaped(0)
        time.sleep(_POLL / 4)
    _reaped(0)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _stop(*_: object) -> None:
    end()
    os._exit(128 + signal.SIGTERM)


def main() -> None:
    """Supervise the command of the arguments."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    out, limit, *command = sys.argv[1:]
    Path(out).write_text(json.dumps(supervise(command, float(limit))))


if __name__ == "__main__":
    main()
