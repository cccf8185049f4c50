"""Which images are computed next, and together: a decision about what waits, without clocks, threads or models.

- Images of one kind and size share a batch, whichever document they are of, the oldest first.
- Urgent images come first, with others of their size. Then a full batch, that with the oldest image.
- Where no batch is full, the device waits for more: at most `wait` after the oldest image came, and not at all when
  everybody who asked lately waits already, as nobody is left to ask for more.
- After `PASSED` batches without the oldest image, that is next: nothing starves.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from pipeline.device.wire import Size
from pipeline.ocr.batched import Kind

PASSED = 4
"""Batches in a row that may leave out the oldest image."""
LATELY = 0.25
"""Seconds after an answer during which its owner is expected to ask again."""

Key = tuple[Kind, Size]
"""What may share a batch: kind, and what `BatchModels.size_of` says."""


_Name = tuple[Key, bool]
"""A bucket; `True`: its images are computed alone."""


class Item:
    """An image that waits. `owner`: the connection that asks; `alone`: it shares no batch."""

    __slots__ = ("alone", "arrived", "key", "number", "owner", "urgent")

    def __init__(self, key: Key, owner: int, *, urgent: bool = False, alone: bool = False) -> None:
        self.key, self.owner, self.urgent, self.alone = key, owner, urgent, alone
        self.arrived, self.number = 0.0, 0


ItemT = TypeVar("ItemT", bound=Item)


class _Bucket(Generic[ItemT]):
    """Images that may share a batch."""

    def __init__(self) -> None:
        self.urgent, self.others = deque[ItemT](), deque[ItemT]()

    def __len__(self) -> int:
        return len(self.urgent) + len(self.others)

    @property
    def oldest(self) -> ItemT:
        return min((queue[0] for queue in (self.urgent, self.others) if queue), key=lambda item: item.number)

    def take(self, most: int, by_age: bool) -> list[ItemT]:
        """Remove the next images: urgent ones before others, or all by age."""
        batch = list[ItemT]()
        while len(self) and len(batch) < most:
            urgent = self.oldest.urgent if by_age else bool(self.urgent)
            batch.append((self.urgent if urgent else self.others).popleft())
        return batch


class Batches(Generic[ItemT]):
    """All images that wait for one device. Times are seconds by any clock that never goes back."""

    def __init__(self, most: Callable[[Key], int], wait: float = 0.01) -> None:
        """`most`: how many images a batch may hold now. `wait`: maximum seconds to wait for more; may be changed."""
        self._most, self.wait = most, wait
        self._buckets: dict[_Name, _Bucket[ItemT]] = {}
        self._expected: dict[int, float] = {}
        self._added = self._passed = 0

    def __len__(self) -> int:
        """How many images wait."""
        return sum(map(len, self._buckets.values()))

    def expect(self, owner: int, now: float) -> None:
        """Expect images of an owner soon: it has connected, or has the answers to the last ones."""
        self._expected[owner] = now

    def add(self, items: Iterable[ItemT], now: float) -> None:
        """Let images wait."""
        for item in items:
            self._added += 1
            item.arrived, item.number = now, self._added
            bucket = self._buckets.setdefault((item.key, item.alone), _Bucket())
            (bucket.urgent if item.urgent else bucket.others).append(item)
            self._expected.pop(item.owner, None)

    def drop(self, owner: int) -> None:
        """Forget an owner that is gone, and its images."""
        self._expected.pop(owner, None)
        for name, bucket in list(self._buckets.items()):
            bucket.urgent = deque(item for item in bucket.urgent if item.owner != owner)
            bucket.others = deque(item for item in bucket.others if item.owner != owner)
            if not len(bucket):
                del self._buckets[name]

    def take(self, now: float) -> list[ItemT]:
        """Remove the images of the next batch; none where nothing waits, or waiting for more is better."""
        chosen = self._chosen(now)
        if chosen is None:
            return []
        oldest = self._buckets[self._oldest].oldest
        batch = self._buckets[chosen].take(self._room(chosen), by_age=self._passed >= PASSED)
        if not len(self._buckets[chosen]):
            del self._buckets[chosen]
        self._passed = 0 if any(item is oldest for item in batch) else self._passed + 1
        return batch

    def due(self, now: float) -> float | None:
        """Seconds until `take` gives a batch if nothing else happens; `None`: nothing waits."""
        if not self._buckets:
            return None
        if self._chosen(now) is not None:
            return 0.0
        return max(min(self._waits_until(), self._expected_until()) - now, 0.0)

    @property
    def _oldest(self) -> _Name:
        """Where the oldest image is."""
        return min(self._buckets, key=lambda name: self._buckets[name].oldest.number)

    def _room(self, name: _Name) -> int:
        key, alone = name
        return 1 if alone else self._most(key)

    def _waits_until(self) -> float:
        """Until when the oldest image may wait for others."""
        return self._buckets[self._oldest].oldest.arrived + self.wait

    def _expected_until(self) -> float:
        """Until when anybody is expected to ask."""
        return max(self._expected.values(), default=-math.inf) + LATELY

    def _chosen(self, now: float) -> _Name | None:
        """Where the next batch is taken from now."""
        if not self._buckets:
            return None
        oldest = self._oldest
        if self._passed >= PASSED:
            return oldest
        buckets = self._buckets
        if urgent := [name for name, bucket in buckets.items() if bucket.urgent]:
            return min(urgent, key=lambda name: buckets[name].urgent[0].number)
        if full := [name for name, bucket in buckets.items() if len(bucket) >= self._room(name)]:
            return min(full, key=lambda name: buckets[name].oldest.number)
        if now >= min(self._waits_until(), self._expected_until()):
            return oldest
        return None
