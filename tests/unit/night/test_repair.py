"""Which tasks are published again: the lost ones, whatever else waits, and seldom any other."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from pipeline.ledger import pending
from pipeline.messages import Message
from pipeline.models import Task, to_json
from pipeline.night.checks import Checked
from pipeline.night.flow import Flow
from pipeline.night.repair import Lane, Queued, Waiting, missing, repair
from pipeline.storage import keys
from tests.support.command import grey, page
from tests.support.flows import flow_of, submission

HOUR = timedelta(hours=1)


def waiting(lane: Lane, hours: float, name: str = "", parts: int = 1) -> Waiting:
    return Waiting(task_id=name or f"{lane}-{hours}", messages=parts, lane=lane, age=timedelta(hours=hours))


def ids(tasks: list[Waiting], queued: Queued, period: timedelta = HOUR) -> list[str]:
    return [task.task_id for task in missing(tasks, queued, period)]


def test_as_many_as_are_missing_in_a_lane_are_published_oldest_first() -> None:
    tasks = [waiting("normal", hours) for hours in (2.5, 7.5, 5.5)]
    assert ids(tasks, Queued(normal=3)) == []
    assert ids(tasks, Queued(normal=2)) == ["normal-7.5"]
    assert ids(tasks, Queued(normal=1)) == ["normal-7.5", "normal-5.5"]
    assert ids(tasks, Queued(normal=9)) == [], "duplicates"


def test_a_lane_is_not_hidden_by_another() -> None:
    backfill = [waiting("backfill", 5.5, f"b{n}") for n in range(20)]
    assert ids([*backfill, waiting("urgent", 5.5)], Queued(backfill=20)) == ["urgent-5.5"]
    assert ids([*backfill, waiting("urgent", 5.5)], Queued(backfill=90)) == ["urgent-5.5"]


def test_messages_that_wait_elsewhere_are_not_missing() -> None:
    ingest = [waiting("ingest", 5.5, f"i{n}") for n in range(20)]
    assert ids(ingest, Queued(elsewhere=20)) == [], "an outage of their source"
    assert ids([*ingest, waiting("urgent", 5.5)], Queued(elsewhere=20)) == ["urgent-5.5"]


def test_what_was_accepted_just_now_may_be_about_to_be_published() -> None:
    assert ids([waiting("ingest", 0.5)], Queued()) == []
    assert ids([waiting("ingest", 1.5)], Queued()) == ["ingest-1.5"]
    unknown = structs.replace(waiting("ingest", 0.5), age=None)
    assert ids([unknown], Queued()) == ["ingest-0.5"]


def test_a_document_that_is_spread_has_several_messages() -> None:
    tasks = [waiting("normal", 5.5, "long", parts=6), waiting("normal", 2.5, "lost")]
    assert ids(tasks, Queued(normal=7)) == []
    assert ids(
        [waiting("normal", 5.5, "lost"), waiting("normal", 2.5, "long", parts=6)], Queued(normal=6)
    ) == ["lost"]


@pytest.mark.parametrize(("lane", "most"), [("normal", 3), ("ingest", 3), ("urgent", 8)])
def test_whatever_hides_a_lost_one_it_is_published_now_and_then(lane: Lane, most: int) -> None:
    hidden = Queued(urgent=99, normal=99, backfill=99, ingest=99, elsewhere=99)
    published = [hour for hour in range(1, 24 * 7) if ids([waiting(lane, hour + 0.5, "lost")], hidden)]
    assert 3 <= len(published) <= most
    assert published[0] == (1 if lane == "urgent" else 24)


def test_an_urgent_one_is_made_good_while_backfill_waits(flow: Flow, inbox: Path) -> None:
    def accepted(name: str, priority: int) -> None:
        sent = submission(page(inbox / f"{name}.png", grey(priority)), name, priority=priority)
        flow.run(flow.reception.accept(sent)[0])

    accepted("lost", 9)
    for n in range(5):
        accepted(f"backfill{n}", 0)
    start, sent = datetime.now(UTC), Counter[str]()

    def publish(messages: list[Message]) -> None:
        sent.update(m.task_id for m in messages)

    repair(flow.night, start, lambda: Queued(backfill=5), publish)
    for hour in range(1, 4):
        repair(flow.night, start + hour * HOUR + timedelta(minutes=hour), lambda: Queued(backfill=5), publish)
    assert set(sent) == {"lost"}
    assert sent["lost"] <= 3


def test_lost_messages_are_published_by_day_too(flow: Flow, inbox: Path) -> None:
    flow = flow_of(flow.settings.replaced({"window": "never"}))
    flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    start, sent = datetime.now(UTC), list[Message]()
    for minutes, published in ((0, 0), (30, 0), (61, 1), (90, 1)):
        repair(flow.night, start + timedelta(minutes=minutes), Queued, sent.extend)
        assert len(sent) == published
    assert flow.store.exists(keys.control("repair"))


def test_delayed_and_damaged_markers_are_left_alone(flow: Flow) -> None:
    now = datetime.now(UTC)
    later, old = (now + HOUR).isoformat(), (now - 2 * HOUR).isoformat()
    task = Task(task_id="later", sha256=None, source="x", submitted_at=old, not_before=later)
    pending.mark(flow.store, task)
    flow.store.put(keys.pending("damaged"), b"{")
    flow.store.put(keys.night(flow.schedule.run_date(), "opened"), to_json(Checked(now - 2 * HOUR)))
    sent: list[Message] = []
    repair(flow.night, now, Queued, sent.extend)
    assert sent == []
    repair(flow.night, now + 2 * HOUR, Queued, sent.extend)
    assert [m.task_id for m in sent] == ["later"]
