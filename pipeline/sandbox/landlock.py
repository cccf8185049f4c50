"""Landlock, Linux 5.13 and later: which files a process may open at all.

https://docs.kernel.org/userspace-api/landlock.html; the constants are those of `linux/landlock.h`.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_ASK_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""Number of rights to files from each version of the interface on, all of which are refused unless granted."""
_TCP = 0b11
"""To bind and to connect, from version 4 on."""
_SCOPES = 0b11
"""Abstract Unix sockets and signals of processes outside, from version 6 on."""
_SET_NO_NEW_PRIVS = 38


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Version of the kernel's interface; 0 where there is none or it is switched off."""
    return max(int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)), 0)


def restrict(readable: Iterable[Path]) -> bool:
    """Let this thread, and what it starts, only read files below these paths; `False` where the kernel can't.

    Files that are open stay open. Paths that do not exist are skipped.
    """
    known = version()
    if not known:
        return False
    files = (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= known)) - 1
    rules = _Ruleset(files, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= 4 else 8  # older kernels refuse what they do not know
    ruleset = int(_libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0))
    if ruleset < 0:
        return False
    try:
        for path in readable:
            with suppress(OSError):
                _allow(ruleset, path)
        _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return int(_libc.syscall(_RESTRICT_SELF, ruleset, 0)) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path) -> None:
    """Grant reading below a path; raises `OSError`."""
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        rule = _Beneath(rights, parent)
        if _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0) < 0:
            raise OSError(ctypes.get_errno(), "landlock_add_rule")
    finally:
        os.close(parent)
