"""Spans sent to a collector: by TLS, and to one that is down, hangs or refuses them."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.messages import Message
from pipeline.settings import Settings
from pipeline.telemetry import export, spans
from tests.support.certificates import Authority
from tests.support.servers import free_port, wait_for
from tests.support.servers.collector import collector


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    spans.stop()


def settings(url: str, **more: Any) -> Settings:
    return Settings.from_env({}, otlp_endpoint=url, **more)


def work(count: int = 1) -> None:
    for n in range(count):
        with spans.step(Message(step="ocr", task_id=f"t{n}", id="m"), "ocr"):
            pass


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_spans_arrive_and_the_end_of_a_process_sends_the_rest() -> None:
    with collector() as it:
        spans.start(settings(it.url + "/"))
        work(3)
        spans.stop()
        assert [s.attributes["nightshift.task_id"] for s in it.spans] == ["t0", "t1", "t2"]
        assert it.spans[0].service["service.name"] == "nightshift"
        work()  # after the end: nothing happens
    assert spans._tracing is None


@pytest.mark.parametrize("trouble", ["down", "refuses", "overloaded", "hangs"])
def test_a_collector_that_fails_costs_neither_time_nor_many_lines(
    trouble: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SECONDS", 1.0)
    monkeypatch.setattr(export, "_DELAY", 50)
    with collector() as it:
        it.status = {"refuses": 401, "overloaded": 503}.get(trouble, 200)
        it.hang = threading.Event() if trouble == "hangs" else None
        spans.start(settings(f"http://127.0.0.1:{free_port()}" if trouble == "down" else it.url))
        began = time.monotonic()
        work(100)
        took = time.monotonic() - began
        wait_for(lambda: lines(caplog), "a line about it")
        for _ in range(5):
            work(20)
            time.sleep(0.1)
        began = time.monotonic()
        spans.stop()
        assert time.monotonic() - began < 5.0
        assert took < 5.0
    (line,) = [text for text in lines(caplog) if "collector" in text]
    why = {"down": "ConnectionError", "refuses": "it answered 401", "overloaded": "it answered 503"}
    assert why.get(trouble, "ReadTimeout") in line
    assert all(record.levelno <= logging.WARNING for record in caplog.records)


def test_more_spans_than_fit_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_QUEUE", 512)
    with collector() as it:
        it.hang = threading.Event()
        spans.start(settings(it.url))
        work(3000)
        it.hang.set()
        spans.stop()
        assert 0 < len(it.spans) <= 2 * 512


def test_tls_trusts_the_authority_of_the_settings_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    mine = ours.issue(name="nightshift")
    client = {"http_cert": str(mine.cert), "http_key": str(mine.key), "require_tls": True}
    with collector(ours.server(ours.issue("127.0.0.1"), asks=True)) as it:
        spans.start(settings(it.url, http_ca=str(ours.ca), **client))
        work()
        spans.stop()
        assert len(it.spans) == 1
        spans.start(settings(it.url, http_ca=str(other.ca), **client))
        work()
        wait_for(lambda: lines(caplog), "a line about it")
        assert len(it.spans) == 1
    (line,) = lines(caplog)
    assert (
        "issued by an authority that is not trusted here; add the authority to the file NIGHTSHIFT_HTTP_CA"
        in line
    )


def test_a_file_that_cannot_be_used_costs_the_traces_only(caplog: pytest.LogCaptureFixture) -> None:
    spans.start(settings("https://127.0.0.1:1", http_ca="/nowhere.pem"))
    work()
    (line,) = lines(caplog)
    assert line.startswith('no traces are sent: Invalid setting NIGHTSHIFT_HTTP_CA="/nowhere.pem"')
