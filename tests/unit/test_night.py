"""What beat does: release, repair, ask again, summarise."""

from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from pipeline import keys, ledger, night
from pipeline.callbacks import overdue, promise
from pipeline.errors import Damaged, PermanentError, RunError
from pipeline.flow import Flow
from pipeline.models import DocumentResult, Task
from pipeline.night import ask_again, release_delayed, repair, republish, summarise_due
from pipeline.status import status
from pipeline.step_messages import Message
from pipeline.storage import Store
from tests.command import grey, page
from tests.flows import drain, records, submission


@pytest.mark.parametrize(
    ("at_open", "an_hour_on", "later"),
    [(4, 0, 4), (3, 0, 4), (3, 1, 0), (1, 4, 0)],
    ids=["all there", "one in hand", "work goes on", "disk lost"],
)
def test_lost_messages_are_published_again(
    flow: Flow, inbox: Path, at_open: int, an_hour_on: int, later: int
) -> None:
    for n in range(4):
        flow.reception.accept(submission(page(inbox / f"{n}.png", grey(n)), f"t{n}"))
    now = datetime.now(UTC)

    def repaired(minutes: int, waiting: int) -> int:
        sent: list[Message] = []
        repair(flow, now + timedelta(minutes=minutes), lambda: waiting, sent.extend)
        return len(sent)

    assert repaired(0, at_open) == (4 if at_open == 1 else 0)
    assert repaired(59, 0) == 0, "what is in hand has its time"
    assert repaired(61, an_hour_on) == later


def test_a_delayed_task_waits_in_the_store(flow: Flow, inbox: Path) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    sent = submission(page(inbox / "a.png", grey(1)), not_before=later)
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1}
    released: list[Message] = []
    release_delayed(flow, later - timedelta(seconds=2), released.extend)
    assert released == []

    def broken(_: list[Message]) -> None:
        raise RunError("The broker is away.")

    with pytest.raises(RunError):
        release_delayed(flow, later + timedelta(seconds=1), broken)
    release_delayed(flow, later + timedelta(seconds=1), released.extend)
    (order,) = released
    assert (order.step, order.task_id) == ("ingest", "t")
    assert not list(flow.store.list(keys.DELAYED))


def test_a_lost_broker_is_made_good_from_the_store(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "accepted"))
    (order,) = flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "taken_in"))
    flow.run(order)
    again = republish(flow)
    assert {(m.task_id, m.step) for m in again} == {("accepted", "ingest"), ("taken_in", "ocr")}
    drain(flow, again)
    assert {r.status for r in records(flow).values()} == {"done"}


def test_a_damaged_record_holds_up_no_message_and_no_other_night(flow: Flow, inbox: Path) -> None:
    flow.store.put(keys.result("2026-01-01", "half"), b"{")
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    with pytest.raises(RunError, match=r"half\.json in .* is damaged"):
        summarise_due(flow, datetime.now(UTC))
    assert flow.store.exists(keys.summary("documents", flow.run_date()))


def test_a_callback_whose_message_was_lost_is_asked_for_again(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("pipeline.callbacks.deliver", lambda record, *_: told.append(record.status))
    monkeypatch.setattr("pipeline.callbacks.policy", lambda _: SimpleNamespace(check=lambda _: None))
    for name in ("done.png", "failed.png"):
        if name == "done.png":
            page(inbox / name, grey(1))
        sent = submission(inbox / name, name, callback_url="https://a.example/x")
        waiting = deque(flow.reception.accept(sent))
        while waiting:
            order = waiting.popleft()
            try:
                waiting.extend(m for m in flow.run(order) if m.step != "callback")  # these are lost
            except PermanentError as error:
                flow.fail(order, error)

    def asked(minutes: int) -> list[Message]:
        sent: list[Message] = []
        ask_again(flow, datetime.now(UTC) + timedelta(minutes=minutes), sent.extend)
        return sent

    assert asked(59) == []
    assert asked(100) == [], "looked at hourly"
    messages = asked(120)
    assert [(m.step, m.task_id) for m in messages] == [("callback", "done.png"), ("callback", "failed.png")]
    drain(flow, [*messages, *messages])
    assert told == ["done", "failed"], "a message that comes twice tells nobody twice"
    assert asked(240) == []
    assert not list(flow.store.list(keys.CALLBACKS))


def test_a_promise_without_an_end_is_none(flow: Flow, inbox: Path) -> None:
    task = Task(
        task_id="t", sha256=None, source="x", run_date=flow.run_date(), callback_url="https://a.example"
    )
    promise(flow.store, task)
    ledger.mark(flow.store, task)
    later = datetime.now(UTC) + timedelta(hours=2)
    assert overdue(flow.store, later) == []
    assert list(flow.store.list(keys.CALLBACKS)), "its record may be written yet"
    flow.store.delete(keys.pending("t"))
    assert overdue(flow.store, later) == []
    assert not list(flow.store.list(keys.CALLBACKS))


def test_a_damaged_marker_is_told_of_and_keeps_no_other_from_being_repaired(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "whole"))
    flow.store.put(keys.pending("half"), b"{")
    assert [m.task_id for m in republish(flow)] == ["whole"]
    assert {b.task_type: b.count for b in status(flow).backlog} == {"document": 1, "damaged": 1}
    with pytest.raises(Damaged, match=r"pending/half\.json in .* is damaged"):
        flow.run(Message(step="ocr", task_id="half"))


def test_a_night_that_is_over_is_looked_at_now_and_then(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    really = night.records

    def count(store: Store, run_date: str) -> int:
        counted.append(run_date)
        return really(store, run_date)

    monkeypatch.setattr(night, "records", count)
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    now = datetime.now(UTC)
    for minutes, looks, done in ((0, 1, 1), (1, 1, 0), (4, 1, 0), (6, 2, 0), (7, 2, 0), (12, 3, 0)):
        assert len(summarise_due(flow, now + timedelta(minutes=minutes))) == done
        assert len(counted) == looks
    assert len(summarise_due(flow, now + timedelta(minutes=79))) == 0
    flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    assert len(summarise_due(flow, now + timedelta(minutes=80))) == 0
    drain(flow, republish(flow))
    assert len(summarise_due(flow, now + timedelta(minutes=81))) == 1, (
        "nothing is left: its tables are written at once"
    )
    now += timedelta(minutes=81 - 12)
    flow.reception.refuse(b"late", PermanentError("no JSON", code="bad_message"))
    assert summarise_due(flow, now + timedelta(minutes=13)) == []
    assert summarise_due(flow, now + timedelta(minutes=18)) == [flow.run_date()]


@pytest.mark.parametrize("answer", [None, PermanentError("410")])
def test_an_end_that_comes_while_another_is_told_of_is_told_of_too(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, answer: PermanentError | None
) -> None:
    task = Task(
        task_id="t", sha256=None, source="x", run_date=flow.run_date(), callback_url="https://a.example"
    )
    (order,) = promise(flow.store, task)
    ledger.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    told: list[str] = []

    def deliver(record: DocumentResult, *_: object) -> None:
        told.append(record.status)
        if len(told) == 1:  # its redrive ends
            promise(flow.store, task)
            ledger.finish(flow.store, structs.replace(record, status="done", error=None))
            if answer:
                raise answer

    monkeypatch.setattr("pipeline.callbacks.deliver", deliver)
    for _ in range(3):
        assert flow.run(order) == []
    assert told == ["failed", "done"]
