"""Which workers hang: those with a stopped process, or a step that outlives its limit. Busy ones do not."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tasks.hung import OVERDUE, STOPPED, Hung, is_stopped
from tests.support.servers import wait_for


@pytest.fixture
def sleeper() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


class Worker:
    """A worker whose processes and steps a test chooses."""

    def __init__(self, *processes: int) -> None:
        self.steps: dict[str, float] = {}
        self.hung = Hung(lambda: processes, lambda: self.steps)
        self.now = 1000.0

    def seconds(self, count: float) -> str:
        for _ in range(int(count)):
            self.now += 1.0
            self.hung.look(self.now)
        return self.hung.trouble


def test_a_busy_worker_does_not_hang(sleeper: int) -> None:
    worker = Worker(sleeper, 999_999_999)
    worker.steps = {"a": 310.0}
    assert worker.seconds(310 + OVERDUE) == ""
    assert worker.hung.page() == (200, b"ok\n", "text/plain; charset=utf-8")


def test_a_step_that_nobody_ends_hangs_the_worker() -> None:
    worker = Worker()
    worker.steps = {"long": 1500.0, "short": 310.0}
    worker.seconds(310 + OVERDUE + 2)
    assert worker.hung.trouble == "A step with a time limit of 310 s has been running for 371 s."
    assert worker.hung.page().status == 503
    worker.steps = {"next": 310.0}
    assert worker.seconds(310) == ""


def test_a_stopped_process_hangs_the_worker_until_it_goes_on(sleeper: int) -> None:
    worker = Worker(os.getpid(), sleeper)
    os.kill(sleeper, signal.SIGSTOP)
    wait_for(lambda: is_stopped(sleeper), "the process to stop")
    assert worker.seconds(STOPPED) == ""
    assert worker.seconds(1) == f"Process {sleeper} of this worker has been stopped for 5 s."
    os.kill(sleeper, signal.SIGCONT)
    wait_for(lambda: not is_stopped(sleeper), "the process to go on")
    assert worker.seconds(1) == ""


def test_a_machine_that_slept_counts_as_a_second() -> None:
    worker = Worker()
    worker.steps = {"a": 310.0}
    worker.seconds(2)
    worker.now += 3600
    assert worker.seconds(1) == ""
