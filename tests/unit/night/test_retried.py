"""A step whose store answers too late: the call has taken effect, and the message is tried again."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StoreUnavailable
from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.storage import keys
from tasks.publish import Publisher
from tests.support.command import grey, page
from tests.support.flows import submission


class App:
    """A Celery application that notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_task(self, name: str, args: tuple[str], kwargs: Any, **options: Any) -> None:
        self.sent.append({"name": name, "args": args, **options})


def test_a_document_whose_ingest_is_noted_but_not_answered_goes_on(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App()
    delivery = Delivery(flow, Publisher(app))
    flow.reception.accept(submission(page(inbox / "a.png", grey(3))))
    message = Message(step="ingest", task_id="t", id="first")

    def too_late(key: str, data: bytes) -> None:
        put(key, data)
        if key == keys.pending("t"):
            raise StoreUnavailable("The store does not answer.")

    put = flow.store.put
    with monkeypatch.context() as patch:
        patch.setattr(flow.store, "put", too_late)
        delivery.step(message)
    task = pending.get(flow.store, "t")
    assert task
    assert task.ingested_by == "first"
    (retry,) = app.sent
    assert retry["name"] == "nightshift.ingest"
    delivery.step(Message(step="ingest", task_id="t", id=retry["task_id"], retries=1, outages=1))
    assert [sent["name"] for sent in app.sent] == ["nightshift.ingest", "nightshift.ocr"]


def test_what_was_never_delivered_has_no_id_of_its_own() -> None:
    app = App()
    publisher: Any = Publisher(app)
    publisher.publish_later(Message(step="ingest", task_id="t"))
    assert app.sent[0]["task_id"] is None
