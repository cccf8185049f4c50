"""Temporary files in one private folder per process, which is removed with it, or by the next process that starts.

`tempfile` is pointed at it, so that libraries use it too. A process locks its folder: what is not locked was left by
a process that was killed.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from pipeline.errors import UsageError

_shared: dict[Path, int] = {}  # folders that this process shares with others, and its locks
_own: tuple[Path, int] | None = None  # the folder of this process, and its lock


def start(temp_dir: str = "") -> Path:
    """Give this process a private folder for temporary files, and remove those of processes that are gone.

    `temp_dir`: where; empty: the system's folder for temporary files. Returns the same folder if called again. Raises
    `UsageError` if nothing private can be made there.
    """
    global _own  # noqa: PLW0603 - one folder per process is the point
    if _own is None:
        root = _root(temp_dir)
        clean(root)
        _own = _locked(root)
        tempfile.tempdir = str(_own[0])
        atexit.register(_end)
    return _own[0]


def shared(name: str, temp_dir: str = "") -> Path:
    """A private folder that all processes of this user share; it is removed once none of them is left.

    Raises `UsageError` if nothing private can be made there.
    """
    root = _root(temp_dir)
    path = root / name
    while path not in _shared:
        with suppress(OSError):  # another process has just removed it, as nobody had locked it
            path.mkdir(mode=0o700, exist_ok=True)
            lock = _lock(path, fcntl.LOCK_SH)
            if path.exists():
                _shared[path] = lock
            else:
                os.close(lock)
    return path


def clean(root: Path) -> None:
    """Remove the folders of processes that are gone."""
    for path in root.iterdir():
        with suppress(OSError):  # in use, or another process was faster
            lock = _lock(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def root(temp_dir: str = "") -> Path:
    """The folder that all processes of this user share, which nobody else can enter.

    Raises `UsageError` if none can be made.
    """
    return _own[0].parent if _own else _root(temp_dir)


def _root(temp_dir: str) -> Path:
    """The folder of this user, made if it is missing; `tempfile` must not point to that of this process yet."""
    root = Path(temp_dir or tempfile.gettempdir()).absolute() / f"nightshift-{os.getuid()}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        status = root.lstat()
    except OSError as error:
        raise UsageError(f"{root} can't be created: {error.strerror}; set NIGHTSHIFT_TEMP_DIR.") from error
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    if not private:
        raise UsageError(
            f"{root} is not a private folder of this user (mode 0700): remove it, or set NIGHTSHIFT_TEMP_DIR."
        )
    return root


def _locked(root: Path) -> tuple[Path, int]:
    """A new folder, locked before another process takes it for one that was left."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))
        with suppress(OSError):  # removed before it was locked
            lock = _lock(path)
            if path.exists():
                return path, lock
            os.close(lock)


def _lock(path: Path, kind: int = fcntl.LOCK_EX) -> int:
    """Lock a folder; raises `OSError` if it is locked. The kernel ends the lock with the process."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _end() -> None:
    if _own is not None and _own[0].name.startswith(f"{os.getpid()}-"):  # not in a fork
        shutil.rmtree(_own[0], ignore_errors=True)
        with suppress(OSError):
            clean(_own[0].parent)  # processes of a pool end without a chance to do it
