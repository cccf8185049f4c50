"""Every callback that is due is delivered, whatever gets lost on the way."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import PermanentError, TransientError
from pipeline.ledger import pending, records
from pipeline.messages import Message
from pipeline.models import SCHEMA_VERSION, DocumentResult, Task
from pipeline.night import failures
from pipeline.night.callbacks import note_due, overdue, resend, undelivered
from pipeline.night.flow import Flow
from pipeline.night.housekeeping import resend_overdue_callbacks
from pipeline.storage import keys
from tests.support.command import grey, page
from tests.support.flows import drain, flow_of, raiser, submission, task_with_callback


def test_a_callback_whose_message_was_lost_is_asked_for_again(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notified: list[str] = []
    monkeypatch.setattr("pipeline.night.callbacks.deliver", lambda record, *_: notified.append(record.status))
    monkeypatch.setattr(
        "pipeline.submission.reception.callback_policy", lambda _: SimpleNamespace(check=lambda _: None)
    )
    for name in ("done.png", "failed.png"):
        if name == "done.png":
            page(inbox / name, grey(1))
        sent = submission(inbox / name, name, callback_url="https://a.example/x")
        waiting = deque(flow.reception.accept(sent))
        while waiting:
            message = waiting.popleft()
            try:
                waiting.extend(m for m in flow.run(message) if m.step != "callback")  # these are lost
            except PermanentError as error:
                flow.fail(message, error)

    def asked(minutes: int) -> list[Message]:
        sent: list[Message] = []
        resend_overdue_callbacks(flow.night, datetime.now(UTC) + timedelta(minutes=minutes), sent.extend)
        return sent

    assert asked(59) == []
    assert asked(100) == [], "looked at hourly"
    messages = asked(120)
    assert [(m.step, m.task_id) for m in messages] == [("callback", "done.png"), ("callback", "failed.png")]
    drain(flow, [*messages, *messages])
    assert notified == ["done", "failed"], "a message that comes twice notifies nobody twice"
    assert asked(240) == []
    assert not list(flow.store.list(keys.CALLBACKS))


def test_a_note_due_without_an_end_is_none(flow: Flow, inbox: Path) -> None:
    task = task_with_callback(flow)
    note_due(flow.store, task)
    pending.mark(flow.store, task)
    later = datetime.now(UTC) + timedelta(hours=2)
    assert list(overdue(flow.store, later)) == []
    assert list(flow.store.list(keys.CALLBACKS)), "its record may be written yet"
    flow.store.delete(keys.pending("t"))
    assert list(overdue(flow.store, later)) == []
    assert not list(flow.store.list(keys.CALLBACKS))


def test_a_record_of_a_later_version_does_not_hold_up_other_callbacks(flow: Flow) -> None:
    for name in ("a", "b"):
        task = task_with_callback(flow, name)
        note_due(flow.store, task)
        records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    (key, _) = flow.store.list(keys.FAILED)
    later = json.loads(flow.store.get(key)) | {"schema_version": SCHEMA_VERSION + 1}
    flow.store.put(key, json.dumps(later).encode())
    sent = overdue(flow.store, datetime.now(UTC) + timedelta(hours=2))
    assert [message.task_id for message in sent] == ["b"]
    assert len(list(flow.store.list(keys.CALLBACKS))) == 2, "its note is left to the later version"


@pytest.mark.parametrize("answer", [None, PermanentError("410")])
def test_an_end_that_comes_while_another_is_told_of_is_told_of_too(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, answer: PermanentError | None
) -> None:
    task = task_with_callback(flow)
    (message,) = note_due(flow.store, task)
    records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    notified: list[str] = []

    def deliver(record: DocumentResult, *_: object) -> None:
        notified.append(record.status)
        if len(notified) == 1:  # its redrive ends
            note_due(flow.store, task)
            records.finish(flow.store, structs.replace(record, status="done", error=None))
            if answer:
                raise answer

    monkeypatch.setattr("pipeline.night.callbacks.deliver", deliver)
    for _ in range(3):
        assert flow.run(message) == []
    assert notified == ["failed", "done"]


def test_a_done_task_that_is_read_anew_is_told_of_meanwhile(flow: Flow) -> None:
    task = task_with_callback(flow)
    note_due(flow.store, task)
    records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    pending.mark(flow.store, structs.replace(task, reprocess=True))
    assert len(list(overdue(flow.store, datetime.now(UTC) + timedelta(hours=2)))) == 1


def test_a_redriven_task_has_no_old_callback_to_deliver(flow: Flow) -> None:
    task = Task(
        task_id="t",
        sha256=None,
        source="file:///x",
        run_date=flow.schedule.run_date(),
        callback_url="https://a.example",
    )
    (message,) = note_due(flow.store, task)
    record = records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    flow.fail(message, PermanentError("410"))
    (given_up,) = undelivered(flow.store)
    failures.redrive(flow.store, record, {})
    assert not list(undelivered(flow.store))
    assert flow.run(message) == [], "its message finds nothing owed"
    flow.store.put(keys.undelivered(given_up.run_date, "t"), b'{"code": "x", "message": "x"}')
    assert resend(flow.store, given_up) is None
    assert not list(undelivered(flow.store))


def test_a_receiver_that_hangs_is_not_asked_again_at_once(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(flow.settings.replaced({"callback_secret": "s"}))
    clock, asked = SimpleNamespace(now=1000.0), list[str]()
    monkeypatch.setattr(
        "pipeline.night.callbacks.time", SimpleNamespace(monotonic=lambda: clock.now, time=lambda: 0)
    )

    def hangs(url: str, *_: object) -> int:
        asked.append(url)
        clock.now += 10
        raise TransientError("took too long")

    monkeypatch.setattr("pipeline.night.callbacks.post", hangs)
    task = Task(
        task_id="t",
        sha256=None,
        source="x",
        run_date=flow.schedule.run_date(),
        callback_url="https://a.example/1",
    )
    (message,) = note_due(flow.store, task)
    records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    for at, tries in ((1000, 1), (1020, 2), (1040, 3), (1060, 3), (1105, 3), (1115, 4)):
        clock.now = at
        with pytest.raises(TransientError):
            flow.run(message)
        assert len(asked) == tries


def test_a_receiver_that_is_unavailable_is_tried_hourly_for_a_day(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.night.callbacks.deliver", raiser(TransientError("its server answered 503")))
    task = task_with_callback(flow)
    (message,) = note_due(flow.store, task)
    records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    used_up, start = structs.replace(message, retries=flow.settings.max_retries), datetime.now(UTC)
    with pytest.raises(TransientError):
        flow.run(message)
    published = 0
    for minutes in range(0, 25 * 60, 20):
        now = start + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "_source", lambda now=now: now)
        sent: list[Message] = []
        resend_overdue_callbacks(flow.night, now, sent.extend)
        published += len(sent)
        if minutes == 0 or (sent and minutes < 24 * 60):
            assert flow.run(used_up) == [], "it waits for the next hour"
    assert 12 <= published <= 25
    with pytest.raises(TransientError):  # so it is abandoned, and listed
        flow.run(used_up)
