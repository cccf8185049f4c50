"""Deadlines: noted at ingest, hurried while the window is open, gone with the document."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline.errors import RunError, StoreUnavailable, UsageError
from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.models import Task, from_json, to_json
from pipeline.night import deadlines, forget, selection
from pipeline.night.flow import Flow
from pipeline.night.selection import Selector
from pipeline.night.window import moment
from pipeline.storage import keys
from pipeline.tables.summary import summarise
from tests.support.command import grey, page
from tests.support.flows import drain, flow_of, raiser, records_of, submission


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def ingested(flow: Flow, inbox: Path, task_id: str, deadline: datetime, **more: Any) -> Message:
    sent = submission(page(inbox / f"{task_id}.png", grey(1)), task_id, deadline=deadline, **more)
    (message,) = flow.reception.accept(sent)
    (message,) = flow.run(message)
    return message


def hurried(flow: Flow, now: datetime) -> list[Message]:
    sent: list[Message] = []
    deadlines.hurry(flow.night, now, sent.extend)
    return sent


def notes(flow: Flow) -> list[keys.DeadlineName]:
    return [name for key in flow.store.list(keys.DEADLINES) if (name := keys.deadline_name(key))]


def test_a_document_whose_time_runs_out_moves_to_the_urgent_lane(
    flow: Flow, inbox: Path, now: datetime
) -> None:
    ingested(flow, inbox, "soon", now + timedelta(minutes=2))
    ingested(flow, inbox, "later", now + timedelta(hours=5))
    (message,) = hurried(flow, now)
    assert (message.step, message.task_id, message.priority, message.turn) == ("ocr", "soon", 8, 1)
    assert [(one.task_id, one.moved) for one in notes(flow)] == [("soon", True), ("later", False)]
    assert hurried(flow, now) == [], "once"
    marker = pending.get(flow.store, "soon")
    assert marker is not None
    assert marker.priority == 8
    drain(flow, [message])
    assert [one.task_id for one in notes(flow)] == ["later"]
    found = records_of(flow)["soon"]
    assert found.deadline == (now + timedelta(minutes=2)).isoformat()


def test_its_other_message_does_nothing(flow: Flow, inbox: Path, now: datetime) -> None:
    first = ingested(flow, inbox, "soon", now + timedelta(minutes=2))
    drain(flow, hurried(flow, now))
    assert drain(flow, [first]) == {"ocr": 1}
    assert list(records_of(flow)) == ["soon"]


def test_a_process_that_dies_in_between_costs_a_message(flow: Flow, inbox: Path, now: datetime) -> None:
    ingested(flow, inbox, "soon", now + timedelta(minutes=2))
    with pytest.raises(RunError):
        deadlines.hurry(flow.night, now, raiser(RunError("The broker is away.")))
    marker = pending.get(flow.store, "soon")
    assert marker is not None
    assert marker.priority == 5, "published first"
    assert len(hurried(flow, now)) == 1


def test_while_the_window_is_closed_nothing_is_hurried(flow: Flow, inbox: Path, now: datetime) -> None:
    ingested(flow, inbox, "soon", now + timedelta(minutes=2))
    closed = flow_of(structs.replace(flow.settings, window="never"))
    assert hurried(closed, now) == []


def test_a_deadline_that_has_passed_is_not_hurried_and_its_note_goes(
    flow: Flow, inbox: Path, now: datetime
) -> None:
    ingested(flow, inbox, "late", now - timedelta(days=1))
    assert notes(flow) == []
    ingested(flow, inbox, "soon", now + timedelta(minutes=30))
    assert hurried(flow, now + timedelta(minutes=31)) == []
    assert notes(flow) == []
    drain(flow, [Message(step="ocr", task_id=name) for name in ("late", "soon")])
    assert {one.status for one in records_of(flow).values()} == {"done"}


@pytest.mark.parametrize(("priority", "noted"), [(0, []), (2, []), (3, [False]), (9, [True])])
def test_backfill_is_never_hurried_as_it_may_exceed_a_quota(
    flow: Flow, inbox: Path, now: datetime, priority: int, noted: list[bool]
) -> None:
    ingested(flow, inbox, "one", now + timedelta(minutes=2), priority=priority)
    assert [one.moved for one in notes(flow)] == noted


def test_a_note_of_a_task_that_has_ended_goes(flow: Flow, inbox: Path, now: datetime) -> None:
    ingested(flow, inbox, "soon", now + timedelta(minutes=2))
    pending.remove(flow.store, "soon", 0)
    assert hurried(flow, now) == []
    assert notes(flow) == []


def test_a_note_goes_also_where_the_record_was_written_by_a_step_that_failed(
    flow: Flow, inbox: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ingested(flow, inbox, "soon", now + timedelta(hours=5))
    while message.step != "result":
        (message,) = flow.run(message)
    with monkeypatch.context() as patched:
        patched.setattr(pending, "remove", raiser(StoreUnavailable("Gone.")))
        with pytest.raises(StoreUnavailable):
            flow.run(message)
    assert len(notes(flow)) == len(records_of(flow)) == 1
    flow.run(message)
    assert notes(flow) == []


def test_a_damaged_marker_holds_up_no_other(flow: Flow, inbox: Path, now: datetime) -> None:
    for name in ("a", "b"):
        ingested(flow, inbox, name, now + timedelta(minutes=2))
    flow.store.put(keys.pending("a"), b"{")
    assert [one.task_id for one in hurried(flow, now)] == ["b"]


def test_keys_of_notes() -> None:
    at = datetime(2026, 11, 24, 4, tzinfo=UTC)
    key = keys.deadline(at, "ocr", 12, "a/b-c", moved=True)
    assert keys.deadline_name(key) == (at, "ocr", 12, "a/b-c", True)
    assert keys.task_id_of(key) == "a/b-c"
    for other in ("deadlines/soon/ocr-1/a.json", "deadlines/20261124T040000Z/ocr/a.json", "deadlines/a.json"):
        assert keys.deadline_name(other) is None


def test_only_so_many_notes_are_looked_at(flow: Flow, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "LOOKED_AT", 10)
    for number in range(40):
        flow.store.put(keys.deadline(now + timedelta(minutes=2), "ocr", 1, f"t{number}"), b"")
    hurried(flow, now)
    assert len(notes(flow)) == 30, "of tasks that have ended"


def test_a_marker_with_an_invalid_deadline_is_damaged() -> None:
    task = Task(task_id="t", sha256=None, source="x", deadline="2026-11-24T04:00:00+00:00")
    assert from_json(to_json(task), Task) == task
    with pytest.raises(ValueError, match="Expected dates"):
        Task(task_id="t", sha256=None, source="x", deadline="soon")


def test_it_is_in_the_table(flow: Flow, inbox: Path, now: datetime) -> None:
    fraction = now.replace(microsecond=123456) + timedelta(hours=9)
    drain(flow, [ingested(flow, inbox, "with", fraction)])
    drain(flow, flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "without")))
    (run_date,) = {one.run_date for one in records_of(flow).values()}
    summarise(flow.store, run_date)
    table = pq.read_table(io.BytesIO(flow.store.get(keys.summary("documents", run_date))))
    assert dict(zip(table["task_id"].to_pylist(), table["deadline"].to_pylist(), strict=True)) == {
        "with": now + timedelta(hours=9),
        "without": None,
    }


def test_forgetting_a_document_deletes_the_note(flow: Flow, inbox: Path, now: datetime) -> None:
    ingested(flow, inbox, "soon", now + timedelta(hours=9))
    plan = selection.plan(flow.store, Selector(task_id="soon"), actor="alice")
    assert plan is not None
    forget.carry_out(flow.store, plan)
    assert notes(flow) == []


@pytest.mark.parametrize("given", ["23:59", "2999-01-01T00:00Z", "soon", "2020-01-01T00:00Z"])
def test_a_deadline_for_python_and_the_command(given: str) -> None:
    if given == "23:59":
        assert moment(given, "Europe/Berlin") is not None
        return
    with pytest.raises(UsageError):
        moment(given, "Europe/Berlin")


def test_a_moment_without_an_offset_is_local() -> None:
    found = moment(datetime(2026, 11, 24, 4), "Europe/Berlin")
    assert found == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert moment(None, "UTC") is None
