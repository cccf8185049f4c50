"""What a client does when its device process dies, hangs, ends or loses its device."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.device.blank import SIZES
from pipeline.device.client import Client, lost_file
from pipeline.device.counters import EXIT_LOST, Counters, read_counters
from pipeline.device.launch import EXIT_BLANK
from pipeline.errors import DeviceUnavailable, Poison
from pipeline.ocr.batched import Answer
from tests.support.devices import BLUE, CYAN, RED, Place, colour_of, device_place, picture, until

Asked = Future[list[Answer]]


@pytest.fixture
def place() -> Iterator[Place]:
    with device_place() as it:
        yield it


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as it:
        yield it


@pytest.fixture
def host(place: Place) -> Iterator[list[int]]:
    """Starts the next process whenever one has ended, as a host does; the list has their exit codes."""
    codes: list[int] = []
    ending = threading.Event()

    def watch() -> None:
        process = place.start("most=8 batch=0.01", wait=False)
        while not ending.wait(0.01):
            if process.poll() is not None:
                codes.append(process.returncode)
                process = place.start("most=8 batch=0.01", wait=False)

    thread = threading.Thread(target=watch)
    thread.start()
    yield codes
    ending.set()
    thread.join()


def computing(place: Place) -> bool:
    """Whether a batch is in progress."""
    return place.counters.since > 0


def test_what_was_computed_and_what_waited_is_computed_by_the_next_process(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    process = place.start("most=4 batch=60")
    client = place.client(lines=16)
    asked = [pool.submit(client.ask, "detect", [picture((n, 1, 1)), picture((n, 2, 2))]) for n in range(6)]
    until(lambda: computing(place))
    place.restart(process, "most=4")
    assert [[colour_of(answer) for answer in one.result(60)] for one in asked] == [
        [(n, 1, 1), (n, 2, 2)] for n in range(6)
    ]
    counters = place.counters
    assert counters.images == 12
    alone = (4 * counters.batches - counters.slots) / 3
    assert alone >= 2, "what was being computed is computed alone"


def test_an_image_that_kills_the_process_twice_is_poison_and_no_other(
    place: Place, pool: ThreadPoolExecutor, host: list[int]
) -> None:
    client = place.client(lines=16)
    good = [pool.submit(client.ask, "detect", [picture((n, 1, 1))]) for n in range(10)]
    with pytest.raises(Poison):
        client.ask("detect", [picture(), picture(RED), picture()])
    assert [colour_of(one.result(60)[0])[0] for one in good] == list(range(10))
    until(lambda: len(host) == 2)
    assert host == [-signal.SIGSEGV] * 2


def test_several_kinds_of_poison_at_once(place: Place, pool: ThreadPoolExecutor, host: list[int]) -> None:
    client = place.client(lines=16)
    good = [pool.submit(client.ask, "detect", [picture((n, 1, 1))]) for n in range(8)]
    bad = [pool.submit(client.ask, "detect", [picture(RED)]) for _ in range(3)]
    assert all(isinstance(one.exception(60), Poison) for one in bad)
    assert [colour_of(one.result(60)[0])[0] for one in good] == list(range(8))
    assert 4 <= len(host) <= 6


def test_a_hung_batch_is_seen_and_costs_its_image_once_killed_twice(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    process = place.start()
    client = place.client()
    asked = pool.submit(client.ask, "detect", [picture(BLUE)])
    for _ in range(2):
        until(lambda: place.counters.computing > 0.05)
        process = place.restart(process)
    assert isinstance(asked.exception(60), Poison)
    assert len(client.ask("detect", [picture()])) == 1


def test_an_image_that_loses_the_device_twice_is_poison_and_no_other(
    place: Place, pool: ThreadPoolExecutor, host: list[int]
) -> None:
    client = place.client(lines=16)
    good = [pool.submit(client.ask, "detect", [picture((n, 1, 1))]) for n in range(6)]
    with pytest.raises(Poison):
        client.ask("detect", [picture(), picture(CYAN), picture()])
    assert [colour_of(one.result(60)[0])[0] for one in good] == list(range(6))
    until(lambda: len(host) == 2)
    assert host == [EXIT_LOST] * 2


def test_what_was_computed_when_the_device_was_lost_is_computed_alone(place: Place) -> None:
    process = place.start(f"lost={len(SIZES) + 1}")
    ask = ThreadPoolExecutor(1).submit(place.client().ask, "detect", [picture((n, 1, 1)) for n in range(3)])
    assert process.wait(60) == EXIT_LOST
    place.start("most=4")
    assert [colour_of(answer)[0] for answer in ask.result(60)] == [0, 1, 2]
    assert place.counters.slots == place.counters.batches == 3


@pytest.mark.parametrize(
    ("simulation", "code"),
    [("lost=1", EXIT_LOST), ("dies=1", -signal.SIGKILL), ("raises=1", EXIT_BLANK), ("pixels=99", EXIT_BLANK)],
)
def test_a_device_that_computes_no_blank_image_is_never_ready(
    place: Place, simulation: str, code: int
) -> None:
    process = place.start(simulation)
    assert process.wait(60) == code
    assert read_counters(place.address) is None
    with pytest.raises(DeviceUnavailable):
        place.client(patience=0.1).ask("detect", [picture()])


def test_blank_images_are_not_counted(place: Place) -> None:
    place.start("batch=60 image=60")
    assert place.counters._replace(pid=0) == Counters(0)


def test_nobody_waits_longer_than_it_may_for_a_process_that_loads(place: Place) -> None:
    place.start("load=60", wait=False)
    started = time.monotonic()
    with pytest.raises(DeviceUnavailable, match="loading its models"):
        place.client(patience=60.0).ask("detect", [picture()], wait_until=started + 0.3)
    assert 0.3 <= time.monotonic() - started < 20


def test_a_process_that_ends_on_purpose_is_an_outage_for_what_it_computes(
    place: Place, pool: ThreadPoolExecutor
) -> None:
    process = place.start("batch=60")
    client = place.client()
    asked = [pool.submit(client.ask, "detect", [picture()]) for _ in range(2)]
    until(lambda: computing(place))
    started = time.monotonic()
    process.terminate()
    assert process.wait(60) == 0
    assert time.monotonic() - started < 10, "it does not wait for the batch"
    for one in asked:
        assert isinstance(one.exception(60), DeviceUnavailable)
    place.start()
    assert len(client.ask("detect", [picture()])) == 1


def test_an_address_without_a_process(place: Place) -> None:
    client = place.client(patience=0.1)
    with pytest.raises(DeviceUnavailable):
        client.ask("detect", [picture()])


def test_nobody_waits_for_a_process_that_will_not_come(place: Place) -> None:
    lost_file(place.address).write_text("The device gpu:0 could not be started.", encoding="utf-8")
    started = time.monotonic()
    with pytest.raises(DeviceUnavailable, match="gpu:0 could not be started"):
        place.client(patience=60.0).ask("detect", [picture()])
    assert time.monotonic() - started < 30


def test_a_request_takes_no_longer_than_it_may(place: Place) -> None:
    place.start("batch=60")
    with pytest.raises(DeviceUnavailable, match="did not answer"):
        place.client(longest=0.3).ask("detect", [picture()])


def test_the_other_device_goes_on(place: Place, pool: ThreadPoolExecutor) -> None:
    process = place.start("batch=60")
    with device_place() as other:
        other.start()
        client = Client([place.address, other.address], patience=20.0, lines=16)
        asked = [pool.submit(client.ask, "detect", [picture((n, 1, 1))]) for n in range(8)]
        until(lambda: computing(place))
        process.terminate()
        assert [colour_of(one.result(60)[0])[0] for one in asked] == list(range(8))
        assert other.counters.images == 8
        client.close()


def test_a_client_that_is_killed_leaves_nothing(place: Place) -> None:
    process = place.start("batch=0.5 most=4")
    code = (
        "import sys, threading; from pathlib import Path; from pipeline.device.client import Client;"
        "from tests.support.devices import picture; client = Client([Path(sys.argv[1])], lines=16);"
        "ask = lambda: client.ask('detect', [picture()] * 8);"
        "[threading.Thread(target=ask).start() for _ in range(8)]"
    )
    victim = subprocess.Popen([sys.executable, "-c", code, str(place.address)])
    until(lambda: computing(place) and arenas(process.pid) == 8)
    victim.kill()
    victim.wait()
    assert colour_of(place.client().ask("detect", [picture((4, 5, 6))])[0]) == (4, 5, 6)
    until(lambda: not computing(place))
    assert place.counters.batches <= 5, "what nobody waits for is not computed"
    assert process.poll() is None
    until(lambda: arenas(process.pid) <= 1)


def arenas(pid: int) -> int:
    """How many arenas a process has mapped."""
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").count("memfd:nightshift")
