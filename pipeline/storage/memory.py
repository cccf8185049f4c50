"""A store in this process's memory, for tests and simulations: nothing is kept after the process ends."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pipeline.errors import NotFound, UsageError


class MemoryStore:
    """Objects are entries of a dict. Any thread may use it; `named` gives the same store for the same name."""

    _named: ClassVar[dict[str, MemoryStore]] = {}

    def __init__(self, name: str) -> None:
        self.url = f"memory://{name}"
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @classmethod
    def named(cls, name: str) -> MemoryStore:
        """Return this process's store of that name, created empty on first use.

        Raises `UsageError` in a child process of a pool, whose store would be another one.
        """
        if multiprocessing.parent_process() is not None:
            raise UsageError(
                f"memory://{name} exists in one process only, and this is a child process: "
                "use a folder, file:// or s3:// with more than one process."
            )
        return cls._named.setdefault(name, cls(name))  # one atomic step: two threads get the same store

    def put(self, key: str, data: bytes) -> None:
        """See `Store.put`."""
        with self._lock:
            self._objects[key] = data

    def put_new(self, key: str, data: bytes) -> bool:
        """See `Store.put_new`."""
        with self._lock:
            if key in self._objects:
                return False
            self._objects[key] = data
            return True

    def put_file(self, key: str, path: Path) -> None:
        """See `Store.put_file`."""
        self.put(key, path.read_bytes())

    def get(self, key: str) -> bytes:
        """See `Store.get`."""
        with self._lock:
            if key in self._objects:
                return self._objects[key]
        raise NotFound(f"{key} not found in {self.url}.")

    def head(self, key: str, size: int) -> bytes:
        """See `Backend.head`."""
        return self.get(key)[:size]

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        with self._lock:
            return key in self._objects

    def list(self, prefix: str) -> Iterator[str]:
        """See `Store.list`; what is written during the iteration is not listed."""
        with self._lock:
            found = [key for key in self._objects if key.startswith(prefix)]
        yield from sorted(found)

    def folders(self, prefix: str) -> Iterator[str]:
        """See `Store.folders`."""
        below = (key.removeprefix(prefix) for key in self.list(prefix))
        yield from sorted({rest.split("/", 1)[0] for rest in below if "/" in rest})

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        with self._lock:
            self._objects.pop(key, None)

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

    def check(self) -> None:
        """See `Store.check`; memory can always be written."""
