"""A note in `partial/` says what a partial result lacks: it is there exactly where such a result is."""

import pytest
from msgspec import structs

from pipeline.ledger import pending, records
from pipeline.models import Task, from_json
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from tests.support.paused import PausedStore
from tests.unit.tables.test_summary import DAY, result

SINCE = "2026-11-22T20:00:00+00:00"


@pytest.mark.parametrize("status", ["done", "partial"])
def test_whenever_a_partial_result_was_paused_the_note_is_that_of_the_result(status: str) -> None:
    """Another process has ended the task meanwhile: with the whole document, or as partial as well."""
    partial = structs.replace(result("t"), status="partial", first_seen=SINCE, run_date=DAY)
    whole = structs.replace(partial, status=status, generation=1)
    at, was_paused = 0, True
    while was_paused:
        store = MemoryStore(f"note-{at}")
        pending.mark(store, Task(task_id="t", source="file:///a.png", sha256="0" * 64, submitted_at=SINCE))

        def meanwhile(store: MemoryStore = store) -> None:
            store.delete(keys.partial(DAY, "t"))  # a failure in between deletes it
            records.finish(store, whole, marked=False)

        paused = PausedStore(store, at, meanwhile)
        records.finish(paused, partial)
        was_paused = at < len(paused.calls)
        now = from_json(store.get(keys.result(DAY, "t")), type(partial))
        assert (now.status == "partial") == store.exists(keys.partial(DAY, "t")), paused.calls[at]
        at += 1
    assert at > 8
