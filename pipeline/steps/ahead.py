"""Some items of a sequence are worked on ahead, in threads, while the first of them is waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(work: Callable[[T], R], items: Sequence[T], most: int) -> Iterator[R]:
    """Results of `work` in the order of `items`; at most `most` of them are in progress or wait to be taken.

    The first error, in that order, ends it; what is in progress then is waited for, and not given.
    """
    if min(most, len(items)) < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(most, "ahead") as pool:
        pending: deque[Future[R]] = deque()
        try:
            for item in items:
                if len(pending) >= most:
                    yield pending.popleft().result()
                pending.append(pool.submit(copy_context().run, work, item))
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
