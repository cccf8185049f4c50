"""What the gate notes at close; the gate itself is tested with real workers, in tests/acceptance."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency.prefork import TaskPool
from kombu import Queue

from pipeline import keys
from pipeline.storage.local import LocalStore
from tasks.gate import Gate
from tests.servers import wait_for


class Queues(dict[str, Queue]):
    consume_from = ("ocr",)

    def deselect(self, name: str) -> None:
        """Celery's own bookkeeping."""


def consumer() -> Any:
    """As much of Celery's consumer as the gate touches, with a pool whose processes are gone."""
    worker = SimpleNamespace(pool_cls=TaskPool, process_task=None, _process_task=None, _process_task_sem=0)
    return SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=Queues(ocr=Queue("ocr")))),
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
    monkeypatch.setattr(gate.flow, "run_date", lambda: "2026-11-21")
    it.on_task_request(SimpleNamespace(delivery_info={"routing_key": "step.ocr"}))
    monkeypatch.setattr(gate.flow, "run_date", lambda: "2026-11-22")  # after close: the coming night's
    gate._close(it)
    wait_for(lambda: list(store.list(keys.NIGHTS)), "the note", 10)
    (key,) = store.list(keys.NIGHTS)
    assert keys.run_date_of(key) == "2026-11-21"
