"""What a message about a step says on its way through the broker, and what the worker reads of it."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.encryption import header
from pipeline.encryption.keyring import new_line
from pipeline.messages import Message
from tasks import base, publish

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "message",
    [
        Message(step="ocr", task_id="t", trace_id="tr", id="m", first=1, last=8),
        Message(step="ocr", task_id="t", priority=9, retries=3, outages=1, generation=2, id="m"),
        Message(step="callback", task_id="t", run_date="2026-11-22", generation=1, id="m"),
        Message(step="ner", task_id="t", id="m", traceparent=PARENT, tracestate="a=1"),
    ],
    ids=lambda message: message.step,
)
def test_a_message_comes_back_as_it_was_sent(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}

    def send_task(name: str, args: tuple[str], kwargs: dict[str, Any], **options: Any) -> None:
        sent.update(name=name, args=args, kwargs=kwargs, headers=options["headers"])

    app: Any = SimpleNamespace(send_task=send_task)
    publish.publish(app, [message])
    read: list[Message] = []
    monkeypatch.setattr(base, "delivery", lambda _: SimpleNamespace(step=read.append))
    request = SimpleNamespace(get=sent["headers"].get, id="m", delivery_info={})
    task: Any = SimpleNamespace(app=app, request=request)
    arguments = {"first": 0, "last": 0, "run_date": ""} | sent["kwargs"]
    base.run(task, sent["name"].removeprefix("nightshift."), *sent["args"], **arguments)
    assert read == [message]


def test_a_retry_is_the_same_message() -> None:
    sent: dict[str, Any] = {}
    app: Any = SimpleNamespace(send_task=lambda *_, **options: sent.update(options))
    publish.publish_later(app, Message(step="ingest", task_id="t", id="m", traceparent=PARENT))
    assert (sent["task_id"], sent["headers"]["traceparent"]) == ("m", PARENT)


def test_a_dead_letter_does_not_depend_on_a_pooled_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, sent, declared = nullcontext("fresh"), list[bytes](), list[Any]()
    monkeypatch.setattr(publish, "declare_dead", declared.append)
    closed = SimpleNamespace(connection=None, publish=lambda body, **_: sent.append(body))
    app: Any = SimpleNamespace(
        connection_for_write=lambda: fresh,
        producer_or_acquire=lambda: nullcontext(closed),
        conf=SimpleNamespace(task_publish_retry_policy={}),
    )
    publish.publish_dead(app, b"{}", reason="r", code="c", task_id="t", trace_id="")
    assert (declared, sent) == (["fresh"], [b"{}"])
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", new_line("k1"))
    publish.publish_dead(app, b"{}", reason="r", code="c", task_id="t", trace_id="")
    assert header.is_sealed(sent[1])
