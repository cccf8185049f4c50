"""The devices of one worker: claimed, started when there is work, counted, and ended; their processes are fakes."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import scratch
from pipeline.device import host
from pipeline.device.client import lost_file
from pipeline.device.counters import Counters
from pipeline.device.held import PAUSE, STARTS
from pipeline.device.host import SOCKETS, Devices, addresses
from pipeline.errors import DeviceGone, UsageError
from pipeline.settings import Settings
from tests.support.servers import wait_for
from tests.unit.device.test_held import Fake


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(scratch, "_own", None)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv(SOCKETS, raising=False)
    yield
    if scratch._own is not None:
        os.close(scratch._own[1])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
    """Every process that was started."""
    found: list[Fake] = []

    def launched(*_: object) -> Fake:
        found.append(Fake(1000 + len(found)))
        return found[-1]

    monkeypatch.setattr(host, "Launched", launched)
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: that of a socket has a limit."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def settings(folder: Path, devices: str = "gpu:0,gpu:1") -> Settings:
    return Settings.from_env({}, devices=devices, temp_dir=str(folder))


def test_processes_find_the_devices_by_the_environment(folder: Path, made: list[Fake]) -> None:
    with pytest.raises(DeviceGone, match="no worker and no `nightshift run` holds a device"):
        addresses()
    Devices(settings(folder))
    assert [path.name for path in addresses()] == ["0.sock", "1.sock"]
    assert addresses()[0].parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_may_have_a_colon_in_its_name(folder: Path, made: list[Fake]) -> None:
    own = folder / "night:1"
    own.mkdir()
    Devices(settings(own))
    assert len(addresses()) == 2
    assert addresses()[0].parent.is_dir()


@pytest.mark.parametrize("name", ["x" * 90, "\N{CJK UNIFIED IDEOGRAPH-591C}" * 20])
def test_a_folder_that_is_too_long_for_a_socket_is_refused(folder: Path, name: str) -> None:
    long = folder / name
    long.mkdir()
    with pytest.raises(UsageError, match="set a shorter NIGHTSHIFT_TEMP_DIR"):
        Devices(settings(long))


def test_each_device_has_a_process_from_the_first_work_until_the_end(folder: Path, made: list[Fake]) -> None:
    devices = Devices(settings(folder))
    assert devices.claim() == ""
    assert devices.ids() == set()
    devices.ensure()
    assert devices.ids() == {0, 1}
    wait_for(lambda: devices.pids() == {1000, 1001}, "the processes to start")
    devices.end()
    assert devices.ids() == {0, 1}, "they are there until they are gone"
    for process in made:
        assert process.asked_to_end
        process.how = "ended with exit code 0"
    devices.close()
    assert (devices.ids(), len(made)) == (set(), 2)


def test_two_workers_can_not_have_one_device(folder: Path, made: list[Fake]) -> None:
    one, other = Devices(settings(folder)), Devices(settings(folder, "gpu:1,gpu:2"))
    assert one.claim() == ""
    assert other.claim() == (
        f"The device gpu:1 is held by process {os.getpid()}: give each worker of a machine its own device "
        "(NIGHTSHIFT_DEVICES), or end that process."
    )
    one.unclaim()
    assert other.claim() == ""


def test_a_worker_claims_all_its_devices_or_none(folder: Path, made: list[Fake]) -> None:
    one, other = Devices(settings(folder, "gpu:1")), Devices(settings(folder, "gpu:0,gpu:1"))
    assert one.claim() == ""
    assert "gpu:1" in other.claim()
    assert Devices(settings(folder, "gpu:0")).claim() == ""


def test_a_driver_that_hangs_does_not_keep_a_device_from_being_ended(
    folder: Path, made: list[Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def hangs(*_: object) -> float:
        asked.set()
        answer.wait()
        return 0.0

    monkeypatch.setattr("pipeline.device.progress.used", hangs)
    devices = Devices(settings(folder, "gpu:0"))
    try:
        devices.ensure()
        assert asked.wait(30)
        ending = threading.Thread(target=devices.end, daemon=True)
        ending.start()
        ending.join(10)
        assert not ending.is_alive()
        assert made[0].asked_to_end
        wait_for(lambda: made[0].killed, "the process to be killed, as it does not end")
    finally:
        answer.set()


def test_a_batch_that_hangs_twice_takes_less_than_a_page_may(folder: Path, made: list[Fake]) -> None:
    devices = Devices(settings(folder, "cpu"))
    devices._held[0].want()
    devices.watch()
    made[0].ready = True
    devices.watch()
    limit = Settings().time_limit
    made[0].figures = Counters(1000, since=time.monotonic() - 0.2 * limit)
    devices.watch()
    assert not made[0].killed
    made[0].figures = Counters(1000, since=time.monotonic() - 0.3 * limit)
    devices.watch()
    assert made[0].killed


def test_a_device_that_is_held_stays_claimed(folder: Path, made: list[Fake]) -> None:
    one, other = Devices(settings(folder)), Devices(settings(folder))
    one.claim()
    one.ensure()
    one.unclaim()
    assert other.claim()


def test_a_lost_device_is_reported_once_and_nobody_waits_for_it(
    folder: Path, made: list[Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    devices, now = Devices(settings(folder, "cpu"), said.append), 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    devices._held[0].want()
    for _ in range(STARTS):
        devices.watch()
        made[-1].how = "could not load its models"
        devices.watch()
        now += PAUSE * STARTS
    devices.watch()
    assert said == [devices.lost]
    assert lost_file(addresses()[0]).read_text() == devices.lost
    assert "could not load its models, 3 times in a row" in devices.lost


def test_what_the_processes_did_adds_up_over_restarts(
    folder: Path, made: list[Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, float] = {}

    def count(name: str, *labels: str, by: float = 1.0) -> None:
        assert labels == ("cpu",)
        counted[name] = counted.get(name, 0.0) + by

    monkeypatch.setattr("pipeline.telemetry.count", count)
    devices = Devices(settings(folder, "cpu"))
    devices._held[0].want()
    for _ in range(2):
        devices.watch()
        one = made[-1]
        one.figures = Counters(one.pid, busy=2.0, batches=3, slots=24, images=20)
        one.ready = True
        devices.watch()
        one.figures = Counters(one.pid, busy=3.0, batches=4, slots=32, images=28)
        one.how = "was ended by SIGKILL"
        devices.watch()
    assert devices.progress[0].busy == 6.0
    assert {
        name.removeprefix("nightshift_device_").removesuffix("_total"): n for name, n in counted.items()
    } == {
        "busy_seconds": 6.0,
        "batches": 8,
        "images": 56,
        "slots": 64,
        "starts": 3,
    }


def test_memory_is_that_of_the_process(folder: Path, made: list[Fake]) -> None:
    devices = Devices(settings(folder, "cpu"))
    devices._held[0].want()
    devices.watch()
    made[0].pid = os.getpid()
    devices.watch()
    assert devices.progress[0].memory > 1
    devices.end()
    made[0].how = "ended"
    devices.watch()
    devices.watch()
    assert devices.progress[0].memory == 0
