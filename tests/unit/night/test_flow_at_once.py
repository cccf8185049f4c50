"""A document of one page ends in `ner`; everything else has a step for its result."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pipeline.errors import TransientError
from pipeline.messages import Message
from pipeline.night.brake import Brake
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.steps import conclude
from pipeline.steps.task_types import Step, TaskType
from pipeline.storage import keys
from tests.support.command import grey, page, pages
from tests.support.flows import drain, records_of, submission

BEFORE, APART = {"ingest": 1, "ocr": 1}, {"ner": 1, "result": 1}


@pytest.fixture(autouse=True)
def _at_once(flow: Flow) -> None:
    flow.at_once = True


def to_ner(flow: Flow, path: Path) -> Message:
    (ingest,) = flow.reception.accept(submission(path))
    (ocr,) = flow.run(ingest)
    (ner,) = flow.run(ocr)
    return ner


def entities(flow: Flow) -> list[str]:
    """What is stored of the entities of all documents."""
    return list(flow.store.list("ner/"))


def test_one_page_ends_in_ner(flow: Flow, inbox: Path) -> None:
    assert drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1))))) == BEFORE | {
        "ner": 1
    }
    (record,) = records_of(flow).values()
    assert (record.status, [e.value for e in record.entities]) == ("done", ["016464"])
    assert record.seconds["ner"] > 0
    assert not entities(flow)
    assert not list(flow.store.list(keys.PENDING))


def test_a_text_ends_in_ner(flow: Flow) -> None:
    sent = structs.replace(submission(Path("/")), url="", text="016464", task_type="nlp")
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1, "ner": 1}
    assert [r.status for r in records_of(flow).values()] == ["done"]


def test_the_same_bytes_again_have_the_same_result(flow: Flow, inbox: Path) -> None:
    for name in ("a", "b"):
        drain(flow, flow.reception.accept(submission(page(inbox / f"{name}.png", grey(1)), name)))
    one, other = records_of(flow).values()
    assert one.sha256 == other.sha256
    assert one.entities == other.entities != ()


def test_several_pages_do_not(flow: Flow, inbox: Path) -> None:
    sent = submission(pages(inbox / "a.pdf", [grey(1), grey(2)]))
    assert drain(flow, flow.reception.accept(sent)) == BEFORE | APART
    assert len(entities(flow)) == 1


def test_a_callback_has_its_note_first(flow: Flow, inbox: Path) -> None:
    flow.reception.settings = flow.settings.replaced({"allowed_callbacks": "https://a.example"})
    sent = submission(page(inbox / "a.png", grey(1)), callback_url="https://a.example/")
    (ingest,) = flow.reception.accept(sent)
    (ocr,) = flow.run(ingest)
    (ner,) = flow.run(ocr)
    assert [message.step for message in flow.run(ner)] == ["result"]


def test_a_step_of_ones_own_comes_first(flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = TaskType("sorted", ("ocr", "ner", Step("behind", lambda _: {"seen": "yes"})))
    monkeypatch.setattr("pipeline.steps.task_types.registered", lambda: {"sorted": kind})
    sent = submission(page(inbox / "a.png", grey(1)), task_type="sorted")
    assert drain(flow, flow.reception.accept(sent)) == BEFORE | APART | {"behind": 1}
    assert records_of(flow)["t"].outputs == {"behind": {"seen": "yes"}}


@pytest.mark.parametrize("again", [{"redelivered": True}, {"retries": 1}])
def test_what_was_tried_before_has_a_step_of_its_own(flow: Flow, inbox: Path, again: dict[str, Any]) -> None:
    ner = to_ner(flow, page(inbox / "a.png", grey(1)))
    (result,) = flow.run(structs.replace(ner, **again))
    assert (result.step, len(entities(flow))) == ("result", 1)


def test_a_result_that_could_not_be_written_is_written_by_a_step_of_its_own(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ner = to_ner(flow, page(inbox / "a.png", grey(1)))

    def fails(*_: Any, **__: Any) -> None:
        raise TransientError("no")

    with monkeypatch.context() as patch:
        patch.setattr(conclude, "result_of", fails)
        with pytest.raises(TransientError):
            flow.run(ner)
    assert not flow.concluded
    assert drain(flow, [structs.replace(ner, retries=1)]) == APART
    assert records_of(flow)["t"].status == "done"


def test_the_brake_learns_that_ner_succeeded(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brake, succeeded = Brake(flow.store), list[str]()
    monkeypatch.setattr(brake, "succeeded", succeeded.append)

    class Broker:
        def publish(self, messages: list[Message]) -> None:
            assert messages == []

    ner = to_ner(flow, page(inbox / "a.png", grey(1)))
    delivery = Delivery(flow, Broker(), brake)  # type: ignore[arg-type]
    assert delivery.step(ner) is None
    assert succeeded == ["ner"]
    assert delivery.step(ner) is None, "there is nothing left to do"
    assert succeeded == ["ner"]
