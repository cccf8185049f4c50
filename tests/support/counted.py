"""Counting in a test: by hand instead of by a thread, and with a store whose requests are noted."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import counting
from pipeline.ledger.counting import Counting
from pipeline.night.night import Night
from pipeline.storage import Store


def by_hand(monkeypatch: pytest.MonkeyPatch, night: Night, worker: str = "") -> Counting:
    """Count what this process does in a store from now on; `flush` puts it."""
    monkeypatch.setattr(Counting, "_look_after", lambda _: None)
    made = Counting(night.store, night.schedule.run_date, worker=worker)
    monkeypatch.setitem(counting._started, night.store.url, made)
    return made


class Asked:
    """A store that notes how often it was asked for what."""

    def __init__(self, inner: Store) -> None:
        self.inner, self.url = inner, inner.url
        self.asked: Counter[str] = Counter()
        self.listed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def put(self, key: str, data: bytes) -> None:
        self.asked["put"] += 1
        self.inner.put(key, data)

    def put_new(self, key: str, data: bytes) -> bool:
        self.asked["put"] += 1
        return self.inner.put_new(key, data)

    def put_file(self, key: str, path: Path) -> None:
        self.asked["put"] += 1
        self.inner.put_file(key, path)

    def get(self, key: str) -> bytes:
        self.asked["get"] += 1
        return self.inner.get(key)

    def exists(self, key: str) -> bool:
        self.asked["exists"] += 1
        return self.inner.exists(key)

    def delete(self, key: str) -> None:
        self.asked["delete"] += 1
        self.inner.delete(key)

    def list(self, prefix: str) -> Iterator[str]:
        self.asked["list"] += 1
        self.listed.append(prefix)
        return self.inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        self.asked["folders"] += 1
        return self.inner.folders(prefix)


class Metered(Asked):
    """A store that also measures what its answers cost: bytes read and keys listed."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.bytes_read = self.keys_listed = 0
        self._lock = threading.Lock()

    def amounts(self) -> dict[str, int]:
        """Requests, bytes read and keys listed until now."""
        return {
            "requests": self.asked.total(),
            "bytes read": self.bytes_read,
            "keys listed": self.keys_listed,
        }

    def get(self, key: str) -> bytes:
        data = super().get(key)
        with self._lock:
            self.bytes_read += len(data)
        return data

    def list(self, prefix: str) -> Iterator[str]:
        for key in super().list(prefix):
            with self._lock:
                self.keys_listed += 1
            yield key

    def folders(self, prefix: str) -> Iterator[str]:
        for name in super().folders(prefix):
            with self._lock:
                self.keys_listed += 1
            yield name
