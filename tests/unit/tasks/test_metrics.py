"""When a worker is well, and what becomes of metrics that cannot be served or counted."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.telemetry import registry
from pipeline.telemetry.shared import Shared
from tasks import metrics
from tasks.hung import Hung
from tasks.metrics import Health, Metrics


class Worker:
    """A worker whose loop and connection a test moves."""

    def __init__(self) -> None:
        self.ticks = self.beats = self.answers = 0
        self.health = Health(lambda: self.ticks, lambda: self.answers, lambda: self.beats)
        self.now = 0.0

    def seconds(self, count: int, *, ticks: int = 0, beats: int = 0, answers: int = 1) -> str:
        for _ in range(count):
            self.now += 1.0
            self.answers += answers
            self.ticks += ticks
            self.beats += beats
            self.health.look(self.now)
        return self.health.trouble


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    yield Settings.from_env({}, metrics_address="127.0.0.1:9809", temp_dir=str(tmp_path))
    registry.stop()


def test_a_worker_that_ticks_is_well() -> None:
    worker = Worker()
    assert "starting" in worker.seconds(3, beats=1)
    assert worker.seconds(60, ticks=1, beats=1) == ""
    assert worker.seconds(9) == "", "a pause of a busy machine is none"
    assert worker.health.page() == (200, b"ok\n", "text/plain; charset=utf-8")


def test_a_loop_that_is_stuck_and_a_broker_that_is_gone_are_told_apart() -> None:
    worker = Worker()
    worker.seconds(5, ticks=1, beats=1)
    assert "RabbitMQ" in worker.seconds(20, beats=1)
    assert worker.seconds(1, ticks=1, beats=1) == ""
    assert "stuck for 20 s" in worker.seconds(20)
    assert worker.health.page().status == 503
    assert worker.seconds(1, ticks=1, beats=1) == ""


def test_a_broker_that_is_frozen_is_noticed_although_its_connections_are_open() -> None:
    worker = Worker()
    worker.seconds(5, ticks=1, beats=1)
    assert worker.seconds(14, ticks=1, beats=1, answers=0) == ""
    assert worker.seconds(1, ticks=1, beats=1, answers=0) == "RabbitMQ has not answered for 15 s."
    assert "RabbitMQ" in worker.seconds(20, answers=0), "the loop waits for it as well"
    assert worker.seconds(1, ticks=1, beats=1) == ""


def test_a_machine_that_slept_counts_as_a_second() -> None:
    worker = Worker()
    worker.seconds(5, ticks=1, beats=1)
    worker.now += 3600
    assert worker.seconds(1) == ""


def test_without_an_address_nothing_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.FOLDER, str(tmp_path))
    metrics.start(Settings.from_env({}))
    assert registry.FOLDER not in os.environ, "of another program: processes of the pool must not use it"
    metrics.join(Settings.from_env({}))
    assert not list(tmp_path.iterdir())


def test_a_folder_without_room_costs_the_metrics_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    metrics.start(settings)
    assert registry.FOLDER not in os.environ
    metrics.serve(lambda: 1, None, set)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "No space left" in caplog.text


def test_an_address_in_use_is_said_once_and_tried_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    class Taken:
        def __init__(self, *given: object) -> None:
            tries.append(given)
            if len(tries) < 3:
                raise OSError(98, "Address already in use")

        def in_thread(self) -> None:
            pass

    monkeypatch.setattr(metrics, "Server", Taken)
    caplog.set_level(logging.INFO, "nightshift.metrics")
    served = Metrics(settings, Shared(tmp_path), Health(lambda: 1, lambda: 1), Hung(set, dict))
    for second in range(20):
        served.look(float(second))
    assert len(tries) == 3
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "NIGHTSHIFT_METRICS_ADDRESS" in caplog.text
