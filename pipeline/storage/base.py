"""What a store is: whole objects under keys, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Objects are written whole or not at all; writing again replaces.

    Every method may raise `StoreUnavailable` (try again) or `RunError` (no access, no such bucket).
    """

    url: str

    def put(self, key: str, data: bytes) -> None:
        """Write or replace one object."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Write or replace one object from a local file, streamed."""
        ...

    def get(self, key: str) -> bytes:
        """Read one object; raises `NotFound`."""
        ...

    def exists(self, key: str) -> bool:
        """Whether an object lies under this key."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, in ascending order."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """Names right below `prefix`, which ends in `/`, that have keys below them, in ascending order."""
        ...

    def delete(self, key: str) -> None:
        """Remove one object; a missing one is no error."""
        ...

    def check(self) -> None:
        """Raise `RunError` with a plain sentence unless objects can be written here."""
        ...
