"""A trace that a producer began goes through all that becomes of its document."""

from pathlib import Path

from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.night import callbacks, failures
from pipeline.night.flow import Flow
from pipeline.submission.producer import Producer, Request
from pipeline.telemetry.w3c import context
from tests.support.command import grey, page
from tests.support.flows import drain, records_of, submission

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_from_the_submission_to_the_result(flow: Flow, inbox: Path) -> None:
    given = submission(page(inbox / "a.png", grey(1)), "t", trace=context(PARENT, "a=1"))
    (message,) = flow.reception.accept(given)
    assert (message.traceparent, message.tracestate) == (PARENT, "a=1")
    (after,) = flow.run(message)
    assert (after.traceparent, after.tracestate) == (PARENT, "a=1")
    drain(flow, [after])
    assert records_of(flow)["t"].traceparent == PARENT


def test_through_a_failure_its_redrive_and_its_callback(flow: Flow, inbox: Path) -> None:
    given = submission(inbox / "none.png", "t", trace=context(PARENT))
    drain(flow, flow.reception.accept(given))
    failed = records_of(flow)["t"]
    assert (failed.status, failed.traceparent) == ("failed", PARENT)
    page(inbox / "none.png", grey(1))
    task = failures.redrive(flow.store, failed, {})
    assert (task.traceparent, task.generation) == (PARENT, 1)
    marked = pending.get(flow.store, "t", 1)
    assert marked is not None
    assert marked.traceparent == PARENT
    assert callbacks._message(failed, 0).traceparent == PARENT


def test_a_producer_names_it(flow: Flow, inbox: Path) -> None:
    sent: list[Message] = []
    producer = Producer(flow.settings, flow.store, flow.schedule.run_date, sent.extend)
    for name, request, trace_id in (
        ("a", Request(traceparent=PARENT, tracestate="a=1"), TRACE),
        ("b", Request(traceparent=PARENT, trace_id="order-17"), "order-17"),
        ("c", Request(traceparent="nonsense"), None),
    ):
        producer.submit_document(page(inbox / f"{name}.png", grey(ord(name))), request)
        message = sent.pop()
        assert message.traceparent == ("" if trace_id is None else PARENT)
        assert message.trace_id == trace_id or trace_id is None
