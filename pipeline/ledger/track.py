"""How long work shows its progress, without knowing the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Passes items through, and shows how many of a `total` of `what` have passed."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """The same items."""
        ...


def silent(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Pass items through and show nothing."""
    del what, total
    yield from items
