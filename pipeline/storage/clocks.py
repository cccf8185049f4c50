"""How this machine's clock differs from that of the store's server."""

from __future__ import annotations

from pipeline.storage.base import Store


def ahead(store: Store) -> float | None:
    """By how many seconds this clock is ahead of the store's, by its last answer; negative: behind.

    0 for a store without a clock of its own; `None` where its server has not said.
    """
    inner = getattr(store, "inner", store)  # of an encrypted store
    found: float | None = getattr(inner, "ahead", 0.0)
    return found
