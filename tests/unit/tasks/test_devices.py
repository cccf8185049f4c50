"""The devices of a worker: what the night counts of them, and how a worker ends that has lost one."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery.worker import state

from pipeline import clock
from pipeline.device.host import Devices
from pipeline.device.progress import Progress
from pipeline.errors import ExitCode
from pipeline.ledger import counters
from pipeline.night.night import Night
from pipeline.storage.memory import MemoryStore
from tasks import devices

DAY = "2026-11-22"


def test_each_device_counts_its_seconds_and_memory_as_a_process_of_the_night() -> None:
    store = MemoryStore("memory://devices")
    night = SimpleNamespace(store=store, schedule=SimpleNamespace(run_date=lambda: DAY))
    progress = Progress("gpu:0"), Progress("gpu:1")
    counted = devices.Counted(cast(Night, night), cast(Devices, SimpleNamespace(progress=progress)))
    for seconds in (1.0, 2.5, 2.5):
        for one in progress:
            one.busy, one.memory = seconds, 900.0
        counted.tick()
    for _, counting in counted._each:
        counting.flush()
    now = counters.read(store)
    assert now.night(DAY).busy_seconds == 5.0
    assert now.processes(DAY, clock.utc()) == (2, 1)
    assert now.memory(clock.utc()) == {"gpu:0": 900.0, "gpu:1": 900.0}
    for one in progress:
        one.memory = 0.0
    counted.released()
    for _, counting in counted._each:
        counting.flush()
    assert counters.read(store).memory(clock.utc()) == {}


def test_a_worker_without_devices_counts_none() -> None:
    counted = devices.Counted(cast(Night, None), None)
    counted.tick()
    counted.released()
    assert counted._each == []


def test_a_worker_that_lost_a_device_stops_with_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found: Any = SimpleNamespace(should_stop=None)
    monkeypatch.setattr(devices, "state", found)
    devices._lost("The device gpu:0 is lost.")
    assert found.should_stop == int(ExitCode.DEVICE)
    assert "The device gpu:0 is lost. The worker ends (exit code 8)." in caplog.text
    assert state.should_stop is None
