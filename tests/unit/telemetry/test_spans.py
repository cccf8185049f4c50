"""Which spans a process has, and how they belong together; without a collector, in memory."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from pipeline.errors import PermanentError
from pipeline.messages import Message
from pipeline.settings import Settings
from pipeline.telemetry import spans, w3c
from pipeline.telemetry.tracing import Tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


class Memory:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    def start(self, ratio: float = 1.0) -> None:
        spans._tracing = Tracing(SimpleSpanProcessor(self.exporter), ratio)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def memory() -> Iterator[Memory]:
    it = Memory()
    it.start()
    yield it
    spans.stop()


def identity(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent else ""


def test_without_a_setting_nothing_is_loaded_and_the_context_is_passed_on() -> None:
    message = Message(step="ocr", task_id="t", traceparent=PARENT, tracestate="a=1")
    spans.start(Settings())
    with (
        spans.step(message, "ocr"),
        spans.inner("x", {}),
        spans.sending(message, "ner") as sent,
    ):
        assert sent == w3c.Context(PARENT, "a=1")
        assert not spans.current()
        spans.note({"a": 1})
        spans.failed("x")
    code = (
        "import sys, tasks.app, tasks.work, pipeline.cli.app; print([m for m in sys.modules if m.startswith(("
        "'opentelemetry', 'structlog', 'requests'))])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


def test_a_step_continues_its_message_and_what_it_sends_continues_the_step(memory: Memory) -> None:
    message = Message(
        step="ocr", task_id="t", id="m1", traceparent=PARENT, tracestate="a=1", retries=2, pages=3
    )
    with spans.step(message, "ocr"):
        with spans.inner("recognize", {"nightshift.pages": 3}):
            pass
        following = Message(step="ner", task_id="t", traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
        with spans.sending(following, "ner") as sent:
            pass
    step, inner = memory.spans["process nightshift:step.ocr:ocr"], memory.spans["recognize"]
    assert len(memory.spans) == 2
    assert (parent(step), parent(inner)) == (SPAN, identity(step))
    assert sent == w3c.context(f"00-{TRACE}-{identity(step)}-01", "a=1")
    assert (step.kind, inner.kind) == (SpanKind.CONSUMER, SpanKind.INTERNAL)
    assert step.attributes is not None
    assert dict(step.attributes) == {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "nightshift:step.ocr:ocr",
        "messaging.message.id": "m1",
        "nightshift.task_id": "t",
        "nightshift.step": "ocr",
        "nightshift.retries": 2,
    }


@pytest.mark.parametrize(
    ("trace_id", "kept"), [(TRACE, True), ("order-17", False), ("0" * 32, False), ("", False)]
)
def test_a_trace_that_begins_here_has_the_trace_id_if_that_is_one(
    memory: Memory, trace_id: str, kept: bool
) -> None:
    with spans.acceptance("inference_tasks", w3c.NONE, trace_id, "t", None):
        begun = spans.current()
    assert (begun.trace_id == trace_id) is kept
    assert memory.spans["process inference_tasks"].parent is None


def test_an_error_is_named_by_its_code_and_its_text_is_nowhere(memory: Memory) -> None:
    with pytest.raises(PermanentError), spans.step(Message(step="ner", task_id="t"), "ner"):
        raise PermanentError("Zhang Wei owes 417.", code="over_limit")
    (span,) = memory.spans.values()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "over_limit"
    assert "Zhang" not in span.to_json()


def test_a_redrive_is_a_new_span_with_a_link_to_the_earlier_end(memory: Memory) -> None:
    message = Message(step="ingest", task_id="t", generation=1, traceparent=PARENT)
    with spans.sending(message, "ingest"):
        pass
    span = memory.spans["send nightshift:step.ingest"]
    assert span.kind is SpanKind.PRODUCER
    assert [f"{link.context.span_id:016x}" for link in span.links] == [SPAN]
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE


@pytest.mark.parametrize("flags", ["00", "01"])
def test_the_producer_decides_about_its_own_traces(memory: Memory, flags: str) -> None:
    memory.start(ratio=1.0 - int(flags))
    given = Message(step="ocr", task_id="t", traceparent=f"00-{TRACE}-{SPAN}-{flags}", tracestate="a=1")
    with spans.step(given, "ocr"), spans.sending(given, "ner") as sent:
        pass
    assert len(memory.spans) == int(flags)
    assert sent.trace_id == TRACE
    assert (sent.parent[-2:], sent.state) == (flags, "a=1")


def test_the_share_holds_also_for_ids_made_of_uuids(memory: Memory) -> None:
    import uuid

    memory.start(ratio=0.25)
    for n in range(400):
        with spans.acceptance(
            "inference_tasks", w3c.NONE, uuid.uuid5(uuid.NAMESPACE_URL, str(n)).hex, "t", None
        ):
            pass
    assert 60 <= len(memory.exporter.get_finished_spans()) <= 140


def test_attributes_are_bounded_and_valid(memory: Memory) -> None:
    with spans.step(Message(step="ocr", task_id="\udc80" + "x" * 5000), "ocr"):
        pass
    (span,) = memory.spans.values()
    assert span.attributes is not None
    assert span.attributes["nightshift.task_id"] == "?" + "x" * 255
