"""Many small calls that wait for a store or the broker, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_ROUND = 1024  # items taken up at once, so that memory stays flat however many there are


def in_threads(
    work: Callable[[T], R], items: Iterable[T], *, threads: int = 16, batch: int = 64
) -> Iterator[R]:
    """Results of `work` in the order of `items`; the first error ends it, what is begun is still done.

    batch: items a thread does in a row; 1 for slow work whose results should come singly.
    """

    def do(part: list[T]) -> list[R]:
        return [work(item) for item in part]

    pending = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        while taken := list(islice(pending, _ROUND)):
            parts = [taken[n : n + batch] for n in range(0, len(taken), batch)]
            yield from chain.from_iterable(pool.map(do, parts))
