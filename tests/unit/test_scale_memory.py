"""Memory of what goes through a whole night, counted: it must not grow with the documents, but for their names."""

import gc
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest

from pipeline import threads
from pipeline.ledger import receipts, records, sheets, tabled
from pipeline.ledger.audit import audit
from pipeline.models import Task
from pipeline.storage.memory import MemoryStore
from pipeline.tables import summary
from pipeline.tables.summary import summarise
from tests.support.reports import result

DAY = "2026-11-22"
SMALL, LARGE = 200, 800
MOST = 500
"""Bytes more per document: the name of its record while a folder is listed, references, and what caches hold.

An audit that holds what it compares in memory took 3,000.
"""


@pytest.fixture(scope="module")
def nights() -> dict[int, MemoryStore]:
    """A night of raw messages, with tables."""
    found = {}
    for count in (SMALL, LARGE):
        store = MemoryStore(f"scale-memory-{count}")
        for n in range(count):
            task = Task(task_id=f"t{n:05}", sha256=f"{n:064x}", source=f"s3://scans/{n:05}.jpg")
            receipt = receipts.write(store, DAY, [task], new=True)
            made = result(task.task_id, task.sha256, source=task.source, run_date=DAY, receipt=receipt)
            records.finish(store, made)
        summarise(store, DAY)
        found[count] = store
    return found


def peak(work: Callable[[], object]) -> int:
    """Bytes of Python objects at the most."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda store: summarise(store, DAY), id="summarise"),
        pytest.param(lambda store: audit(store, DAY, by_tables=True), id="audit from tables"),
        pytest.param(lambda store: audit(store, DAY), id="audit"),
    ],
)
def test_memory_does_not_grow_with_the_documents(
    nights: dict[int, MemoryStore], work: Callable[[MemoryStore], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_ROUND", 64)  # both sizes fill it
    monkeypatch.setattr(summary, "_CHUNK", 32)
    monkeypatch.setattr(tabled, "_ROWS", 64)
    monkeypatch.setattr(sheets, "_ROUND", 64)
    work(nights[SMALL])  # fills caches
    small, large = (peak(partial(work, nights[count])) for count in (SMALL, LARGE))
    assert large - small <= MOST * (LARGE - SMALL), (small, large)
