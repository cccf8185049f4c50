"""What processes of this host have just written or read, in a private folder, so that the next step need not ask again.

Only what is found under its key unchanged, or may be a minute old. Nothing depends on it: what is missing, too old or
unreadable is asked of the store. Objects are as in the store: encrypted if they are encrypted there. They are removed
after `LONGEST` seconds, or by the next process that starts where all were killed (`pipeline.scratch`).
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

import msgspec

from pipeline.errors import PipelineError
from pipeline.models import T, from_json
from pipeline.storage.base import Store
from pipeline.storage.encrypted import EncryptedStore

LONGEST = 60.0
"""Seconds that an object is kept: no longer than a step may take that has looked at its task once."""

LARGEST = 8 << 20
"""Bytes of the largest object that is kept."""

_PERIOD = 15.0  # seconds between two looks for what is too old


class Kept(Protocol):
    """Where objects are kept. No method raises."""

    def keep(self, key: str, data: bytes) -> None:
        """Keep an object, or replace it."""

    def get(self, key: str, longest: float) -> bytes | None:
        """An object that was kept less than so many seconds ago."""

    def drop(self, key: str) -> None:
        """Keep an object no longer."""


class Folder:
    """Objects in files, which all processes that use the folder share; `most`: bytes of all of them together."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._written = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def _path(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode(errors="replace")).hexdigest()

    def keep(self, key: str, data: bytes) -> None:
        """See `Kept.keep`; an object that is too large is not kept."""
        if len(data) > min(LARGEST, self._most):
            self.drop(key)
            return
        temporary = self._folder / f".{uuid.uuid4().hex}"
        try:
            temporary.write_bytes(data)
            temporary.replace(self._path(key))
        except OSError:
            self.drop(key)
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._look_after(len(data))

    def get(self, key: str, longest: float) -> bytes | None:
        """See `Kept.get`."""
        with suppress(OSError), self._path(key).open("rb") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            if 0 <= age < longest:  # below 0: the clock was set back
                return file.read()
        return None

    def drop(self, key: str) -> None:
        """See `Kept.drop`."""
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _look_after(self, size: int) -> None:
        """Remove what is too old soon, and what is too much now."""
        with self._lock:
            self._written += size
            full, self._written = self._written > self._most // 4, self._written % max(self._most // 4, 1)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._tidy, name="recent", daemon=True)
                with suppress(RuntimeError):  # the interpreter is ending
                    self._thread.start()
        if full:
            self.sweep()

    def _tidy(self) -> None:
        """Remove what is too old, for as long as there is something."""
        while True:
            time.sleep(_PERIOD)
            if not self.sweep():
                return

    def sweep(self) -> int:
        """Remove what is too old, and the oldest where there is too much; returns how many objects are left."""
        found, now = sorted(self._files(), reverse=True), time.time()
        left = total = 0
        for written, size, path in found:  # the latest first
            total += size
            if total > self._most or not 0 <= now - written < LONGEST:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            else:
                left += 1
        return left

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat()
                    yield status.st_mtime, status.st_size, Path(entry.path)


_of: WeakKeyDictionary[Store, Kept] = WeakKeyDictionary()


def use(store: Store, kept: Kept) -> None:
    """Keep what this process writes to a store, and reads."""
    _of[store] = kept


def keep(store: Store, key: str, data: bytes) -> None:
    """Keep an object that was just written or read."""
    if kept := _of.get(store):
        kept.keep(key, store.closed(key, data) if isinstance(store, EncryptedStore) else data)


def get(store: Store, key: str, longest: float = LONGEST) -> bytes | None:
    """An object that was kept less than so many seconds ago."""
    kept = _of.get(store)
    data = kept.get(key, longest) if kept else None
    if data is None or not isinstance(store, EncryptedStore):
        return data
    with suppress(PipelineError):
        return store.opened(key, data)
    return None


def read(store: Store, key: str, kind: type[T]) -> T | None:
    """One JSON object that was kept; `None` if it was not, or can't be decoded."""
    with suppress(msgspec.DecodeError):
        if (data := get(store, key)) is not None:
            return from_json(data, kind)
    return None


def drop(store: Store, key: str) -> None:
    """Keep an object no longer that was deleted or replaced."""
    if kept := _of.get(store):
        kept.drop(key)
