"""What the driver of a GPU says; a missing or failing one is no trouble."""

import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.telemetry.devices import Devices


class NVMLError(Exception):
    pass


def driver(**more: Any) -> SimpleNamespace:
    """A driver with two GPUs, the second of which has no utilization."""

    def rates(handle: int) -> SimpleNamespace:
        if handle:
            raise NVMLError("not supported")
        return SimpleNamespace(gpu=40)

    return SimpleNamespace(
        **{
            "NVMLError": NVMLError,
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=1024 + handle),
            "nvmlDeviceGetUtilizationRates": rates,
        }
        | more
    )


def test_memory_and_utilization_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver())
    assert Devices().read() == {
        ("nightshift_device_memory_bytes", ("gpu:0",)): 1024.0,
        ("nightshift_device_memory_bytes", ("gpu:1",)): 1025.0,
        ("nightshift_device_utilization_ratio", ("gpu:0",)): 0.4,
    }


def test_without_a_driver_nothing_is_said_but_one_line_for_debugging(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise NVMLError("NVML Shared Library Not Found")

    monkeypatch.setitem(sys.modules, "pynvml", driver(nvmlInit=missing))
    caplog.set_level(logging.DEBUG, "nightshift")
    devices = Devices()
    assert [devices.read(), devices.read()] == [{}, {}]
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


def test_a_driver_that_fails_later_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Iterator[int | NVMLError] = iter([2, NVMLError("lost"), 2])

    def counted() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setitem(sys.modules, "pynvml", driver(nvmlDeviceGetCount=counted))
    devices = Devices()
    assert [len(devices.read()) for _ in range(3)] == [3, 0, 3]
