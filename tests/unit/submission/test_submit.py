"""What `nightshift submit` says before it publishes; publishing itself is tested with a broker."""

from pathlib import Path

import pytest

from pipeline.errors import PermanentError
from pipeline.ledger import claims
from pipeline.messages import Message
from pipeline.night import failures
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.submission.producer import Producer, Request
from tests.support.command import grey, page
from tests.support.flows import drain, flow_of, records_of


@pytest.fixture
def sent() -> list[Message]:
    """What was published."""
    return []


@pytest.fixture
def flow(tmp_path: Path, inbox: Path) -> Flow:
    """The workers' side of the same store."""
    engines = {"ocr_engine": "fake-ocr", "ner_engine": "fake-ner"}
    where = {"store_url": str(tmp_path / "store"), "allowed_sources": inbox.as_uri(), "window": "always"}
    return flow_of(Settings.from_env({}, **engines, **where))


@pytest.fixture
def producer(flow: Flow, sent: list[Message]) -> Producer:
    return Producer(flow.settings, flow.store, flow.schedule.run_date, sent.extend)


def test_a_url_that_failed_is_for_the_operator_to_redrive(
    producer: Producer, flow: Flow, sent: list[Message], inbox: Path
) -> None:
    url = (inbox / "late.png").as_uri()
    first = producer.submit(url, None, Request())
    drain(flow, sent)
    with pytest.raises(PermanentError, match=r"failed in the night of .* to retry it") as caught:
        producer.submit(url, None, Request())
    assert caught.value.code == "failed_before"
    page(inbox / "late.png", grey(1))
    (record,) = failures.find(flow.store)
    failures.redrive(flow.store, record, {})
    assert producer.submit(url, None, Request()).status == "known"
    drain(flow, sent)
    assert records_of(flow)[first.task_id or ""].status == "done"
    assert producer.submit(url, None, Request()).status == "known"


def test_bytes_that_failed_are_known(producer: Producer, flow: Flow, sent: list[Message]) -> None:
    outcome = producer.submit("scan.png", b"\x00no document", Request())
    drain(flow, sent)
    assert producer.submit("scan.png", b"\x00no document", Request()).status == "known"
    assert list(flow.store.list(keys.FAILED))
    assert claims.contents(flow.store, outcome.task_id or "")


def test_one_id_for_other_bytes_is_refused(producer: Producer, flow: Flow, sent: list[Message]) -> None:
    request = Request(task_id="mine")
    producer.submit("a.png", b"one", request)
    with pytest.raises(PermanentError, match="used before for other bytes"):
        producer.submit("a.png", b"two", request)
    drain(flow, sent)
    with pytest.raises(PermanentError, match="used before for other bytes"):
        producer.submit("a.png", b"two", request)
