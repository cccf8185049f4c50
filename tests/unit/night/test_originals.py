"""Bytes that are deleted while documents are accepted: what anyone needs by then is there again."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import StoreUnavailable
from pipeline.ledger import forgetting, pending
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task, to_json
from pipeline.night import forget, originals, selection
from pipeline.night.flow import Flow
from pipeline.night.selection import Selector
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from pipeline.tables.summary import summarise
from tests.unit.night.test_forget import a_flow, a_night, drain_all, text
from tests.unit.night.test_retention import keep

NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)


class Sudden(MemoryStore):
    """Something happens once, just before the first bytes are deleted."""

    def __init__(self) -> None:
        super().__init__("sudden")
        self.then: Callable[[], object] | None = None

    def delete(self, key: str) -> None:
        then = self.then
        if then and key.startswith(keys.DOCUMENTS):
            self.then = None
            then()
        super().delete(key)


@pytest.fixture
def store() -> Sudden:
    return Sudden()


def stored(store: MemoryStore, count: int) -> list[str]:
    return [pending.store_document(store, b"document %d" % number) for number in range(count)]


def mark(store: MemoryStore, hashes: set[str]) -> None:
    for sha256 in hashes:
        pending.mark(store, Task(task_id=f"new-{sha256[:8]}", sha256=sha256, source="message"))


def left(store: MemoryStore) -> set[str]:
    return {key.removeprefix(keys.DOCUMENTS) for key in store.list(keys.DOCUMENTS)}


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_what_is_pending_by_then_stays_in_parts_of_any_size(
    store: Sudden, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "_MOST", most)
    hashes = stored(store, 30)
    needed = {min(hashes), max(hashes), hashes[0]}
    store.then = lambda: mark(store, needed)
    assert originals.delete(store, [*hashes, "ab" * 32]).documents == 30 - len(needed)
    assert left(store) == needed
    assert all(hashlib.sha256(store.get(keys.document(one))).hexdigest() == one for one in needed)


def test_what_is_done_by_then_stays(store: Sudden) -> None:
    (sha256,) = stored(store, 1)
    night = clock.utc().date().isoformat()
    task = Task(task_id="new", sha256=sha256, source="message", submitted_at=clock.now())
    record = DocumentResult.of(task, source="message", status="done", run_date=night)
    store.then = lambda: store.put(keys.result(night, "new"), to_json(record))
    assert originals.delete(store, [sha256]).documents == 0
    assert left(store) == {sha256}


def test_what_is_forgotten_while_it_is_written_back_is_deleted_again(
    store: Sudden, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sha256,) = stored(store, 1)
    store.then = lambda: mark(store, {sha256})
    real = store.put

    def put(key: str, data: bytes) -> None:
        if key.startswith(keys.DOCUMENTS):
            store.delete(next(store.list(keys.PENDING)))
        real(key, data)

    monkeypatch.setattr(store, "put", put)
    assert originals.delete(store, [sha256]).documents == 1
    assert left(store) == set()


def test_memory_is_bounded(store: Sudden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "_BYTES", 50)
    sizes = [sum(map(len, part.values())) for part in originals._parts(store, stored(store, 40))]
    assert len(sizes) == 5
    assert max(sizes) < 50 + originals._AT_ONCE * 11


def test_where_it_cannot_be_told_who_needs_them_they_stay(
    store: Sudden, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = stored(store, 3)

    def fails(*_: object) -> None:
        raise StoreUnavailable("It does not answer.")

    monkeypatch.setattr(originals, "_needed", fails)
    with pytest.raises(StoreUnavailable):
        originals.delete(store, hashes)
    assert left(store) == set(hashes)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    times = [NOW]

    def tick() -> datetime:
        times[0] += timedelta(milliseconds=1)
        return times[0]

    monkeypatch.setattr(clock, "_source", tick)
    return times


@pytest.mark.parametrize("how", ["forget", "documents=30", "all=30"])
@pytest.mark.parametrize("count", [1, 25])
def test_a_document_that_is_accepted_meanwhile_is_processed(
    store: Sudden, tmp_path: Path, now: list[datetime], how: str, count: int
) -> None:
    flow = a_flow(tmp_path, store)
    for number in range(count):
        drain_all(flow, flow.reception.accept(text(f"old-{number}", f"The text of number {number}")))
    summarise(store, flow.schedule.run_date())
    now[0] += timedelta(days=40)
    messages: list[Message] = []
    store.then = lambda: messages.extend(flow.reception.accept(text("new-1", "The text of number 0")))
    if how == "forget":
        forget_all(flow)
    else:
        keep(flow, how)
    drain_all(flow, messages)
    assert store.exists(keys.result(flow.schedule.run_date(), "new-1"))
    assert len(left(store)) == 1


def forget_all(flow: Flow) -> None:
    plan = selection.plan(flow.store, Selector(before=flow.schedule.run_date()), actor="alice")
    assert plan is not None
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))


def test_bytes_of_a_new_task_with_the_same_id_stay(tmp_path: Path) -> None:
    flow = a_flow(tmp_path, MemoryStore("again"))
    a_night(flow, tmp_path)
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    forget.carry_out(flow.store, structs.replace(plan, working=True))
    drain_all(flow, flow.reception.accept(text("text-5", "Something else")))
    drain_all(flow, flow.reception.accept(text("text-6", "And more")))
    before = left(flow.store)  # type: ignore[arg-type]
    (noted,) = forgetting.plans(flow.store)
    (target,) = noted.targets
    again = structs.replace(target, hashes=tuple(before))
    forget.carry_out(flow.store, structs.replace(noted, targets=(again,)))
    assert left(flow.store) == before  # type: ignore[arg-type]
