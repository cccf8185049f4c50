"""The note that a worker has released its models after the window closed."""

from __future__ import annotations

import msgspec

from pipeline import clock
from pipeline.storage import Store, keys


def note_release(store: Store, run_date: str, worker: str, seconds: float) -> None:
    """Note for a night that `worker` held no model any more `seconds` after the window closed.

    Raises `StoreUnavailable`.
    """
    note = {"worker": worker, "seconds": round(seconds, 1), "at": clock.utc()}
    store.put(keys.night(run_date, f"released-{worker}"), msgspec.json.encode(note))
