"""A stamp that a clock which was ahead has left stops nothing: it counts as none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import clock
from pipeline.errors import PermanentError
from pipeline.ledger import records
from pipeline.messages import Message
from pipeline.models import to_json
from pipeline.night.callbacks import Due, note_due
from pipeline.night.checks import Checked
from pipeline.night.flow import Flow
from pipeline.night.housekeeping import resend_overdue_callbacks
from pipeline.night.repair import Queued, repair
from pipeline.night.summaries import Look, is_due, summarise_due
from pipeline.night.window import Override
from pipeline.storage import keys
from tests.support.command import grey, page
from tests.support.flows import submission, task_with_callback

NOW = datetime.now(UTC)
AHEAD = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("minutes", "age"),
    [(-90, 90), (0, 0), (4, 0), (6, None)],
    ids=["old", "now", "another machine's", "ahead"],
)
def test_the_age_of_a_stamp(minutes: int, age: int | None) -> None:
    expected = None if age is None else timedelta(minutes=age)
    assert clock.age(NOW + timedelta(minutes=minutes), NOW) == expected


@pytest.mark.parametrize("done", [True, False])
def test_lost_messages_are_published_although_a_check_bears_a_later_time(
    flow: Flow, inbox: Path, done: bool
) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    flow.store.put(keys.night(flow.schedule.run_date(), "opened"), to_json(Checked(AHEAD, done=done)))
    sent: list[Message] = []
    repair(flow.night, NOW, Queued, sent.extend)
    assert [m.task_id for m in sent] == ["t"]


def test_a_callback_is_published_again_although_its_note_bears_a_later_time(flow: Flow) -> None:
    task = task_with_callback(flow)
    note_due(flow.store, task)
    records.fail(flow.store, task, PermanentError("no"), run_date=task.run_date, settings_digest="")
    flow.store.put(keys.callback(task.run_date, "t"), to_json(Due(AHEAD)))
    flow.store.put(keys.control("callbacks"), to_json(Checked(AHEAD)))
    sent: list[Message] = []
    resend_overdue_callbacks(flow.night, NOW, sent.extend)
    assert [m.task_id for m in sent] == ["t"]


@pytest.mark.parametrize("begun", [True, False])
def test_tables_are_written_although_the_last_look_bears_a_later_time(flow: Flow, begun: bool) -> None:
    last = Look(at=AHEAD, activity="working", begun=begun)
    assert is_due(last, NOW, "idle", changed=False)
    assert is_due(last, NOW, "working", changed=False)
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    flow.store.put(
        keys.night(flow.schedule.run_date(), "summarised"), to_json(Look(at=AHEAD, records=1, begun=begun))
    )
    assert summarise_due(flow.night, NOW) == [flow.schedule.run_date()]
    assert summarise_due(flow.night, NOW) == []


def test_nights_that_a_clock_ahead_has_begun_displace_no_real_one(flow: Flow) -> None:
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    for year in range(2090, 2094):
        flow.store.put(keys.night(f"{year}-01-01", "opened"), b"{}")
    assert flow.schedule.run_date() in summarise_due(flow.night, NOW)


def test_an_override_given_by_a_clock_far_ahead_is_none(flow: Flow) -> None:
    for days, holds in ((1, True), (366, True), (400, False)):
        override = Override("closed", (NOW + timedelta(days=days)).isoformat())
        flow.store.put(keys.control("window"), to_json(override))
        assert (flow.schedule.override() is not None) == holds
