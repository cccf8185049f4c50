"""What a process gives up of itself: privileges, core dumps, files to write, and life after its parent."""

from __future__ import annotations

import ctypes
import resource
import signal

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_NO_NEW_PRIVS = 1, 4, 38  # linux/prctl.h
_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000  # linux/sched.h
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def drop() -> None:
    """Give up privileges; call it while there is one thread.

    The namespaces, which have no network at all, are refused by many container runtimes: the other layers do not
    depend on them.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC)
    _libc.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())
    # both last: a change of privileges undoes them
    _libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
