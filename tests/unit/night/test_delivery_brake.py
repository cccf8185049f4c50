"""A night in which every document fails for one reason: few fail, the others wait and are done later."""

from collections import Counter, deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.messages import Message
from pipeline.night import brake as brakes
from pipeline.night.brake import LIMIT, Brake
from pipeline.night.delivery import PAUSED, Delivery
from pipeline.night.flow import Flow
from pipeline.night.status import status
from pipeline.storage import keys
from pipeline.telemetry.w3c import NONE, Context
from tests.support.command import grey, page
from tests.support.flows import flow_of, records_of, submission

DOCUMENTS = 3 * LIMIT


class Broker:
    """What is published waits in order; so does what waits longer, and comes back when it is asked for."""

    def __init__(self) -> None:
        self.ready, self.later = deque[Message | bytes](), deque[Message | bytes]()
        self.dead = Counter[str]()

    def publish(self, messages: Iterable[Message]) -> None:
        self.ready.extend(messages)

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        assert outage == PAUSED
        self.later.append(structs.replace(message, retries=message.retries + 1, outages=message.outages + 1))
        return 300

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        self.later.append(raw)
        return 300

    def publish_dead(self, body: bytes, **headers: Any) -> None:
        self.dead[headers["code"]] += 1

    def work(self, delivery: Delivery) -> None:
        while self.ready:
            message = self.ready.popleft()
            delivery.accept(message) if isinstance(message, bytes) else delivery.step(message)

    def come_back(self) -> None:
        self.ready, self.later = self.later, deque()


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds since the start, on both clocks, in a list of one."""
    it, start = [0.0], datetime.now(UTC)
    monkeypatch.setattr(brakes, "time", SimpleNamespace(monotonic=lambda: it[0]))
    monkeypatch.setattr(clock, "_source", lambda: start + timedelta(seconds=it[0]))
    return it


def test_a_night_without_its_inbox(flow: Flow, inbox: Path, passed: list[float]) -> None:
    broker = Broker()
    delivery = Delivery(flow, broker, Brake(flow.store))
    (inbox / "other").touch()
    for n in range(DOCUMENTS):
        broker.publish(flow.reception.accept(submission(inbox / f"{n}.png", f"t{n}")))
    broker.work(delivery)
    assert broker.dead == {"not_found": LIMIT - 1}
    assert len(broker.later) == DOCUMENTS - LIMIT + 1
    assert [(n.step, n.code) for n in status(flow.night).brakes] == [("ingest", "not_found")]
    for _ in range(3):
        passed[0] += 300
        broker.come_back()
        broker.work(delivery)
    assert broker.dead == {"not_found": LIMIT - 1}, "as long as it lasts, nothing more fails"

    for n in range(DOCUMENTS):
        page(inbox / f"{n}.png", grey(n))
    for _ in range(3):
        passed[0] += 300
        broker.come_back()
        broker.work(delivery)
    assert not broker.later
    assert Counter(r.status for r in records_of(flow).values()) == {
        "failed": LIMIT - 1,
        "done": DOCUMENTS - LIMIT + 1,
    }
    assert not status(flow.night).brakes
    assert not list(flow.store.list(keys.PENDING))


def test_many_bad_documents_at_the_head_of_the_queue_do_not_stop_the_good_ones(
    flow: Flow, inbox: Path, passed: list[float]
) -> None:
    broker = Broker()
    delivery = Delivery(flow, broker, Brake(flow.store))
    for n in range(5 * LIMIT):
        broker.publish(flow.reception.accept(submission(inbox / f"bad{n}.png", f"bad{n}")))
    for n in range(5):
        sent = submission(page(inbox / f"{n}.png", grey(n)), f"good{n}")
        broker.publish(flow.reception.accept(sent))

    rounds = 0
    while broker.ready or broker.later:
        rounds += 1
        assert rounds < 60, "it goes on for ever"
        passed[0] += 300
        broker.later.extend(broker.ready)
        broker.ready.clear()
        broker.come_back()
        while broker.ready:
            passed[0] += 1  # a document a second
            one = broker.ready.popleft()
            assert isinstance(one, Message)
            delivery.step(one)
        if records_of(flow) and all(f"good{n}" in records_of(flow) for n in range(5)):
            break
    assert {records_of(flow)[f"good{n}"].status for n in range(5)} == {"done"}
    assert rounds < 6


def test_raw_messages_wait_while_a_setting_refuses_all_of_them(
    flow: Flow, inbox: Path, passed: list[float]
) -> None:
    broker, wrong = Broker(), flow_of(flow.settings.replaced({"allowed_sources": "s3://elsewhere"}))
    for n in range(DOCUMENTS):
        url = page(inbox / f"{n}.png", grey(n)).as_uri()
        broker.ready.append(f'{{"task_id": "t{n}", "task_type": "document", "image_url": "{url}"}}'.encode())
    broker.work(Delivery(wrong, broker, Brake(wrong.store)))
    assert broker.dead == {"source_refused": LIMIT - 1}
    passed[0] += 300
    broker.come_back()
    for _ in range(2):  # with the right setting, in a new process
        broker.work(Delivery(flow, broker, Brake(flow.store)))
        broker.come_back()
    assert Counter(r.status for r in records_of(flow).values()) == {
        "failed": LIMIT - 1,
        "done": DOCUMENTS - LIMIT + 1,
    }
