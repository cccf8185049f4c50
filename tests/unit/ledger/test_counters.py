"""Counters of many processes: what is read is what happened, whichever process folds, dies, pauses and comes back."""

import logging
import os
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline import clock
from pipeline.errors import NotFound, StoreUnavailable
from pipeline.ledger import counters, counting, folding
from pipeline.ledger.counters import Sums, Written
from pipeline.ledger.counting import Counting
from pipeline.models import Task, to_json
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore

DAY, NEXT = "2026-11-22", "2026-11-23"
NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[datetime]]:
    """The time, to be set; and no threads."""
    monkeypatch.setattr(Counting, "_look_after", lambda _: None)
    moment = [NOW]
    clock.take_from(lambda: moment[0])
    yield moment
    clock.take_from(None)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore("counted")


def writer(store: MemoryStore, day: str = DAY) -> Counting:
    return Counting(store, lambda: day)


def task(name: str = "a", **more: Any) -> Task:
    return Task(task_id=name, sha256=None, source="x", **more)


def objects(store: MemoryStore) -> list[str]:
    return [key for key in store.list(keys.COUNTERS) if not keys.is_counter_base(key)]


def fold(store: MemoryStore, **more: Any) -> None:
    folding.fold(store, counters.read(store), clock.utc(), **more)


def test_the_backlog_is_what_all_processes_have_counted(store: MemoryStore) -> None:
    producer, worker = writer(store), writer(store)
    plain, urgent = task("a"), task("b", priority=9)
    producer.accepted(plain)
    producer.accepted(urgent)
    producer.accepted(task("c", priority=0, media_type="application/pdf", pages=7, reprocess=True))
    known = task("a", media_type="image/png", pages=3)
    worker.moved(plain, known)
    for one in (producer, worker):
        one.flush()
    backlog = counters.read(store).backlog()
    assert {name: (amount.documents, amount.pages) for name, amount in backlog.by.items()} == {
        "urgent|unknown": (1, 0),
        "normal|ocr": (1, 3),
        "backfill|ocr": (1, 7),
    }
    assert (backlog.documents, backlog.pages, backlog.types, backlog.again) == (3, 10, {"document": 2}, 1)
    worker.gone(known)
    worker.flush()
    assert counters.read(store).backlog().documents == 2


def test_each_process_has_one_object_which_it_replaces(store: MemoryStore) -> None:
    one = writer(store)
    for n in range(5):
        one.accepted(task(str(n)))
        one.flush()
    assert len(objects(store)) == 1
    one.flush()
    assert counters.read(store).backlog().documents == 5


def test_what_a_new_night_counts_is_in_an_object_of_its_own(store: MemoryStore) -> None:
    day = [DAY]
    one = Counting(store, lambda: day[0])
    one.worked({"pages": 3})
    one.flush()
    day[0] = NEXT
    one.worked({"pages": 4, "step|ocr": 1.5})
    one.flush()
    one.worked({"pages": 1})
    one.flush(last=True)
    assert [key.split("/")[1] for key in objects(store)] == [DAY, NEXT]
    assert all(one.ended for one in counters.read(store).written.values())
    state = counters.read(store)
    assert (state.night(DAY).pages, state.night(NEXT).pages) == (3, 5)
    assert state.night(NEXT).step_seconds == {"ocr": 1.5}


def test_a_store_that_fails_costs_nothing_but_a_line_a_minute(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    one = writer(store)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "nightshift"):
        patch.setattr(store, "put", fail)
        for n in range(3):
            one.accepted(task(str(n)))
            one.flush()
    assert [r.message for r in caplog.records if "counters of this process" in r.message] != []
    assert len(caplog.records) == 1
    one.flush()
    assert counters.read(store).backlog().documents == 3, "nothing is forgotten meanwhile"


def test_a_forked_process_counts_from_zero(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    one = writer(store)
    one.accepted(task("a"))
    one.flush()
    monkeypatch.setattr(os, "getpid", lambda: -5)
    one.accepted(task("b"))
    one.flush()
    assert len(objects(store)) == 2
    assert counters.read(store).backlog().documents == 2


def test_the_thread_writes_without_being_asked(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(counting, "PERIOD", 0.01)
    one = writer(store)
    one.accepted(task())
    thread = one._thread
    assert thread is not None
    assert thread.daemon
    for _ in range(1000):
        if objects(store):
            break
        thread.join(0.01)
    assert counters.read(store).backlog().documents == 1


def test_a_process_ends_although_the_store_hangs(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()
    one = writer(store)
    one.accepted(task())
    monkeypatch.setattr(counting, "_started", {store.url: one})
    with monkeypatch.context() as patch:
        patch.setattr(store, "put", lambda *_: hanging.wait(60))
        counting.stop(0.05)
        counting.stop(0.05)
        assert objects(store) == []
        hanging.set()
    for thread in threading.enumerate():
        if thread.name == "last-counters":
            thread.join(30)


def test_ended_processes_leave_nothing_behind_and_nothing_is_lost(store: MemoryStore) -> None:
    fold(store, counted={})
    for n in range(folding.MANY):
        one = writer(store)
        one.accepted(task(str(n)))
        one.flush(last=True)
    state = counters.read(store)
    assert folding.is_due(state, NOW)
    fold(store)
    assert len(objects(store)) == folding.MANY, "what is folded is deleted by the next one only"
    fold(store)
    assert objects(store) == []
    state = counters.read(store)
    assert state.backlog().documents == folding.MANY
    assert not folding.is_due(state, NOW)
    fold(store)
    assert counters.read(store).base is not None
    assert counters.read(store).base.seen == {}  # type: ignore[union-attr]
    assert len(list(store.list(keys.COUNTERS))) == 2, "the base, and the one before"


def test_a_paused_process_that_comes_back_counts_once(store: MemoryStore, now: list[datetime]) -> None:
    one = writer(store)
    one.accepted(task("a"))
    one.flush()
    fold(store, counted={"documents|normal|unknown|new|document": 1})
    now[0] += timedelta(hours=7)
    fold(store)
    assert objects(store) == [], "it was silent"
    one.accepted(task("b"))
    one.flush()
    assert counters.read(store).backlog().documents == 2
    fold(store)
    assert counters.read(store).backlog().documents == 2


def test_a_late_fold_changes_nothing(store: MemoryStore) -> None:
    one, other = writer(store), writer(store)
    one.accepted(task("a"))
    one.flush()
    fold(store, counted={"documents|normal|unknown|new|document": 1})
    late = counters.read(store)
    for n in range(3):
        other.accepted(task(str(n)))
        other.flush(last=True)
        fold(store)
    folding.fold(store, late, NOW)  # paused since it read
    assert counters.read(store).backlog().documents == 4


def test_reading_while_another_process_folds_reads_again(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = writer(store)
    one.accepted(task("a"))
    one.flush(last=True)
    fold(store, counted={"documents|normal|unknown|new|document": 1})
    get, calls = store.get, list[str]()

    def folded_meanwhile(key: str) -> bytes:
        if not keys.is_counter_base(key) and not calls:
            calls.append(key)
            fold(store)
        return get(key)

    monkeypatch.setattr(store, "get", folded_meanwhile)
    state = counters.read(store)
    assert calls
    assert state.backlog().documents == 1
    with pytest.raises(NotFound):
        get(calls[0])


def test_damaged_objects_are_left_out(store: MemoryStore) -> None:
    one = writer(store)
    one.accepted(task("a"))
    one.flush()
    fold(store, counted={"documents|normal|unknown|new|document": 1})
    store.put(keys.counter(DAY, "ab" * 8), b"{")
    store.put(keys.counter_base(9, NOW, "ab" * 4), b"{")
    store.put(keys.counter(DAY, "cd" * 8), to_json(Written(at=NOW, sums={"documents|of_another_version": 2})))
    assert counters.read(store).backlog().documents == 1


def test_old_nights_are_not_kept_for_ever(store: MemoryStore) -> None:
    one = writer(store)
    for n in range(40):
        day = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)).date().isoformat()
        one.count({f"night|{day}|done": 1})
    one.flush(last=True)
    fold(store, counted={})
    fold(store)
    assert sum(name.startswith("night|") for name in counters.read(store).sums) == folding.NIGHTS


def test_living_processes_are_known_by_their_objects(store: MemoryStore, now: list[datetime]) -> None:
    many = [Counting(store, lambda: DAY, worker=name) for name in ("h/1", "h/1", "h/2")]
    many[0].worked({"busy": 2.0})
    many[1].worked({"busy": 1.0})
    many[2].worked({"step|ingest": 1.0})
    writer(store).accepted(task())
    for one in many:
        one.flush()
    assert counters.read(store).processes(DAY, clock.utc()) == (2, 2)
    now[0] += timedelta(minutes=4)
    many[2].flush(alive=True)
    now[0] += timedelta(minutes=4)
    assert counters.read(store).processes(DAY, clock.utc()) == (0, 1)


def test_a_worker_that_has_counted_nothing_is_known_from_its_start_to_its_end(
    store: MemoryStore, now: list[datetime]
) -> None:
    day = [DAY]
    one = Counting(store, lambda: day[0], worker="host/1")
    one.flush(alive=True)
    assert not objects(store), "a process of a pool, which has done nothing"
    one.present()
    one.flush()
    assert len(objects(store)) == 1
    for _ in range(3):
        now[0] += timedelta(seconds=counting.HEARTBEAT)
        one.flush(alive=True)
        assert counters.read(store).processes(DAY, now[0]) == (0, 1)
    assert len(objects(store)) == 1
    day[0] = NEXT
    one.flush(alive=True)
    assert counters.read(store).processes(NEXT, now[0]) == (0, 1), "nor is it missed for a moment"
    one.flush(last=True)
    assert counters.read(store).processes(NEXT, now[0]) == (0, 0)
    killed = Counting(store, lambda: NEXT, worker="host/2")
    killed.present()
    killed.flush()
    assert counters.read(store).processes(NEXT, now[0]) == (0, 1)
    now[0] += counters.ALIVE + timedelta(seconds=1)
    assert counters.read(store).processes(NEXT, now[0]) == (0, 0)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_at_once_the_sum_is_what_was_counted(
    store: MemoryStore, now: list[datetime], seed: int
) -> None:
    """Writers that count, put, pause and end; folders that pause between reading, writing and deleting."""
    rng = random.Random(seed)
    truth, writers = 0, [writer(store) for _ in range(3)]
    started: list[Any] = []  # folds in progress, each a generator
    store.put(keys.counter_base(1, NOW, "00" * 4), to_json(counters.Base(number=1, recounted=NOW)))
    for _ in range(300):
        now[0] += timedelta(minutes=rng.choice((0, 1, 120)), milliseconds=1)
        one = rng.choice(writers)
        step = rng.random()
        if step < 0.4:
            one.accepted(task())
            truth += 1
        elif step < 0.65:
            one.flush()
        elif step < 0.7:
            one.flush(last=True)
            writers[writers.index(one)] = writer(store)
        elif step < 0.8:
            started.append(_slow_fold(store, rng))
        elif started:
            rng.choice(started).send(None)
    for one in writers:
        one.flush()
    assert counters.read(store).backlog().documents == truth


def _slow_fold(store: MemoryStore, rng: random.Random) -> Iterator[bool]:
    """A fold that can be paused: `folding.fold`, step by step."""
    state = counters.read(store)
    at = clock.utc()
    yield True
    base = folding.new_base(state, at)
    store.put(keys.counter_base(base.number, at, f"{rng.getrandbits(32):08x}"), to_json(base))
    yield True
    for key in state.bases[1:]:
        store.delete(key)
        yield True
    for key in folding.superfluous(state, at):
        folding.drop(store, key, state.written[key])
        yield True
    while True:
        yield False


def test_zero_sums_are_not_kept() -> None:
    state = counters.State(base=counters.Base(sums=Sums({"open|failed": 0})), written={})
    assert folding.new_base(state, NOW).sums == {}


def test_memory_of_a_night_by_device_and_host() -> None:
    def one(worker: str, ended: bool = False, at: datetime = NOW, **memory: float) -> Written:
        named = {device.replace("_", ":"): mib for device, mib in memory.items()}
        return Written(at=at, sums={"x": 1}, worker=worker, ended=ended, memory=named)

    def memory(*written: Written) -> dict[str, float]:
        return counters.State(base=None, written={str(n): w for n, w in enumerate(written)}).memory(NOW)

    assert memory(one("a/1", cpu=900.0), one("a/1", cpu=800.0), one("a/1")) == {"cpu": 1700.0}
    assert memory(one("a/1", gpu_0=4000.0), one("a/2", gpu_0=4001.0, gpu_1=7.0)) == {
        "gpu:0": 4001.0,
        "gpu:1": 7.0,
    }
    assert memory(one("a/1", gpu_0=1.0), one("b/1", gpu_0=2.0)) == {"a gpu:0": 1.0, "b gpu:0": 2.0}
    old = NOW - counters.ALIVE - timedelta(seconds=1)
    assert memory(one("a/1", ended=True, cpu=5.0), one("a/2", at=old, cpu=5.0)) == {}


def test_the_memory_is_asked_for_at_each_put_and_gone_with_the_process(store: MemoryStore) -> None:
    held = {"cpu": 930.0}
    one = Counting(store, lambda: DAY, worker="a/1", memory=lambda: held)
    one.worked({"busy": 1.0})
    one.flush()
    assert counters.read(store).memory(clock.utc()) == {"cpu": 930.0}
    held.clear()
    one.moved_memory()
    one.flush()
    assert counters.read(store).memory(clock.utc()) == {}
    held["cpu"] = 1.0
    one.flush(last=True)
    assert counters.read(store).memory(clock.utc()) == {}
