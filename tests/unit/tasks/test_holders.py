"""What holds models in a worker, and how it is ended."""

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.holders import Holders


class Pool:
    """A pool of three processes, of which 2 works."""

    def __init__(self) -> None:
        self.ended: list[int] = []
        self._pool = [
            SimpleNamespace(pid=pid, terminate_controlled=lambda pid=pid: self.ended.append(pid))
            for pid in (1, 2, 3)
        ]

    def _worker_active(self, process: Any) -> bool:
        return bool(process.pid == 2)


class Devices:
    """Two devices."""

    def __init__(self) -> None:
        self.held, self.calls = {0, 1}, list[str]()

    def ids(self) -> set[int]:
        return self.held

    def pids(self) -> set[int]:
        return {500 + number for number in self.held}

    def ensure(self) -> None:
        self.calls.append("ensure")

    def end(self) -> None:
        self.calls.append("end")


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []

    def kill(pid: int, number: int) -> None:
        assert number == signal.SIGKILL
        found.append(pid)

    monkeypatch.setattr("os.kill", kill)
    return found


def made(pool: Pool, devices: Any, *, children: bool = False) -> Holders:
    return Holders(SimpleNamespace(pool=SimpleNamespace(_pool=pool)), devices, children=children)


def test_without_devices_the_processes_of_the_pool_hold_models(pool: Pool, killed: list[int]) -> None:
    it = made(pool, None)
    it.work_started()
    assert it.ids() == it.processes() == {1, 2, 3}
    it.replace({1, 2})
    assert pool.ended == [1], "2 is not idle"
    it.kill({2, 3})
    assert sorted(killed) == [2, 3]


def test_with_devices_only_they_are_ended(pool: Pool, killed: list[int]) -> None:
    devices = Devices()
    it = made(pool, devices)
    it.work_started()
    assert it.ids() == {-1, -2}
    assert it.processes() == {1, 2, 3, 500, 501}
    it.replace(it.ids())
    it.kill(it.ids())
    assert (devices.calls, pool.ended, killed) == (["ensure", "end", "end"], [], [])
    devices.held = set()
    assert it.ids() == set()


def test_entities_on_a_gpu_are_found_by_the_pool_which_is_replaced_too(pool: Pool) -> None:
    devices = Devices()
    it = made(pool, devices, children=True)
    assert it.ids() == {-1, -2, 1, 2, 3}
    it.replace({1})
    assert (devices.calls, pool.ended) == ([], [1])
