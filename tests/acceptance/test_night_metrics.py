"""Metrics of real workers: the counts of a night, whatever becomes of the processes that counted."""

import os
import signal
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from tasks.hung import STOPPED
from tests.support.command import NIGHTSHIFT, page
from tests.support.night import night, shade
from tests.support.scraped import get, scrape
from tests.support.servers import free_port, listens, start, wait_for
from tests.support.servers.rabbit import Rabbit

DOCUMENTS = "nightshift_documents_total"


def health(*ports: int) -> set[int]:
    return {get(port, "/healthz")[0] for port in ports}


def test_counts_of_a_night_outlive_its_processes(rabbit: Rabbit, tmp_path: Path) -> None:
    port = free_port()
    settings = {"NIGHTSHIFT_METRICS_ADDRESS": f"127.0.0.1:{port}", "NIGHTSHIFT_TEMP_DIR": str(tmp_path)}
    with night(rabbit, tmp_path, **settings) as it:
        worker = it.ready(it.worker("w1", "-I", "tests.support.stuck"))
        wait_for(lambda: get(port, "/healthz") == (200, "ok\n"), "a healthy worker")
        (it.inbox / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
        it.publish([*it.documents(12), it.document("broken", it.inbox / "broken.png"), b"no message"])
        it.settle(14)
        wait_for(lambda: scrape(port).get((DOCUMENTS, "document", "failed", "")) == 2, "the last count")
        before = scrape(port)
        records = Counter(record.status for record in it.records().values())
        assert records == {"done": 12, "failed": 2}
        assert before[DOCUMENTS, "document", "done", ""] == 12
        assert before[DOCUMENTS, "document", "accepted", ""] == 14
        assert before["nightshift_pages_total", "read", "ocr", ""] == 12
        assert before["nightshift_step_seconds_count", "ocr"] == 12
        assert sum(value for key, value in before.items() if key[0] == "nightshift_dead_letters_total") == 2
        assert before["nightshift_model_load_seconds_count", "ocr"] >= 1
        assert before["nightshift_device_busy_seconds_total", "cpu"] > 0
        assert before[("nightshift_device_held",)] == 1

        for pid in worker.children():
            os.kill(pid, signal.SIGKILL)
        (folder,) = tmp_path.glob(f"nightshift-*/{worker.main.pid}-*/metrics")
        alive = {"0", str(worker.main.pid)}
        wait_for(
            lambda: (
                alive
                < {path.stem.rpartition("_")[2] for path in folder.glob("*.db")}
                <= {*alive, *map(str, worker.children())}
            ),
            "the files of the dead to be added up",
        )
        after = scrape(port)
        assert {key: after[key] for key in before if key[0] == DOCUMENTS} == {
            key: value for key, value in before.items() if key[0] == DOCUMENTS
        }
        it.publish([it.document("more", page(it.inbox / "more.png", shade(99)))])
        it.settle(15)
        wait_for(lambda: scrape(port)[DOCUMENTS, "document", "done", ""] == 13, "a new process to count")

        os.kill(worker.main.pid, signal.SIGUSR2)  # its event loop hangs
        wait_for(lambda: get(port, "/healthz")[0] == 503, "the stuck worker to say so")
        assert "stuck" in get(port, "/healthz")[1]
        assert scrape(port)[DOCUMENTS, "document", "done", ""] == 13


@pytest.mark.long
def test_a_frozen_broker_is_noticed_by_worker_and_exporter(rabbit: Rabbit, tmp_path: Path) -> None:
    port, other = free_port(), free_port()
    settings = {"NIGHTSHIFT_METRICS_ADDRESS": f"127.0.0.1:{port}", "NIGHTSHIFT_TEMP_DIR": str(tmp_path)}
    with night(rabbit, tmp_path, **settings) as it:
        it.ready(it.worker("w1"))
        exporter = start(
            [NIGHTSHIFT, "exporter", "--listen", f"127.0.0.1:{other}"], tmp_path / "exporter.log", it.env
        )
        try:
            wait_for(lambda: listens(other), "the exporter")
            wait_for(lambda: health(port, other) == {200}, "good health")
            rabbit.freeze()
            began = time.monotonic()
            try:
                wait_for(lambda: health(port, other) == {503}, "the frozen broker to be noticed")
                assert time.monotonic() - began < 20
                assert "RabbitMQ has not answered" in get(other, "/healthz")[1]
            finally:
                rabbit.thaw()
            wait_for(lambda: health(port, other) == {200}, "good health again")
        finally:
            exporter.kill()
            exporter.wait()


@pytest.mark.long
def test_a_hung_worker_is_not_taken_for_a_busy_one(rabbit: Rabbit, tmp_path: Path) -> None:
    port = free_port()
    settings = {"NIGHTSHIFT_METRICS_ADDRESS": f"127.0.0.1:{port}", "NIGHTSHIFT_TEMP_DIR": str(tmp_path)}
    with night(rabbit, tmp_path, **settings, NIGHTSHIFT_FAKE_SECONDS="12") as it:
        worker = it.ready(it.worker("w1"))
        it.publish(it.documents(2))  # both processes work on a page
        wait_for(lambda: sum(it.pages_read().values()) == 2, "both pages to begin")
        began = time.monotonic()
        while time.monotonic() - began < STOPPED + 2:
            assert get(port, "/livez") == (200, "ok\n")
            time.sleep(0.5)

        pid = worker.children()[0]
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: get(port, "/livez")[0] == 503, "the hung process to be noticed", 20)
        assert f"Process {pid} of this worker has been stopped" in get(port, "/livez")[1]
        assert get(port, "/healthz")[0] == 200, "the connection and the loop are well"
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: get(port, "/livez")[0] == 200, "the process to go on")
        assert {record.status for record in it.settle(2).values()} == {"done"}

        os.kill(worker.main.pid, signal.SIGSTOP)
        try:
            with pytest.raises(TimeoutError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=3)
        finally:
            os.kill(worker.main.pid, signal.SIGCONT)
        rabbit.freeze()
        try:
            wait_for(lambda: health(port) == {503}, "the frozen broker to be noticed")
            assert get(port, "/livez")[0] == 200, "a restart would not help"
        finally:
            rabbit.thaw()
