"""Run many small calls that wait for a store or the broker in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_ROUND = 1024  # items submitted at once, so that memory stays constant however many there are


def in_threads(
    work: Callable[[T], R], items: Iterable[T], *, threads: int = 16, batch: int = 64
) -> Iterator[R]:
    """Results of `work` in the order of `items`; the first error ends it, calls already started still finish.

    batch: items per thread and call; 1 for slow work whose results should be returned one by one.
    """

    def do(part: list[T]) -> list[R]:
        return [work(item) for item in part]

    pending = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        while taken := list(islice(pending, _ROUND)):
            parts = [taken[n : n + batch] for n in range(0, len(taken), batch)]
            yield from chain.from_iterable(pool.map(do, parts))
