"""A device in a process of its own: what is lost when it dies, hangs, lacks memory, is gone or is wanted twice."""

import json
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import scratch
from pipeline.device.counters import read_counters
from pipeline.errors import ExitCode
from pipeline.models import to_json
from pipeline.night.window import Override
from pipeline.storage import keys
from tests.support.command import FAKES, MAGENTA, RED, grey, nightshift, page, pages
from tests.support.night import Night, Process, night, steady
from tests.support.servers import wait_for
from tests.support.servers.proxy import Proxy
from tests.support.servers.rabbit import Rabbit

DEVICE = {
    **FAKES,
    "NIGHTSHIFT_OCR_ENGINE": "fake-device",
    "NIGHTSHIFT_DEVICES": "cpu",
    "NIGHTSHIFT_FAKE_DEVICE": "batch=0.05 image=0.05",
}


def device_processes(worker: Process) -> list[int]:
    """The processes that hold the worker's devices."""
    children = Path(f"/proc/{worker.main.pid}/task").glob("*/children")
    found = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in found if b"pipeline.device" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def the_device(worker: Process) -> int:
    wait_for(lambda: device_processes(worker), "the device process to start")
    (pid,) = device_processes(worker)
    return pid


def is_running(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def computing(worker: Process) -> bool:
    """Whether a batch is in progress on the first device."""
    folder = next(scratch.root().glob(f"{worker.main.pid}-*"))
    counters = read_counters(folder / "devices" / "0.sock")
    return counters is not None and counters.computing > 0


def released(it: Night) -> list[dict[str, object]]:
    return [json.loads(it.store.get(key)) for key in it.store.list(keys.NIGHTS) if "/released-" in key]


def checkpoints(it: Night) -> int:
    return len(list(it.store.list("ocr/")))


def test_a_device_process_that_is_killed_costs_nobody_an_attempt(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, **DEVICE) as it:
        long = pages(it.inbox / "long.pdf", [(5 * n, 100, 100) for n in range(40)])
        it.publish([it.document("long", long), *it.documents(12)])
        worker = it.ready(it.worker())
        killed = []
        for least in (4, 20):
            wait_for(lambda least=least: checkpoints(it) >= least, "the night to be under way")  # type: ignore[misc]
            killed.append(the_device(worker))
            os.kill(killed[-1], signal.SIGKILL)
            wait_for(lambda: device_processes(worker) not in ([], killed[-1:]), "another one to start")
        records = it.settle(13)
        assert {r.status for r in records.values()} == {"done"}
        assert {r.attempts for r in records.values()} == {1}
        assert [round(int(p.text[7:9], 16) / 5) for p in records["long"].pages] == list(range(40))
        assert len(set(killed)) == 2
        assert worker.text().count("was ended by SIGKILL: starting it again") == 2
        assert not list(it.store.list("attempts/"))
        assert it.depth("dead") == 0


@pytest.mark.long
def test_a_child_that_is_killed_leaves_the_device_alone(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, **DEVICE) as it:
        it.publish(
            it.document(f"long_{n}", pages(it.inbox / f"{n}.pdf", [(5 * i, 100 + n, 100) for i in range(24)]))
            for n in range(2)
        )
        worker = it.ready(it.worker())
        wait_for(lambda: checkpoints(it) >= 8, "the night to be under way")
        device, child = the_device(worker), worker.children()[0]
        before = checkpoints(it)
        os.kill(child, signal.SIGKILL)
        records = it.settle(2)
        assert {r.status for r in records.values()} == {"done"}
        assert [len(r.pages) for r in records.values()] == [24, 24]
        assert before < 48
        assert the_device(worker) == device, "it has lost no document but that of the child"


def test_pages_that_a_device_can_not_compute_cost_themselves(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, **DEVICE) as it:
        large = pages(it.inbox / "large.pdf", [grey(1), MAGENTA, grey(3)])
        deadly = pages(it.inbox / "deadly.pdf", [grey(4), grey(5), RED, grey(7)])
        it.publish([it.document("large", large), it.document("deadly", deadly), *it.documents(8)])
        worker = it.ready(it.worker())
        records = it.settle(10, 90)
        codes = {
            name: [page.error and page.error.code for page in records[name].pages]
            for name in ("large", "deadly")
        }
        assert codes == {"large": [None, "out_of_memory", None], "deadly": [None, None, "poison", None]}
        assert (records["large"].status, records["deadly"].status) == ("partial", "partial")
        assert {r.status for n, r in records.items() if n.startswith("ocr_")} == {"done"}
        assert {r.attempts for r in records.values()} == {1}
        assert worker.text().count("was ended by SIGSEGV: starting it again") == 2, "in a batch, and alone"
        assert worker.main.poll() is None


def test_a_device_that_is_lost_ends_its_worker_and_another_one_does_the_work(
    rabbit: Rabbit, tmp_path: Path
) -> None:
    with night(rabbit, tmp_path, **DEVICE) as it:
        it.publish([*it.documents(6), it.document("p", page(it.inbox / "p.png", (9, 9, 9)))])
        worker = it.ready(it.worker("lost", NIGHTSHIFT_FAKE_DEVICE="lost=1"))
        wait_for(lambda: worker.main.poll() is not None, "the worker to end", 90)
        assert worker.main.returncode == ExitCode.DEVICE
        assert "CRITICAL MainProcess" in worker.text()
        assert (
            "The device cpu is lost, as its process found the device gone, 3 times in a row" in worker.text()
        )
        assert not it.ended()
        assert it.pending(), "some may not be taken in yet"
        it.ready(it.worker("well"))
        records = it.settle(7, 90)
        assert {r.status for r in records.values()} == {"done"}
        assert {r.attempts for r in records.values()} == {1}
        assert it.depth("dead") == 0


def test_models_that_do_not_load_end_the_worker_with_the_reason(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, **DEVICE | {"NIGHTSHIFT_OCR_ENGINE": "fake-ocr"}) as it:
        it.publish(it.documents(1))
        worker = it.worker()
        wait_for(lambda: worker.main.poll() is not None, "the worker to end", 90)
        assert worker.main.returncode == ExitCode.DEVICE
        said = [line for line in worker.text().splitlines() if "CRITICAL" in line]
        assert [line.partition("task=- ")[2] for line in said] == [
            "The OCR engine 'fake-ocr' can't share its models between processes: unset NIGHTSHIFT_DEVICES. "
            "The worker ends (exit code 8)."
        ]
        assert worker.text().count("is loading the models for cpu") == 1
        assert it.pending() == ["ocr_00000"]


def test_close_ends_the_device_process_and_no_other(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, **DEVICE, NIGHTSHIFT_WINDOW="never") as it:
        path = pages(it.inbox / "long.pdf", [(5 * n, 100, 100) for n in range(40)])
        it.publish([it.document("long", path)])
        worker = it.ready(it.worker())
        wait_for(lambda: it.depth("ocr") == 1, "the document to be taken in")
        assert not device_processes(worker), "nothing is held before the window opens"
        it.window("open")
        wait_for(lambda: checkpoints(it) >= 5, "the night to be under way")
        held, pool = the_device(worker), set(worker.children())
        it.window("closed")
        closed_at = time.monotonic()
        wait_for(lambda: released(it), "the device to be released", 30)
        gone_after = time.monotonic() - closed_at
        assert not is_running(held)
        assert set(worker.children()) == pool, "they hold nothing"
        (note,) = released(it)
        assert 0 <= float(str(note["seconds"])) <= gone_after < 30
        done = checkpoints(it)
        assert 0 < done < 40
        assert steady(lambda: (it.depth("ocr"), checkpoints(it))) == (1, done)
        it.window("open")
        record = it.settle(1)["long"]
        assert [round(int(p.text[7:9], 16) / 5) for p in record.pages] == list(range(40))
        assert record.attempts == 1


@pytest.mark.long
def test_a_batch_that_hangs_at_close_is_ended_with_its_device(rabbit: Rabbit, tmp_path: Path) -> None:
    env = DEVICE | {"NIGHTSHIFT_FAKE_DEVICE": "batch=600"}
    with night(rabbit, tmp_path, **env, NIGHTSHIFT_WINDOW="never", NIGHTSHIFT_CLOSE_GRACE="2") as it:
        it.publish(it.documents(1))
        worker = it.ready(it.worker())
        it.window("open")
        held = the_device(worker)
        wait_for(lambda: computing(worker), "the batch to begin")
        it.window("closed")
        wait_for(lambda: released(it), "the device to be released", 30)
        assert not is_running(held)
        (note,) = released(it)
        assert 2 < float(str(note["seconds"])) <= 2 + 5
        assert (it.pending(), it.depth("dead"), len(it.ended())) == (["ocr_00000"], 0, 0)


def test_close_ends_the_device_without_broker_and_store(rabbit: Rabbit, tmp_path: Path) -> None:
    proxy = Proxy(rabbit.port)
    env = DEVICE | {"NIGHTSHIFT_FAKE_DEVICE": "batch=600", "NIGHTSHIFT_WINDOW": "never"}
    grace = 2.0
    try:
        with night(rabbit, tmp_path, proxy.port, **env, NIGHTSHIFT_CLOSE_GRACE=f"{grace:.0f}") as it:
            ends = datetime.now(UTC) + timedelta(minutes=2)
            it.store.put(keys.control("window"), to_json(Override("open", ends.isoformat())))
            it.publish(it.documents(1))
            worker = it.ready(it.worker())
            held = the_device(worker)
            wait_for(lambda: computing(worker), "the batch to begin")
            ends = datetime.now(UTC) + timedelta(seconds=4)
            it.store.put(keys.control("window"), to_json(Override("open", ends.isoformat())))
            time.sleep(2)  # the worker reads it once per second
            proxy.freeze(new=True)
            store = tmp_path / "store"
            store.rename(tmp_path / "away")
            store.write_bytes(b"no folder")
            wait_for(lambda: datetime.now(UTC) >= ends, "the window to end")
            closed_at = time.monotonic()
            wait_for(lambda: not is_running(held), "the device to be free", 60)
            gone = time.monotonic() - closed_at
            assert gone <= grace + 5
            print(f"device free {gone:.1f} s after close without broker and store")  # noqa: T201
            assert worker.main.poll() is None
            store.unlink()
            (tmp_path / "away").rename(store)
    finally:
        proxy.stop()


def test_a_device_without_work_is_given_back_before_close(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, **DEVICE, NIGHTSHIFT_IDLE_GRACE="1") as it:
        worker = it.ready(it.worker())
        it.publish(it.documents(2, "first"))
        it.settle(2)
        wait_for(lambda: released(it), "the device to be released", 30)
        assert not device_processes(worker)
        assert "without work, in the window" in worker.text()
        it.publish(it.documents(2, "second"))
        assert {r.status for r in it.settle(4).values()} == {"done"}
        assert {r.attempts for r in it.records().values()} == {1}


@pytest.mark.long
def test_of_two_workers_one_has_the_device_and_the_other_says_who(rabbit: Rabbit, tmp_path: Path) -> None:
    device = f"gpu:{random.SystemRandom().randrange(100, 1000)}"  # no other test of this machine has it
    env = DEVICE | {"NIGHTSHIFT_DEVICES": device}
    with night(rabbit, tmp_path, **env) as it:
        first = it.ready(it.worker("first"))
        second = it.ready(it.worker("second"))
        sentence = (
            f"The device {device} is held by process {first.main.pid}: give each worker of a machine its own"
        )
        wait_for(lambda: sentence in second.text(), "the second to say so")
        done = nightshift("run", it.inbox, "--out", tmp_path / "own", **it.env)
        assert done.returncode == ExitCode.OK, "no document, so no device is needed"
        it.publish(it.documents(4))
        assert {r.status for r in it.settle(4).values()} == {"done"}
        done = nightshift("run", it.inbox, "--out", tmp_path / "own", **it.env)
        assert (done.returncode, sentence in done.stderr) == (ExitCode.DEVICE, True)
        assert second.text().count("is held by") == 1
        assert "Task nightshift.ocr[" not in second.text()
        first.stop()
        it.publish(it.documents(4, "later"))
        assert {r.status for r in it.settle(8).values()} == {"done"}
        assert "the devices are free: GPU work starts here" in second.text()
