"""A store in a local folder."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.errors import NotFound, RunError
from pipeline.storage import keys

_TEMPORARY = ".tmp"
_LEFT = 3600.0  # seconds after which an unfinished file was left by a process that was killed
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)
_OWN, _SHARED = 0o600, 0o640
"""Modes of files, which the umask may narrow: the summary tables are for the group of the store, too."""


class _Exists(Exception):
    """A file has this name already."""


class LocalStore:
    """Objects are files; each is written to a temporary file below the first folder of its key, then renamed.

    That folder may be a disk of its own. What a killed process left there is removed by the first write of another one.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - keep symbolic links as the user wrote them
        self.url = self.root.as_uri()
        self._folder = str(self.root)
        self._device: tuple[int, int] | None = None
        self._swept = False

    def _path(self, key: str) -> str:
        if not keys.is_safe(key):
            raise ValueError(f"unsafe key: {key!r}")
        self._check_mounted()
        return f"{self._folder}/{key}"

    def _check_mounted(self) -> None:
        """Raise `RunError` where the folder is missing or empty that this process has seen before.

        Without what is mounted there every task would look as if it had ended, and new ones would be hidden later.
        """
        try:
            status = os.stat(self._folder)  # noqa: PTH116 - called for each object
            found = (status.st_dev, status.st_ino)
        except OSError:
            found = None
        if found == self._device:
            return
        if self._device and (found is None or not any(self.root.iterdir())):
            raise RunError(
                f"The store {self.root} is missing or empty, but was not before: mount it. If it was deleted on "
                "purpose, restart this process.",
                code="store_missing",
            )
        self._device = found

    @contextmanager
    def _errors(self, key: str, *others: type[OSError]) -> Iterator[None]:
        """No trouble of the file system is the fault of a document; `others` are raised as they are."""
        try:
            yield
        except others:
            raise
        except OSError as error:
            raise RunError(f"Can't read {key} in the store {self.root}: {error.strerror}.") from error

    def _write(
        self, key: str, fill: Callable[[Any], object], move: Callable[[Path, Path], None] | None = None
    ) -> None:
        """Write a temporary file, then `move` it to its place; by default it replaces what is there."""
        path = Path(self._path(key))
        try:
            if not self._swept:
                self._sweep()
            temporary = self._temporary(key) / uuid.uuid4().hex
            with self._new(temporary, _SHARED if key.startswith(keys.SUMMARY) else _OWN) as file:
                try:
                    fill(file)
                    file.flush()
                    os.fsync(file.fileno())
                    (move or self._move)(temporary, path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
            self._sync(path.parent)
        except OSError as error:
            raise RunError(
                f"Can't write to the store {self.root}: {error.strerror}. "
                "Free disk space or use a writable folder.",
                code="store_unwritable",
            ) from error

    @staticmethod
    def _new(path: Path, mode: int) -> Any:
        """Create a file, and its folder where that is missing."""
        opener = partial(os.open, mode=mode)
        with suppress(FileNotFoundError):  # most folders exist
            return open(path, "xb", opener=opener)
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "xb", opener=opener)

    def _temporary(self, key: str) -> Path:
        first, inside, _ = key.partition("/")
        return (self.root / first if inside and first != _TEMPORARY else self.root) / _TEMPORARY

    def _sweep(self) -> None:
        """Remove what killed processes have left."""
        before = time.time() - _LEFT
        for path in (*self.root.glob(f"{_TEMPORARY}/*"), *self.root.glob(f"*/{_TEMPORARY}/*")):
            with suppress(FileNotFoundError):  # another process was faster
                if path.stat().st_mtime < before:
                    path.unlink()
        self._swept = True

    @staticmethod
    def _move(temporary: Path, path: Path) -> None:
        """Rename a file, and create its folder where that is missing."""
        with suppress(FileNotFoundError):  # most folders exist
            temporary.replace(path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)

    def _link(self, temporary: Path, path: Path) -> None:
        """Give a file its name; raises `_Exists` if that is taken."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise _Exists from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():
                raise _Exists from None
            self._move(temporary, path)
            return
        temporary.unlink()

    @staticmethod
    def _sync(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def put(self, key: str, data: bytes) -> None:
        """See `Store.put`."""
        self._write(key, lambda file: file.write(data))

    def put_new(self, key: str, data: bytes) -> bool:
        """See `Store.put_new`; a file system without links is asked first."""
        if self.exists(key):
            return False
        try:
            self._write(key, lambda file: file.write(data), self._link)
        except _Exists:
            return False
        return True

    def put_file(self, key: str, path: Path) -> None:
        """See `Store.put_file`."""
        with path.open("rb") as source:
            self._write(key, lambda file: shutil.copyfileobj(source, file, 1 << 20))

    def get(self, key: str) -> bytes:
        """See `Store.get`."""
        return self.head(key, -1)

    def head(self, key: str, size: int) -> bytes:
        """See `Backend.head`."""
        try:
            with (
                self._errors(key, FileNotFoundError, IsADirectoryError, NotADirectoryError),
                open(self._path(key), "rb") as file,  # noqa: PTH123 - called for each object
            ):
                return file.read(size)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"{key} not found in the store {self.root}.") from None

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        with self._errors(key):
            return Path(self._path(key)).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """See `Store.list`."""
        above, _, beginning = prefix.rpartition("/")
        self._check_mounted()
        with self._errors(prefix):
            yield from _keys(str(self.root / above), f"{above}/" if above else "", beginning)

    def folders(self, prefix: str) -> Iterator[str]:
        """See `Store.folders`; empty folders are included."""
        folder = self.root / prefix
        self._check_mounted()
        with self._errors(prefix):
            found = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
            found = [name for name in found if name != _TEMPORARY]
        yield from found

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._errors(key), suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self._path(key))  # noqa: PTH108 - called for each object

    @property
    def is_versioned(self) -> bool:
        """See `Store.is_versioned`."""
        return False

    def purge(self, key: str) -> int:  # noqa: ARG002 - there are no earlier versions
        """See `Store.purge`."""
        return 0

    def purge_below(self, prefix: str) -> int:  # noqa: ARG002 - there are no earlier versions
        """See `Store.purge_below`."""
        return 0

    def is_there(self) -> bool:
        """Whether the folder exists; raises `RunError` where a folder above it may not be entered."""
        try:
            return self.root.is_dir()
        except OSError as error:
            raise RunError(f"Can't read the store {self.root}: {error.strerror}.") from error

    def check(self) -> None:
        """See `Store.check`."""
        if not self.is_there() and self.root.exists():
            raise RunError(f"The store {self.root} is a file; use a folder.", code="store_unwritable")
        probe = f"{_TEMPORARY}/probe-{os.getpid()}"  # which no listing shows
        self.put(probe, b"")
        self.delete(probe)


def _is_text(name: str) -> bool:
    """Whether the name of a file is UTF-8; what isn't is no object of this store."""
    try:
        return name.isascii() or bool(name.encode())
    except UnicodeEncodeError:
        return False


def _keys(folder: str, inside: str, beginning: str = "") -> Iterator[str]:
    """Keys of the files below a folder whose names begin so, in ascending order; `inside`: the folder's own key.

    The names of one folder at a time are in memory: a night may have a million records.
    """
    try:
        with os.scandir(folder) as entries:
            # as a folder's name is followed by a slash in keys, it is sorted with it
            names = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in entries
                if entry.name.startswith(beginning)
                and entry.name != _TEMPORARY
                and _is_text(entry.name)
                and not (entry.is_symlink() and entry.is_dir())
            ]
    except (FileNotFoundError, NotADirectoryError):
        return
    names.sort()
    for name in names:
        if name.endswith("/"):
            yield from _keys(f"{folder}/{name[:-1]}", inside + name)
        else:
            yield inside + name
