"""Interface of a store: whole objects under keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Writes are atomic; writing again replaces.

    Every method may raise `StoreUnavailable` (try again) or `RunError` (no access, no such bucket).
    """

    url: str

    def put(self, key: str, data: bytes) -> None:
        """Write or replace one object."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Write or replace one object from a local file, streamed."""
        ...

    def put_new(self, key: str, data: bytes) -> bool:
        """Write one object unless there is one under this key; whether it was written.

        Where the store can do that in one step, exactly one of several at the same moment writes. An S3 server that
        can't is asked first, so that several may write. `False` may also mean that this very call has written, but its
        answer was lost.
        """
        ...

    def get(self, key: str) -> bytes:
        """Read one object; raises `NotFound`."""
        ...

    def exists(self, key: str) -> bool:
        """Whether an object exists under this key."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, in ascending order."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """Names directly below `prefix`, which ends in `/`, that have keys below them, in ascending order."""
        ...

    def delete(self, key: str) -> None:
        """Delete one object; a missing one is not an error."""
        ...

    @property
    def is_versioned(self) -> bool | None:
        """Whether the store keeps, or has kept, what is deleted or replaced; `None` where it does not say."""
        ...

    def purge(self, key: str) -> int:
        """Remove what the store keeps of an object that was deleted or replaced: its earlier versions, if any.

        Returns how many of them may not be removed, as they are locked.
        """
        ...

    def purge_below(self, prefix: str) -> int:
        """As `purge`, of every object whose key begins with `prefix`, also of those that are gone."""
        ...

    def check(self) -> None:
        """Raise `RunError` unless objects can be written here."""
        ...


class Backend(Store, Protocol):
    """A store that keeps objects itself, as they are: a folder, a bucket, or memory."""

    def head(self, key: str, size: int) -> bytes:
        """The first `size` bytes of an object, or all of a smaller one; raises `NotFound`."""
        ...
