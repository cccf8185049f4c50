"""The note that a worker has released its models: after the window closed, or early as it had no work."""

from __future__ import annotations

import msgspec

from pipeline import clock
from pipeline.storage import Store, keys


def note_release(store: Store, run_date: str, worker: str, seconds: float, *, early: bool = False) -> None:
    """Note for a night that `worker` held no model any more `seconds` after the window closed.

    `early`: after its last work inside the window; a later release of the same night replaces that note.

    Raises `StoreUnavailable`.
    """
    note = {"worker": worker, "seconds": round(seconds, 1), "at": clock.utc(), "early": early}
    store.put(keys.night(run_date, f"released-{worker}"), msgspec.json.encode(note))
