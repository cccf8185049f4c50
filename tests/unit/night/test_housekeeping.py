"""What beat does: release, repair, ask again, summarise."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pipeline.errors import Damaged, PermanentError, RunError
from pipeline.ledger import records
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import summaries
from pipeline.night.callbacks import note_due, overdue, undelivered
from pipeline.night.dispatch import resume_all
from pipeline.night.flow import Flow
from pipeline.night.housekeeping import release_delayed
from pipeline.night.repair import Queued, repair
from pipeline.night.status import status
from pipeline.night.summaries import summarise_due
from pipeline.storage import Store, keys
from pipeline.tables import summary
from pipeline.tables.summary import summarise
from tests.support.command import grey, page
from tests.support.flows import Died, drain, raiser, records_of, submission


@pytest.mark.parametrize(
    ("at_open", "an_hour_on", "later"),
    [(4, 0, 4), (3, 0, 4), (3, 1, 3), (4, 4, 0), (1, 4, 0)],
    ids=["all lost later", "one held by a worker", "some lost", "none lost", "disk lost"],
)
def test_lost_messages_are_published_again(
    flow: Flow, inbox: Path, at_open: int, an_hour_on: int, later: int
) -> None:
    for n in range(4):
        flow.reception.accept(submission(page(inbox / f"{n}.png", grey(n)), f"t{n}"))
    now = datetime.now(UTC)

    def repaired(minutes: int, waiting: int) -> int:
        sent: list[Message] = []
        repair(flow.night, now + timedelta(minutes=minutes), lambda: Queued(ingest=waiting), sent.extend)
        return len(sent)

    assert repaired(0, at_open) == (4 if at_open == 1 else 0)
    assert repaired(59, 0) == 0, "what is in hand has its time"
    assert repaired(61, an_hour_on) == later


def test_a_delayed_task_waits_in_the_store(flow: Flow, inbox: Path) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    sent = submission(page(inbox / "a.png", grey(1)), not_before=later)
    assert drain(flow, flow.reception.accept(sent)) == {"ingest": 1}
    released: list[Message] = []
    release_delayed(flow.night, later - timedelta(seconds=2), released.extend)
    assert released == []

    def broken(_: list[Message]) -> None:
        raise RunError("The broker is away.")

    with pytest.raises(RunError):
        release_delayed(flow.night, later + timedelta(seconds=1), broken)
    release_delayed(flow.night, later + timedelta(seconds=1), released.extend)
    (message,) = released
    assert (message.step, message.task_id) == ("ingest", "t")
    assert not list(flow.store.list(keys.DELAYED))


def test_a_lost_broker_is_made_good_from_the_store(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "accepted"))
    (message,) = flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "taken_in"))
    flow.run(message)
    again = list(resume_all(flow.night))
    assert {(m.task_id, m.step) for m in again} == {("accepted", "ingest"), ("taken_in", "ocr")}
    drain(flow, again)
    assert {r.status for r in records_of(flow).values()} == {"done"}


def test_a_damaged_record_holds_up_no_message_and_no_other_night(flow: Flow, inbox: Path) -> None:
    flow.store.put(keys.result("2026-01-01", "half"), b"{")
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    with pytest.raises(Damaged, match=r"half\.json in .* is damaged"):
        summarise_due(flow.night, datetime.now(UTC))
    assert flow.store.exists(keys.summary("documents", flow.schedule.run_date()))


def test_a_damaged_marker_is_told_of_and_keeps_no_other_from_being_repaired(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "whole"))
    flow.store.put(keys.pending("half"), b"{")
    assert [m.task_id for m in resume_all(flow.night)] == ["whole"]
    assert {b.task_type: b.count for b in status(flow.night).backlog} == {"document": 1, "damaged": 1}
    with pytest.raises(Damaged, match=r"pending/half\.json in .* is damaged"):
        flow.run(Message(step="ocr", task_id="half"))


def test_a_night_that_is_over_is_looked_at_now_and_then(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    really = summaries.records

    def count(store: Store, run_date: str) -> int:
        counted.append(run_date)
        return really(store, run_date)

    monkeypatch.setattr(summaries, "records", count)
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    now = datetime.now(UTC)
    for minutes, looks, done in ((0, 1, 1), (1, 1, 0), (4, 1, 0), (6, 2, 0), (7, 2, 0), (12, 3, 0)):
        assert len(summarise_due(flow.night, now + timedelta(minutes=minutes))) == done
        assert len(counted) == looks
    assert len(summarise_due(flow.night, now + timedelta(minutes=79))) == 0
    flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    assert len(summarise_due(flow.night, now + timedelta(minutes=80))) == 0
    drain(flow, resume_all(flow.night))
    assert len(summarise_due(flow.night, now + timedelta(minutes=81))) == 1, (
        "nothing is left: its tables are written at once"
    )
    now += timedelta(minutes=81 - 12)
    flow.reception.refuse(b"late", PermanentError("no JSON", code="bad_message"))
    assert summarise_due(flow.night, now + timedelta(minutes=13)) == []
    assert summarise_due(flow.night, now + timedelta(minutes=18)) == [flow.schedule.run_date()]


def test_damage_holds_up_no_other_delayed_task_and_no_other_callback(flow: Flow, inbox: Path) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    for name in ("a", "b"):
        drain(
            flow,
            flow.reception.accept(submission(page(inbox / f"{name}.png", grey(1)), name, not_before=later)),
        )
    flow.store.put(keys.pending("a"), b"{")
    sent: list[Message] = []
    release_delayed(flow.night, later + timedelta(seconds=1), sent.extend)
    assert [m.task_id for m in sent] == ["b"]
    (kept,) = flow.store.list(keys.DELAYED)
    assert keys.task_id_of(kept) == "a"

    task = Task(
        task_id="t",
        sha256=None,
        source="x",
        run_date=flow.schedule.run_date(),
        callback_url="https://a.example",
    )
    for name in ("damaged note", "damaged record", "whole"):
        note_due(flow.store, structs.replace(task, task_id=name))
        records.fail(
            flow.store,
            structs.replace(task, task_id=name),
            PermanentError("no"),
            run_date=task.run_date,
            settings_digest="",
        )
    flow.store.put(keys.callback(task.run_date, "damaged note"), b"{")
    flow.store.put(keys.failed(task.run_date, "damaged record"), b"{")
    assert [m.task_id for m in overdue(flow.store, later)] == ["whole"]
    assert [(u.task_id, u.code) for u in undelivered(flow.store)] == [
        ("damaged note", "damaged"),
        ("damaged record", "damaged"),
    ]


def test_a_summary_under_way_is_not_begun_again(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    now, begun, really = datetime.now(UTC), list[str](), summarise

    def slow(store: Store, run_date: str, **options: Any) -> object:
        begun.append(run_date)
        assert summarise_due(flow.night, now + timedelta(seconds=30)) == [], "the next tick comes meanwhile"
        return really(store, run_date, **options)

    monkeypatch.setattr(summary, "summarise", slow)
    assert summarise_due(flow.night, now) == begun == [flow.schedule.run_date()]


def test_a_damaged_night_is_looked_at_now_and_then(flow: Flow) -> None:
    flow.store.put(keys.result("2026-01-01", "half"), b"{")
    now = datetime.now(UTC)
    for minutes, raised in ((0, True), (6, False), (31, True)):
        with pytest.raises(Damaged) if raised else nullcontext():
            summarise_due(flow.night, now + timedelta(minutes=minutes))


def test_a_repair_that_the_broker_broke_off_is_made_anew(flow: Flow, inbox: Path) -> None:
    for n in range(3):
        flow.reception.accept(submission(page(inbox / f"{n}.png", grey(n)), f"t{n}"))
    now, sent = datetime.now(UTC), list[Message]()

    def breaks_off(messages: list[Message]) -> None:
        if len(sent) == 1:
            raise RunError("The broker is away.")
        sent.extend(messages)

    with pytest.raises(RunError):
        repair(flow.night, now, lambda: Queued(ingest=0), breaks_off)
    repair(flow.night, now + timedelta(seconds=30), lambda: Queued(ingest=1), sent.extend)
    assert {m.task_id for m in sent} == {"t0", "t1", "t2"}


def test_two_ticks_at_once_publish_a_lost_backlog_once(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    now, sent = datetime.now(UTC), list[Message]()

    def slow(messages: list[Message]) -> None:
        repair(flow.night, now + timedelta(seconds=30), lambda: Queued(ingest=0), sent.extend)
        sent.extend(messages)

    repair(flow.night, now, lambda: Queued(ingest=0), slow)
    assert len(sent) == 1


def test_a_repair_whose_process_died_is_made_anew_after_a_while(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    now = datetime.now(UTC)
    with pytest.raises(Died):
        repair(flow.night, now, lambda: Queued(ingest=0), raiser(Died()))
    sent: list[Message] = []
    for minutes, published in ((25, 0), (31, 1), (32, 1)):
        repair(flow.night, now + timedelta(minutes=minutes), lambda: Queued(ingest=0), sent.extend)
        assert len(sent) == published
