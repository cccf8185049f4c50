"""What the gate notes at close; the gate itself is tested with real workers, in tests/acceptance."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency.prefork import TaskPool
from kombu import Queue

from pipeline.models import to_json
from pipeline.night.window import Override
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tasks.gate import Gate
from tests.support.servers import wait_for


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A gate's surroundings: a store, no window, urgent work by day, no thread, and a clock to set."""
    for name, value in {"STORE_URL": str(tmp_path), "WINDOW": "never", "URGENT_BY_DAY": "true"}.items():
        monkeypatch.setenv(f"NIGHTSHIFT_{name}", value)
    monkeypatch.setattr(Gate, "_watch_override", lambda _: None)
    monkeypatch.setattr(Gate, "_busiest", lambda *args: args[2])
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("tasks.gate.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class Queues(dict[str, Queue]):
    consume_from = ("urgent", "ocr")

    def deselect(self, name: str) -> None:
        """Celery's own bookkeeping."""


def consumer() -> Any:
    """As much of Celery's consumer as the gate touches, with a pool whose processes are gone."""
    worker = SimpleNamespace(pool_cls=TaskPool, process_task=None, _process_task=None, _process_task_sem=0)
    return SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=Queues(urgent=Queue("urgent"), ocr=Queue("ocr")))),
        controller=worker,
        on_task_request=lambda _: None,
        pool=SimpleNamespace(_pool=SimpleNamespace(_pool=[])),
        hostname="w1@host",
    )


def test_the_release_is_noted_under_the_night_that_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_STORE_URL", str(tmp_path))
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "always")
    monkeypatch.setattr(Gate, "_watch_override", lambda _: None)
    it, store = consumer(), LocalStore(tmp_path)
    gate = Gate(it)
    monkeypatch.setattr(gate.place.schedule, "run_date", lambda: "2026-11-21")
    it.on_task_request(SimpleNamespace(delivery_info={"routing_key": "step.ocr"}))
    monkeypatch.setattr(
        gate.place.schedule, "run_date", lambda: "2026-11-22"
    )  # after close: the coming night's
    gate._close(it, [])
    wait_for(lambda: list(store.list(keys.NIGHTS)), "the note", 10)
    (key,) = store.list(keys.NIGHTS)
    assert keys.run_date_of(key) == "2026-11-21"


class Held:
    """A request in hand."""

    def __init__(self, queue: str) -> None:
        self.id, self.delivery_info, self.done = queue, {"routing_key": f"step.{queue}"}, ""

    def reject(self, requeue: bool) -> None:
        self.done = f"rejected {requeue}"

    def cancel(self, pool: object, signal: str, emit_retry: bool) -> None:
        self.done += f", {signal}"


class Pooled:
    """A pool process; when it ends, another comes."""

    def __init__(self, pid: int, pool: Any) -> None:
        self.pid, self.pool = pid, pool

    def terminate_controlled(self) -> None:
        self.pool._pool = [Pooled(self.pid + 1, self.pool)]


def test_at_close_normal_work_stops_though_urgent_work_goes_on(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "always")
    selected: list[list[str]] = []
    monkeypatch.setattr(Gate, "_select", lambda *args: selected.append(args[2]))
    it = consumer()
    pool = it.pool._pool
    pool._worker_active = lambda _: False
    pool._pool = [Pooled(1, pool)]
    gate = Gate(it)
    normal, urgent = Held("ocr"), Held("urgent")
    for request in (normal, urgent):
        it.on_task_request(request)
    in_hand = {normal, urgent}
    monkeypatch.setattr("tasks.gate.state.active_requests", in_hand)
    gate._tick(it)
    monkeypatch.setattr(gate, "_open", lambda: False)

    def at(seconds: float) -> bool:
        clock.now = seconds
        gate._tick(it)
        return gate.used

    assert at(100)
    assert selected[-1] == ["urgent"]
    assert at(124)
    assert (normal.done, urgent.done) == ("", "")
    assert at(126)
    assert (normal.done, urgent.done) == ("rejected True, KILL", "")
    in_hand.remove(normal)
    pool._pool = [Pooled(2, pool)]  # in place of the killed one: urgent work has it load a model
    assert at(200)
    in_hand.remove(urgent)
    assert at(224), "models are kept for the next urgent document"
    assert at(226)
    assert [process.pid for process in pool._pool] == [3]
    assert not at(227)
    wait_for(lambda: list(LocalStore(tmp_path).list(keys.NIGHTS)), "the note", 10)

    (note,) = LocalStore(tmp_path).list(keys.NIGHTS)
    LocalStore(tmp_path).delete(note)
    clock.now = 1000
    it.on_task_request(urgent)
    in_hand.add(urgent)
    assert at(1010)
    in_hand.remove(urgent)
    assert at(1034)
    assert at(1036)
    assert not at(1037)
    assert not list(LocalStore(tmp_path).list(keys.NIGHTS)), "no night ended here"


def test_urgent_work_that_the_operator_stops_has_its_grace(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gate, "_select", lambda *_: None)
    it, urgent = consumer(), Held("urgent")
    gate = Gate(it)
    it.on_task_request(urgent)
    monkeypatch.setattr("tasks.gate.state.active_requests", {urgent})
    for clock.now in range(100):
        gate._tick(it)
    gate.override = Override("closed", (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    for clock.now, done in ((100, ""), (123, ""), (126, "rejected True, KILL")):
        gate._tick(it)
        assert urgent.done == done


@pytest.mark.usefixtures("clock")
def test_a_raw_message_is_no_gpu_work_whatever_its_key() -> None:
    it, received = consumer(), list[Any]()
    it.on_task_request = received.append
    Gate(it)
    request = SimpleNamespace(delivery_info={"routing_key": "ocr"})
    it.on_task_request(request)
    assert received == [request]


@pytest.mark.usefixtures("clock")
def test_an_operator_who_closes_the_window_stops_urgent_work_too() -> None:
    gate = Gate(consumer())
    assert (gate._lanes(), gate.place.schedule.may_use_gpu(9), gate.place.schedule.may_use_gpu(5)) == (
        ["urgent"],
        True,
        False,
    )
    gate.override = Override("closed", (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    gate.place.store.put(keys.control("window"), to_json(gate.override))
    assert (gate._lanes(), gate.place.schedule.may_use_gpu(9)) == ([], False)
