"""A network that forgets connections, a broker that is in alarm or says nothing, an event loop that hangs."""

import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.models import to_json
from pipeline.night.window import Override
from pipeline.storage import keys
from tests.conftest import ROOT
from tests.support.command import BLUE, nightshift, page
from tests.support.night import CELERY, Night, Process, night
from tests.support.servers import wait_for
from tests.support.servers.proxy import Proxy
from tests.support.servers.rabbit import Rabbit

GRACE = 2.0


@pytest.fixture
def proxy(rabbit: Rabbit) -> Iterator[Proxy]:
    it = Proxy(rabbit.port)
    yield it
    it.stop()


def running(pids: set[int]) -> set[int]:
    """Those that are no zombies either."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def seconds_until_gone(held: set[int]) -> float:
    start = time.monotonic()
    wait_for(lambda: not running(held), "the processes with models to be gone", 60)
    return time.monotonic() - start


def begun(it: Night, worker: Process, name: str) -> set[int]:
    """The pool's processes, one of which hangs in a page."""
    pages = sum(it.pages_read().values())
    it.publish([it.document(name, page(it.inbox / f"{name}.png", BLUE))])
    wait_for(lambda: sum(it.pages_read().values()) > pages, "the page to be begun")
    return set(worker.children())


def test_a_forgotten_connection_holds_up_neither_the_close_nor_the_night(
    rabbit: Rabbit, proxy: Proxy, tmp_path: Path
) -> None:
    env = {"NIGHTSHIFT_WINDOW": "never", "NIGHTSHIFT_CLOSE_GRACE": f"{GRACE:.0f}", "PYTHONPATH": str(ROOT)}
    with night(rabbit, tmp_path, proxy.port, **env) as it:
        it.window("open")
        worker = it.ready(it.worker("w1", "-I", "tests.support.stuck"))
        held = begun(it, worker, "hangs")

        proxy.freeze()
        cut = time.monotonic()
        it.window("closed")
        gone = seconds_until_gone(held)
        assert gone <= GRACE + 5
        it.store.delete(keys.pending("hangs"))
        it.window("open")
        it.publish(it.documents(10))
        it.settle(10, 90)
        print(f"models gone {gone:.1f} s after close, normal {time.monotonic() - cut:.1f} s after the cut")  # noqa: T201

        held = begun(it, worker, "again")
        proxy.freeze(new=True)  # the peer is gone, the event loop hangs, and the clock closes the window
        worker.main.send_signal(signal.SIGUSR2)
        ends = datetime.now(UTC) + timedelta(seconds=3)
        it.store.put(keys.control("window"), to_json(Override("open", ends.isoformat())))
        wait_for(lambda: datetime.now(UTC) >= ends, "the window to end")
        gone = seconds_until_gone(held)
        assert gone <= GRACE + 5
        print(f"models gone {gone:.1f} s after close while the event loop hangs")  # noqa: T201


@pytest.fixture
def alarm(rabbit: Rabbit) -> Iterator[Rabbit]:
    yield rabbit
    rabbit.alarm(on=False)


def test_commands_name_an_alarm_and_the_night_goes_on_after_it(alarm: Rabbit, tmp_path: Path) -> None:
    with night(alarm, tmp_path, NIGHTSHIFT_FAKE_SECONDS="0.4") as it:
        worker = it.ready(it.worker())
        it.publish(it.documents(60))
        wait_for(lambda: len(it.ended()) >= 5, "the night to be under way")
        alarm.alarm(on=True)
        one = page(it.inbox / "one.png", (1, 2, 3))
        commands = (["submit", one], ["status"], ["audit", "--repair"], ["failed", "redrive", "--all"])
        for command in commands:
            started = time.monotonic()
            done = nightshift(*command, **it.env)
            assert (done.returncode, "in alarm (low on memory)" in done.stderr) == (1, True), command
            assert time.monotonic() - started < 15
        ping = [str(CELERY), "-A", "tasks", "inspect", "ping", "--timeout=10"]
        asked = subprocess.run(
            ["env", f"--chdir={ROOT}", *(f"{k}={v}" for k, v in it.env.items()), *ping],
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )
        assert (asked.returncode, "in alarm" in asked.stderr) == (1, True)
        wait_for(lambda: "RabbitMQ is in alarm" in worker.text(), "the worker to notice")
        alarm.alarm(on=False)
        wait_for(lambda: "no longer in alarm" in worker.text(), "the worker to notice that it is over")
        it.settle(60)
        assert it.depth("dead") == 0


def test_a_broker_that_says_nothing_is_named(rabbit: Rabbit, proxy: Proxy, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, proxy.port) as it:
        it.window("open")  # there is a store
        proxy.freeze(new=True)
        started = time.monotonic()
        done = nightshift("status", **it.env)
        assert time.monotonic() - started < 15
        assert done.returncode == 1
        assert f"RabbitMQ at amqp://guest:**@127.0.0.1:{proxy.port}/{it.vhost} does not answer" in done.stderr
