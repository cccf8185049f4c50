"""What is counted on a document's way, against what the store has of it."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from pipeline.errors import StoreUnavailable, TransientError
from pipeline.messages import Message
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.telemetry import exposition, registry
from pipeline.telemetry.shared import Shared
from pipeline.telemetry.w3c import NONE, Context
from tests.support.command import GREEN, grey, page, pages
from tests.support.flows import raiser, records_of, submission
from tests.support.scraped import Values, parse

DOCUMENTS, PAGES = "nightshift_documents_total", "nightshift_pages_total"


class Broker:
    """Delivers at once what is published; keeps what waits."""

    def __init__(self) -> None:
        self.ready, self.later, self.dead = deque[Message](), list[Message](), list[str]()

    def publish(self, messages: Iterable[Message]) -> None:
        self.ready.extend(messages)

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        self.later.append(message)
        return 1

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        raise AssertionError("nothing brakes here")

    def publish_dead(self, body: bytes, *, code: str, **_: Any) -> None:
        self.dead.append(code)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    (tmp_path / "metrics").mkdir()
    registry.start(tmp_path / "metrics", {"archive"})
    yield Shared(tmp_path / "metrics")
    registry.stop()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def delivery(flow: Flow, broker: Broker) -> Delivery:
    return Delivery(flow, broker)


def deliver(delivery: Delivery, broker: Broker) -> None:
    while broker.ready:
        delivery.step(broker.ready.popleft())


def counted(shared: Shared) -> Values:
    found = parse(exposition.text([shared]).decode())
    return {key: value for key, value in found.items() if value}


def raw(path: Path, task_id: str, **more: object) -> bytes:
    return msgspec.json.encode(
        {"task_id": task_id, "task_type": "document", "image_url": path.as_uri(), **more}
    )


def test_counts_of_all_outcomes_are_those_of_the_store(
    flow: Flow, inbox: Path, delivery: Delivery, broker: Broker, shared: Shared
) -> None:
    (inbox / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    mixed = pages(inbox / "b.pdf", [grey(2), GREEN, grey(3)])  # the engine fails on green
    delivery.accept(raw(page(inbox / "a.png", grey(1)), "a", tenant="archive"))
    delivery.accept(raw(mixed, "b", tenant="unknown"))
    delivery.accept(raw(inbox / "broken.png", "c"))
    delivery.accept(msgspec.json.encode({"task_id": "d", "task_type": "nlp", "text": "colour 123456"}))
    delivery.accept(b"no message")
    deliver(delivery, broker)
    statuses = sorted((r.task_id.partition("#")[0], r.status) for r in records_of(flow).values())
    found = counted(shared)
    documents = {key[1:]: value for key, value in found.items() if key[0] == DOCUMENTS}
    assert [status for _, status in statuses].count("failed") == 2, statuses
    assert documents.pop(("document", "done", "archive")) == 1
    assert documents.pop(("nlp", "done", "")) == 1
    assert documents.pop(("document", "partial", "other")) == 1
    assert sum(value for (_, outcome, _), value in documents.items() if outcome == "failed") == 2
    assert sum(value for (_, outcome, _), value in documents.items() if outcome == "accepted") == 5
    assert found[PAGES, "read", "ocr", "archive"] == 1
    assert found[PAGES, "read", "ocr", "other"] == 2
    assert found[PAGES, "unread", "none", "other"] == 1
    assert found[PAGES, "read", "text_layer", ""] == 1
    dead = {key[1]: value for key, value in found.items() if key[0] == "nightshift_dead_letters_total"}
    assert sorted(dead) == sorted(set(broker.dead))
    assert sum(dead.values()) == len(broker.dead) == 2
    assert found["nightshift_step_seconds_count", "result"] == 3
    assert found["nightshift_device_busy_seconds_total", "cpu"] > 0
    assert found["nightshift_model_load_seconds_count", "ocr"] == 1


def test_what_is_delivered_twice_is_counted_once(
    flow: Flow, inbox: Path, delivery: Delivery, broker: Broker, shared: Shared
) -> None:
    delivery.accept(raw(page(inbox / "a.png", grey(1)), "a"))
    while broker.ready:
        message = structs.replace(broker.ready.popleft(), id=f"message {len(broker.ready)}")
        delivery.step(message)
        following = list(broker.ready)
        delivery.step(structs.replace(message, redelivered=True))
        broker.ready = deque(following)
    found = counted(shared)
    assert {key: value for key, value in found.items() if key[0] in (DOCUMENTS, PAGES)} == {
        (DOCUMENTS, "document", "accepted", ""): 1,
        (DOCUMENTS, "document", "done", ""): 1,
        (PAGES, "read", "ocr", ""): 1,
    }


def test_retries_by_code(
    flow: Flow,
    inbox: Path,
    delivery: Delivery,
    broker: Broker,
    shared: Shared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = Message(step="ner", task_id="t")
    for error in (
        StoreUnavailable("gone"),
        TransientError("x", code="busy"),
        TransientError("y", code="busy"),
    ):
        monkeypatch.setattr(flow, "run", raiser(error))
        delivery.step(message)
    retries = {key[1:]: v for key, v in counted(shared).items() if key[0] == "nightshift_retries_total"}
    assert len(broker.later) == 3
    assert sum(retries.values()) == 3
    assert retries["busy", "ner"] == 2
    assert {step for _, step in retries} == {"ner"}


def test_a_folder_that_is_gone_costs_no_document(
    flow: Flow, inbox: Path, delivery: Delivery, broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    registry.start(tmp_path / "gone")
    for path in (tmp_path / "gone").iterdir():
        path.unlink()
    (tmp_path / "gone").rmdir()
    try:
        broker.publish(flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
        deliver(delivery, broker)
    finally:
        registry.stop()
    assert records_of(flow)["t"].status == "done"
