"""What `nightshift submit` says before it publishes; publishing itself is tested with a broker."""

from pathlib import Path

import pytest

from pipeline.cli.submit import Producer, Request
from pipeline.errors import PermanentError
from pipeline.ledger import claims
from pipeline.messages import Message
from pipeline.night import failures
from pipeline.storage import keys
from tasks import client as broker
from tests.support.command import grey, page
from tests.support.flows import drain, records_of


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    found: list[Message] = []
    monkeypatch.setattr(broker, "send", lambda _, messages: found.extend(messages))
    return found


@pytest.fixture
def producer(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Producer:
    from pipeline.settings import Settings

    engines = {"ocr_engine": "fake-ocr", "ner_engine": "fake-ner"}
    where = {"store_url": str(tmp_path / "store"), "allowed_sources": inbox.as_uri(), "window": "always"}
    return Producer(Settings.from_env({}, **engines, **where))


def test_a_url_that_failed_is_for_the_operator_to_redrive(
    producer: Producer, sent: list[Message], inbox: Path
) -> None:
    url, flow = (inbox / "late.png").as_uri(), producer.flow
    first = producer.submit(url, None, Request())
    drain(flow, sent)
    with pytest.raises(PermanentError, match=r"failed in the night of .* tries it anew") as caught:
        producer.submit(url, None, Request())
    assert caught.value.code == "failed_before"
    page(inbox / "late.png", grey(1))
    (record,) = failures.find(flow.store)
    failures.redrive(flow.store, record, {})
    assert producer.submit(url, None, Request()).status == "known"
    drain(flow, sent)
    assert records_of(flow)[first.task_id or ""].status == "done"
    assert producer.submit(url, None, Request()).status == "known"


def test_bytes_that_failed_are_known(producer: Producer, sent: list[Message]) -> None:
    outcome = producer.submit("scan.png", b"no picture", Request())
    drain(producer.flow, sent)
    assert producer.submit("scan.png", b"no picture", Request()).status == "known"
    assert list(producer.flow.store.list(keys.FAILED))
    assert claims.contents(producer.flow.store, outcome.task_id or "")


def test_one_id_for_other_bytes_is_refused(producer: Producer, sent: list[Message]) -> None:
    message = Request(task_id="mine")
    producer.submit("a.png", b"one", message)
    with pytest.raises(PermanentError, match="used before for other bytes"):
        producer.submit("a.png", b"two", message)
    drain(producer.flow, sent)
    with pytest.raises(PermanentError, match="used before for other bytes"):
        producer.submit("a.png", b"two", message)
