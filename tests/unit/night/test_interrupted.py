"""What was received and is nowhere, as the process died after the receipt, is resumed by housekeeping."""

from pathlib import Path

import pytest
from msgspec import structs

from pipeline.errors import PermanentError
from pipeline.ledger import forgetting, pending, receipts
from pipeline.ledger.audit import audit, restore
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import interrupted
from pipeline.night.flow import Flow
from pipeline.storage import keys
from pipeline.submission.contract import BadMessage
from pipeline.tables.summary import summarise
from tests.support.command import grey, page
from tests.support.flows import Died, drain, raiser, records_of, submission


def die_after_the_receipt(flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = submission(page(inbox / "a.png", grey(1)), "a")
    with monkeypatch.context() as dying:
        dying.setattr(pending, "mark_first", raiser(Died()))
        with pytest.raises(Died):
            flow.reception.accept(sent)
    assert receipts.received(flow.store, flow.schedule.run_date()).keys() == {"a"}


def ids(tasks: list[Task]) -> list[str]:
    return [task.task_id for task in tasks]


def test_an_acceptance_is_resumed_at_the_second_check(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_after_the_receipt(flow, inbox, monkeypatch)
    assert interrupted.resume(flow.store, {}) == [], "it may be in progress"
    (task,) = interrupted.resume(flow.store, {})
    drain(flow, [Message.of("ingest", task)])
    assert records_of(flow)["a"].status == "done"
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_what_has_a_marker_or_a_record_is_left_alone(flow: Flow, inbox: Path) -> None:
    messages = flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "a"))
    task = pending.get(flow.store, "a")
    assert task is not None
    for _ in range(3):
        assert interrupted.resume(flow.store, {"a": task.receipt}) == []
    assert interrupted.resume(flow.store, {}) == [], "accepted since the markers were listed"
    assert interrupted.resume(flow.store, {}) == []
    drain(flow, messages)
    for written in (False, True):
        if written:
            summarise(flow.store, flow.schedule.run_date())
        assert interrupted.resume(flow.store, {}) == interrupted.resume(flow.store, {}) == []
    assert not list(flow.store.list(keys.PENDING))


@pytest.mark.parametrize("body", [b'{"task_id": "a"', b'{"task_id": "a", "image_url": "s3://other/a.png"}'])
def test_a_refusal_is_recorded_with_its_code(flow: Flow, body: bytes) -> None:
    error = BadMessage("It is not JSON.")
    (name,) = ids([flow.reception.refused(body, error)])
    interrupted.resume(flow.store, {})
    (task,) = interrupted.resume(flow.store, {})
    message = Message.of("ingest", task)
    with pytest.raises(PermanentError) as raised:
        flow.run(message)
    flow.fail(message, raised.value)
    record = records_of(flow)[name]
    assert record.error is not None
    assert record.error.code == "bad_message"
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_what_was_refused_is_not_done_by_a_repair(flow: Flow, inbox: Path) -> None:
    """Although its source may be read now."""
    sent = submission(page(inbox / "a.png", grey(1)), "a")
    error = PermanentError("Another tenant.", code="tenant_refused")
    flow.reception.refused(b"", error, sent)
    day = flow.schedule.run_date()
    (task,) = restore(flow.store, audit(flow.store, day))
    drain(flow, [Message.of("ingest", task)])
    record = records_of(flow)["a"]
    assert record.error is not None
    assert record.error.code == "tenant_refused"


def test_what_is_being_forgotten_is_left_alone(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_after_the_receipt(flow, inbox, monkeypatch)
    plan = forgetting.Plan(run="1", at="", actor="", targets=(forgetting.Target(task_id="a"),))
    forgetting.note(flow.store, plan)
    interrupted.resume(flow.store, {})
    assert interrupted.resume(flow.store, {}) == []
    forgetting.note(flow.store, structs.replace(plan, targets=()))
    assert ids(interrupted.resume(flow.store, {})) == ["a"]
