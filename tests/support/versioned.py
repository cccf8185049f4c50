"""A store that keeps what is deleted or replaced, as a bucket with versioning does."""

from __future__ import annotations

from pipeline.storage.memory import MemoryStore


class VersionedStore(MemoryStore):
    """`earlier`: what was under each key before, until it is purged."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.earlier: dict[str, list[bytes]] = {}

    @property
    def is_versioned(self) -> bool:
        return True

    def put(self, key: str, data: bytes) -> None:
        self._keep(key)
        super().put(key, data)

    def delete(self, key: str) -> None:
        self._keep(key)
        super().delete(key)

    def purge(self, key: str) -> int:
        self.earlier.pop(key, None)
        return 0

    def purge_below(self, prefix: str) -> int:
        for key in [key for key in self.earlier if key.startswith(prefix)]:
            self.purge(key)
        return 0

    def _keep(self, key: str) -> None:
        if self.exists(key):
            self.earlier.setdefault(key, []).append(self.get(key))
