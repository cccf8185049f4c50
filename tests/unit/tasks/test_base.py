"""What follows from a step's failure: publishing is replaced by a list, the flow by one that raises."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from pipeline.errors import (
    Damaged,
    ModelMissing,
    PermanentError,
    StoreUnavailable,
    TransientError,
)
from pipeline.messages import Message
from pipeline.night.flow import Unwell
from tasks import base
from tasks.ended import DocumentFailed

NEXT = Message(step="ner", task_id="t")
CALLBACK = Message(step="callback", task_id="t")


class Sent:
    """What was published, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def publish(self, messages: list[Message]) -> None:
        self.sent += [("next", message.step) for message in messages]

    def publish_later(self, _: Message, *, outage: int | None = None) -> int:
        self.sent.append(("later", outage if outage is None else int(outage)))
        return 10

    def publish_dead(self, _: bytes, *, code: str, **__: str) -> None:
        self.sent.append(("dead", code))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Sent:
    caplog.set_level(logging.INFO, base.log.name)
    it = Sent()
    monkeypatch.setattr(base, "Publisher", lambda _: it)
    monkeypatch.setattr(base, "_PAUSE", 0)
    return it


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a step that raises `error`; recording the failure may raise too."""

    def run(error: Exception | None, recording: Exception | None = None, retries: int = 0) -> None:
        def step(_: Message) -> list[Message]:
            if error:
                raise error
            return [NEXT]

        def fail(_: Message, reason: PermanentError) -> list[Message]:
            if recording:
                raise recording
            flow.unwell = Unwell("failed", reason.code)
            return [CALLBACK]

        flow = SimpleNamespace(run=step, fail=fail, settings=SimpleNamespace(max_retries=3), unwell=None)
        monkeypatch.setattr(base, "flow", lambda: flow)
        request: Any = {"trace_id": "trace", "lane": 5, "tries": retries, "outages": 0}
        task: Any = SimpleNamespace(
            app=None, request=SimpleNamespace(get=request.get, id="id", delivery_info={})
        )
        base.run(task, "ocr", "t", 0, 0, "")

    return run


BROKEN = PermanentError("It can't be read.", code="unreadable")


@pytest.mark.parametrize(
    ("error", "retries", "expected", "level"),
    [
        (None, 0, [("next", "ner")], None),
        (BROKEN, 0, [("dead", "unreadable"), ("next", "callback")], logging.ERROR),
        (ValueError("a bug"), 0, [("dead", "internal"), ("next", "callback")], logging.ERROR),
        (MemoryError(), 0, [("dead", "out_of_memory"), ("next", "callback")], logging.ERROR),
        (TransientError("later"), 2, [("later", None)], logging.WARNING),
        (TransientError("later", code="slow"), 3, [("dead", "slow"), ("next", "callback")], logging.ERROR),
        (StoreUnavailable("away"), 99, [("later", 0)], logging.WARNING),
        (ModelMissing("no model"), 99, [("later", 1)], logging.ERROR),
        (Damaged("bad marker"), 0, [("dead", "damaged")], logging.ERROR),
    ],
)
def test_each_failure_leads_where_it_should(
    run: Callable[..., None],
    sent: Sent,
    caplog: pytest.LogCaptureFixture,
    error: Exception | None,
    retries: int,
    expected: list[tuple[str, object]],
    level: int | None,
) -> None:
    ended = [value for what, value in expected if what == "dead"]
    with pytest.raises(DocumentFailed, match=f"^{ended[0]}$") if ended else nullcontext():
        run(error, retries=retries)
    assert sent.sent == expected
    assert max((record.levelno for record in caplog.records), default=None) == level


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (StoreUnavailable("away"), [("dead", "unreadable"), ("later", 0)]),
        (ModelMissing("no model"), [("dead", "unreadable"), ("later", 1)]),
        (Damaged("bad marker"), [("dead", "unreadable")]),
    ],
)
def test_a_failure_that_cannot_be_recorded_is_not_requeued_until_the_broker_gives_it_up(
    run: Callable[..., None], sent: Sent, recording: Exception, expected: list[tuple[str, object]]
) -> None:
    run(BROKEN, recording)
    assert sent.sent == expected


def test_a_message_is_requeued_when_the_next_one_cannot_be_published(
    run: Callable[..., None], sent: Sent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(sent, "publish", away)
    with pytest.raises(Reject) as raised:
        run(None)
    assert raised.value.requeue
    assert sent.sent == []
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.WARNING,
        "requeueing message in 0 s: connection refused",
    )
