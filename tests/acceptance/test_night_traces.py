"""One trace per document, through broker, workers and callback; and log lines that are JSON. Real processes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.support.command import RED, nightshift, page
from tests.support.night import RAW, Night, night
from tests.support.servers import wait_for
from tests.support.servers.collector import Collector, Span, collector
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.receiver import calling, receiver

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
STEPS = ("ingest", "ocr", "ner", "result", "callback")
CLIENT, PRODUCER, CONSUMER = 3, 4, 5


@pytest.fixture
def traced() -> Iterator[Collector]:
    with collector() as it:
        yield it


def tracing(it: Collector) -> dict[str, str]:
    return {
        "NIGHTSHIFT_OTLP_ENDPOINT": it.url,
        "NIGHTSHIFT_LOG_FORMAT": "json",
        "NIGHTSHIFT_LOG_LEVEL": "DEBUG",
        "NIGHTSHIFT_SIGNING_KEY": "k" * 32,
        "NIGHTSHIFT_MAX_ATTEMPTS": "2",
    }


def named(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def process(spans: list[Span], step: str) -> list[Span]:
    return named(spans, f"process nightshift:step.{step}:{step}")


def send(it: Night, message: dict[str, Any], **headers: str) -> None:
    """Publish as a program with instrumentation does."""
    sent = pika.BasicProperties(delivery_mode=2, headers=headers)
    with it.channel() as channel:
        channel.basic_publish("", RAW, json.dumps(message).encode(), sent, mandatory=True)


@pytest.mark.long
def test_a_document_is_one_trace(rabbit: Rabbit, tmp_path: Path, traced: Collector) -> None:
    statuses = [500, 200]
    with (
        receiver(statuses) as (url, received),
        night(rabbit, tmp_path, **tracing(traced), **calling(url)) as it,
    ):
        worker = it.ready(it.worker())
        (message,) = it.documents(1, callback_url=f"{url}/hooks?token=secret")
        send(it, message, traceparent=PARENT, tracestate="a=1")
        (odd,) = it.documents(1, "odd", traceparent="00-nonsense")
        send(it, odd)
        records = it.settle(2)
        late = it.inbox / "ocr_0.png"
        child = f"00-{'d' * 32}-{'e' * 16}-01"
        said = nightshift("submit", late, "--traceparent", child, **it.env)
        assert said.returncode == 0, said.stderr
        it.settle(3)
        wait_for(lambda: len(received) == 2, "the callback's second attempt, 10 s after the first", 60)
        wait_for(lambda: len(named(traced.trace(TRACE), "POST")) == 2, "the spans of both callbacks")
        wait_for(lambda: process(traced.trace("d" * 32), "ner"), "the spans of what was submitted")
        # last and in two parts: a process that crashes takes spans with it that were not sent yet
        it.window("closed")
        wait_for(lambda: "stopped consuming" in worker.text(), "the window to close")
        send(it, it.document("crash", page(it.inbox / "red.png", RED), trace_id="c" * 32))
        wait_for(lambda: process(traced.trace("c" * 32), "ingest"), "it to be ingested")
        it.window("open")
        wait_for(lambda: any(s.failed for s in traced.trace("c" * 32)), "the spans of the one that crashes")
        worker.stop()

    check_chain(traced.trace(TRACE), records["ocr_00000"].traceparent)
    check_retried_callback(traced.trace(TRACE))
    # an invalid one is ignored: the message is accepted, and the trace has the default trace id
    assert records["odd_00000"].status == "done"
    (accepted,) = named(traced.trace(records["odd_00000"].trace_id), f"process {RAW}")
    assert accepted.parent == ""
    check_redelivered(traced.trace("c" * 32))
    (sent,) = named(traced.trace("d" * 32), "send nightshift:step.ingest")
    assert (sent.kind, sent.parent) == (PRODUCER, "e" * 16)
    (ingest,) = process(traced.trace("d" * 32), "ingest")
    assert ingest.parent == sent.id
    text = b"".join(traced.bodies)
    assert b"secret" not in text
    assert b"colour" not in text
    assert b".png" not in text
    check_lines(worker.text(), records["ocr_00000"].run_date)


def check_chain(spans: list[Span], ended_in: str) -> None:
    """Each step was sent by the one before it, and the raw message by the producer."""
    (accepted,) = named(spans, f"process {RAW}")
    assert (accepted.parent, accepted.kind) == (SPAN, CONSUMER)
    above = accepted
    for step in STEPS:
        found = process(spans, step)[0]
        assert (found.parent, found.kind) == (above.id, CONSUMER), step
        assert found.attributes["nightshift.step"] == step
        assert found.attributes["nightshift.task_id"] == "ocr_00000"
        assert found.attributes["messaging.system"] == "rabbitmq"
        above = found
    (result,) = process(spans, "result")
    assert result.attributes["nightshift.outcome"] == "done"
    assert ended_in == f"00-{TRACE}-{result.id}-01"


def check_retried_callback(spans: list[Span]) -> None:
    """Both attempts belong to the step that sent the message; only the first one failed."""
    first, second = sorted(
        process(spans, "callback"), key=lambda span: span.attributes.get("nightshift.retries", 0)
    )
    assert first.parent == second.parent
    assert (first.failed, first.attributes["error.type"], second.failed) == (
        True,
        "callback_unavailable",
        False,
    )
    posts = {span.parent: span for span in named(spans, "POST")}
    assert (posts[first.id].failed, posts[second.id].failed) == (True, False)
    assert posts[second.id].kind == CLIENT
    assert posts[second.id].attributes["http.response.status_code"] == 200


def check_redelivered(spans: list[Span]) -> None:
    """What crashes its process leaves no span; the delivery at which it is abandoned does."""
    (ocr,) = [span for span in process(spans, "ocr") if span.attributes.get("nightshift.redelivered")]
    (ingest,) = process(spans, "ingest")
    assert ocr.parent == ingest.id
    assert ocr.attributes["nightshift.outcome"] == "failed"
    assert ocr.failed


def check_lines(text: str, run_date: str) -> None:
    _, start, rest = text.partition("\n{")  # before it, Python warns of workers that run as root
    written = (start.strip() + rest).replace("\nworker: Warm shutdown (MainProcess)\n", "").splitlines()
    assert [line for line in written if not line.startswith("{")] == []
    lines = [json.loads(line) for line in written]
    assert all({"timestamp", "level", "logger", "event", "process", "pid"} <= set(line) for line in lines)
    assert {"MainProcess", "SpawnPoolWorker-1"} <= {line["process"] for line in lines}
    assert {line["worker"].partition("@")[0] for line in lines if "worker" in line} == {"w1"}
    ours = [line for line in lines if line.get("task_id") == "ocr_00000" and line.get("trace_id") == TRACE]
    assert {line["step"] for line in ours} >= set(STEPS)
    retried = [line for line in ours if line["event"].startswith("retrying step callback")]
    assert [line["run_date"] for line in retried] == [run_date]
    assert any("SIGSEGV" in line.get("exception", "") for line in lines), "the one that crashes"


def test_the_trace_goes_on_without_spans_of_our_own(rabbit: Rabbit, tmp_path: Path) -> None:
    with receiver([200]) as (url, received), night(rabbit, tmp_path, **calling(url)) as it:
        it.ready(it.worker())
        (message,) = it.documents(1, callback_url=f"{url}/hooks", traceparent=PARENT, tracestate="a=1")
        it.publish([message])
        records = it.settle(1)
        wait_for(lambda: received, "the callback")
    assert received[0].headers["traceparent"] == PARENT
    assert received[0].headers["tracestate"] == "a=1"
    record = records["ocr_00000"]
    assert (record.traceparent, record.trace_id, record.metadata) == (PARENT, TRACE, {})
