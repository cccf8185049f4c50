"""What a process counts while documents come and end is what a listing of the store finds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import PermanentError, StoreUnavailable
from pipeline.ledger import counters, counting, pending, timeline
from pipeline.ledger.counting import Counting
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import callbacks, deadlines, failures, forget, recount, selection
from pipeline.night.brake import LIMIT, Brake
from pipeline.night.course import Course
from pipeline.night.dispatch import resume
from pipeline.night.flow import Flow
from pipeline.night.housekeeping import release_delayed, tick
from pipeline.night.night import Night
from pipeline.night.repair import Queued
from pipeline.night.status import status
from pipeline.storage import keys
from tests.support.command import GREEN, grey, page, pages
from tests.support.counted import Asked, by_hand
from tests.support.flows import drain, flow_of, raiser, submission


@pytest.fixture
def counted(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> Counting:
    recount.recount(flow.night)
    return by_hand(monkeypatch, flow.night, worker="host/1")


@pytest.fixture
def agree(flow: Flow, counted: Counting) -> Callable[[], counters.State]:
    """Compares the counters with a listing; returns them."""

    def check() -> counters.State:
        counted.flush()
        state, real = counters.read(flow.store), recount.look(flow.night)
        assert {n: v for n, v in state.sums.items() if _listed(n, flow) and v} == {
            n: v for n, v in real.sums.items() if _listed(n, flow) and v
        }
        return state

    return check


def _listed(name: str, flow: Flow) -> bool:
    day = flow.schedule.run_date()
    return not name.startswith("night|") or name in {
        f"night|{day}|{s}" for s in ("done", "partial", "failed")
    }


Agree = Callable[[], counters.State]


def test_documents_from_acceptance_to_their_end(flow: Flow, inbox: Path, agree: Agree) -> None:
    sent = [
        submission(page(inbox / "a.png", grey(1)), "a", priority=9),
        submission(pages(inbox / "b.pdf", [grey(2), GREEN, grey(3)]), "b", tenant="x"),
        submission(pages(inbox / "c.pdf", [GREEN]), "c", priority=0),
        submission(pages(inbox / "long.pdf", [grey(10 + n) for n in range(20)]), "long"),
    ]
    messages = [m for one in sent for m in flow.reception.accept(one)]
    assert agree().backlog().by == {
        "urgent|unknown": counters.Amount(1, 0),
        "normal|unknown": counters.Amount(2, 0),
        "backfill|unknown": counters.Amount(1, 0),
    }
    assert [m for one in sent for m in flow.reception.accept(one)] == messages, "submitted again"
    agree()
    messages = [m for message in messages for m in flow.run(message)]
    assert agree().backlog().pages == 1 + 3 + 1 + 20
    drain(flow, messages)
    state = agree()
    night = state.night(flow.schedule.run_date())
    assert (night.done, night.partial, night.failed) == (2, 1, 1)
    assert (night.pages, night.unread) == (1 + 2 + 20, 2)
    assert state.backlog().documents == 0
    assert set(night.step_seconds) == {"ingest", "ocr", "ner", "result"}
    assert night.busy_seconds > 0
    assert state.processes(flow.schedule.run_date(), clock.utc()) == (1, 1)


def test_redriven_discarded_and_partial_documents(flow: Flow, inbox: Path, agree: Agree) -> None:
    for name in ("a", "b"):
        drain(flow, flow.reception.accept(submission(pages(inbox / f"{name}.pdf", [GREEN]), name)))
    half = submission(pages(inbox / "half.pdf", [grey(1), GREEN]), "half")
    drain(flow, flow.reception.accept(half))
    assert agree().open("failed") == 2
    first, second, partial = failures.find(flow.store)
    task = failures.redrive(flow.store, first, {}, today=flow.schedule.run_date())
    assert agree().night(flow.schedule.run_date()).failed == 1
    drain(flow, resume(task, 8))
    assert agree().open("failed") == 2, "it has failed again"
    failures.discard(flow.store, second, "")
    state = agree()
    assert (state.open("failed"), state.night(flow.schedule.run_date()).failed) == (1, 2)
    task = failures.redrive(flow.store, partial, {}, today=flow.schedule.run_date())
    assert agree().backlog().again == 1
    drain(flow, resume(task, 8))
    assert agree().backlog().documents == 0


def test_refused_repeated_and_delayed_documents(flow: Flow, inbox: Path, agree: Agree) -> None:
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    flow.reception.refuse(b"hello", PermanentError("no JSON", code="bad_message"))
    assert agree().open("failed") == 1
    same = page(inbox / "a.png", grey(1))
    drain(flow, flow.reception.accept(submission(same, "t")))
    copy = inbox / "copy.png"
    copy.write_bytes(same.read_bytes())
    messages = flow.reception.accept(submission(copy, "t"))  # the same id from another place
    assert agree().backlog().documents == 1
    drain(flow, messages)
    assert agree().backlog().documents == 0, "it was the same document"
    later = clock.utc() + timedelta(hours=1)
    drain(flow, flow.reception.accept(submission(page(inbox / "d.png", grey(4)), "d", not_before=later)))
    state = agree()
    assert (state.backlog().documents, state.open("delayed")) == (1, 1)
    release_delayed(flow.night, later + timedelta(seconds=1), lambda _: None)
    assert agree().open("delayed") == 0


def test_callbacks_that_could_not_be_delivered(
    flow: Flow, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = Message(step="callback", task_id="t", run_date=flow.schedule.run_date())
    record = keys.failed(message.run_date, message.task_id, message.generation)
    flow.store.put(record, b"{}")
    recount.recount(flow.night)
    for _ in range(2):  # it is resent, and fails again
        callbacks.abandon(flow.store, message, PermanentError("404", code="refused"))
        assert agree().open("undelivered") == 1
    (abandoned,) = callbacks.undelivered(flow.store)
    flow.store.delete(record)
    recount.recount(flow.night)
    assert callbacks.resend(flow.store, abandoned) is None, "it has no record"
    assert agree().open("undelivered") == 0


def test_a_step_that_runs_twice_ends_a_document_once(flow: Flow, inbox: Path, agree: Agree) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    (ocr,) = flow.run(message)
    assert flow.run(message) in ([], [structs.replace(ocr, fresh=False)])
    for step in (ocr, structs.replace(ocr, redelivered=True)):
        (ner,) = flow.run(step)
    (result,) = flow.run(ner)
    for _ in range(2):
        flow.run(result)
    state = agree()
    assert (state.night(flow.schedule.run_date()).done, state.night(flow.schedule.run_date()).pages) == (1, 1)


def test_what_no_counter_follows_is_recounted_at_the_next_turn(
    flow: Flow, inbox: Path, counted: Counting
) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "a"))
    counted.flush()
    now = clock.utc()
    assert not recount.is_due(flow.night, counters.read(flow.store), now)
    plan = selection.plan(flow.store, selection.Selector(task_id="a"), actor="me")
    assert plan is not None
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    assert counters.read(flow.store).backlog().documents == 1
    assert recount.is_due(flow.night, counters.read(flow.store), now)
    recount.recount(flow.night)
    assert counters.read(flow.store).backlog().documents == 0


@pytest.mark.parametrize(
    ("sums", "queued", "due"),
    [
        ({}, True, False),
        ({"documents|normal|ocr|new|document": -3}, True, True),  # less than nothing
        ({"documents|normal|ocr|new|document": -2}, True, True),  # nothing is left
        ({"documents|normal|ocr|new|document": -1}, True, False),
        ({"documents|normal|ocr|new|document": -1}, False, True),  # and nothing is queued
    ],
)
def test_counters_that_can_not_be_are_checked(
    flow: Flow, sums: dict[str, float], queued: bool, due: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        pending.mark(
            flow.store,
            Task(task_id=name, sha256=None, source="x", media_type="image/png", pages=1),
        )
    recount.recount(flow.night)
    counting = by_hand(monkeypatch, flow.night)
    counting.count(sums)
    counting.flush()
    state, soon = counters.read(flow.store), clock.utc() + timedelta(minutes=6)
    assert recount.is_due(flow.night, state, soon, nothing_queued=not queued) == due
    assert not recount.is_due(flow.night, state, clock.utc(), nothing_queued=not queued), "not at once"


def test_many_documents_are_not_listed_because_a_counter_looks_wrong(flow: Flow) -> None:
    recount.recount(flow.night)
    state = counters.read(flow.store)
    assert state.base is not None
    many = structs.replace(state.base, sums={"documents|normal|ocr|new|document": 2_000, "open|failed": -1})
    soon = clock.utc() + timedelta(minutes=6)
    assert not recount.is_due(flow.night, structs.replace(state, base=many), soon, nothing_queued=True)


def test_housekeeping_counts_hourly_and_takes_samples(flow: Flow, inbox: Path, counted: Counting) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "a"))
    counted.flush()
    course, sent = Course(), list[Message]()
    tick(flow.night, lambda: Queued(ingest=1), sent.extend, course)
    (sample,) = timeline.samples(flow.store, flow.schedule.run_date())
    assert (sample.backlog_documents, sample.window_open, sample.trouble) == (1, True, "")
    state = counters.read(flow.store)
    assert state.backlog().oldest["normal"] == pending.get(flow.store, "a").submitted_at  # type: ignore[union-attr]
    before = state.recounted
    tick(flow.night, lambda: Queued(ingest=1), sent.extend, course)
    assert len(timeline.samples(flow.store, flow.schedule.run_date())) == 1
    assert counters.read(flow.store).recounted == before


def test_a_sample_has_the_memory_of_the_models(flow: Flow) -> None:
    one = Counting(flow.store, flow.schedule.run_date, worker="host/1", memory=lambda: {"cpu": 930.0})
    one.worked({"busy": 1.0})
    one.flush()
    Course().keep(flow.night, clock.utc(), Queued)
    (sample,) = timeline.samples(flow.store, flow.schedule.run_date())
    assert (sample.memory_mib, sample.busy_seconds, sample.processes) == ({"cpu": 930.0}, 1.0, 1)


def test_a_sample_needs_few_requests_and_no_listing_of_documents(
    flow: Flow, inbox: Path, counted: Counting
) -> None:
    for n in range(5):
        flow.reception.accept(submission(page(inbox / f"{n}.png", grey(n)), str(n)))
    counted.flush()
    store = Asked(flow.store)
    Course().keep(Night(flow.settings, store, flow.schedule), clock.utc(), lambda: Queued(ingest=5))
    assert store.listed == [keys.COUNTERS, keys.BRAKES]
    assert store.asked == {"get": 5, "list": 2, "put": 1}, "sample, base, one writer, last recount, pace"


def test_samples_say_what_is_wrong_and_never_hold_up_housekeeping(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    brake = Brake(flow.store)
    for _ in range(LIMIT):
        brake.failed("ocr", PermanentError("no", code="internal"))
    course, day = Course(), flow.schedule.run_date()
    course.failed("RabbitMQ is unavailable (Alarm).")
    course.keep(flow.night, clock.utc(), Queued)
    (sample,) = timeline.samples(flow.store, day)
    assert "RabbitMQ is unavailable (Alarm) (since " in sample.trouble
    assert "The step ocr is paused, as documents in a row fail (internal)." in sample.trouble
    course.passed()
    with monkeypatch.context() as patch:
        patch.setattr(counters, "read", raiser(StoreUnavailable("The store does not answer.")))
        course.keep(flow.night, clock.utc() + timedelta(minutes=5), Queued)
    assert len(timeline.samples(flow.store, day)) == 1
    monkeypatch.setattr("pipeline.night.course.outlook", raiser(ValueError("a bug")))
    course.keep(flow.night, clock.utc() + timedelta(minutes=5), Queued)
    _, second = timeline.samples(flow.store, day)
    assert second.p50 is None, "a sample all the same"


def test_a_slot_of_yesterday_is_taken_again(flow: Flow) -> None:
    course, now = Course(), datetime(2026, 11, 22, 3, 4, tzinfo=UTC)
    day = flow.schedule.run_date()
    course.keep(flow.night, now, Queued)
    course.keep(flow.night, now + timedelta(days=1), Queued)
    (sample,) = timeline.samples(flow.store, day)
    assert sample.at == now + timedelta(days=1)
    assert list(flow.store.list(keys.TIMELINE)) == [keys.timeline(day, "0300")]


def test_old_samples_are_removed(flow: Flow) -> None:
    sample = timeline.Sample(at=clock.utc(), window_open=False, backlog_documents=0, backlog_pages=0)
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        timeline.write(flow.store, day, sample)
    timeline.remove(flow.store, "2026-01-03")
    assert timeline.dates(flow.store)[-1:] == ["2026-01-03"]
    assert len(list(flow.store.list(keys.TIMELINE))) == 1


def test_status_asks_for_the_same_however_many_documents_there_are(flow: Flow, inbox: Path) -> None:
    asked = []
    for n in range(2):
        recount.recount(flow.night)
        store = Asked(flow.store)
        seen = status(Night(flow.settings, store, flow.schedule))
        asked.append((store.asked, store.listed))
        assert seen.pending == 40 * n
        for m in range(40):
            flow.reception.accept(submission(page(inbox / f"{n}-{m}.png", grey(m)), f"{n}-{m}"))
    assert asked[0] == asked[1]
    assert asked[0][1] == [keys.COUNTERS, keys.BRAKES]
    assert asked[0][0] == {"get": 1, "list": 2}, "the base; and the override of the window, by the schedule"


def test_a_store_that_was_never_counted_is_listed(flow: Flow, inbox: Path) -> None:
    flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "a"))
    seen = status(flow.night)
    assert (seen.pending, seen.recounted, bool(seen.oldest)) == (1, None, True)
    assert list(flow.store.list(keys.COUNTERS)) == [], "nothing is written by looking"
    recount.recount(flow.night)
    assert status(flow.night).recounted is not None


def test_a_process_that_was_not_started_counts_nothing(flow: Flow) -> None:
    counting.of(flow.store).worked({"pages": 1})
    counting.of(flow.store).opened("failed")
    counting.stop()
    assert list(flow.store.list(keys.COUNTERS)) == []


def late(state: counters.State, now: datetime) -> int:
    """How many ended after their deadlines; at midnight, a minute later is another night."""
    return sum(
        state.night(date).late for date in {f"{at:%Y-%m-%d}" for at in (now, now + timedelta(minutes=2))}
    )


def test_deadlines_that_pass(flow: Flow, inbox: Path, agree: Agree) -> None:
    now, closed = (
        datetime.now(UTC).replace(microsecond=0),
        flow_of(structs.replace(flow.settings, window="never")),
    )
    due = {"past": -60, "soon": 30, "met": 9 * 3600}
    messages = []
    for number, (name, seconds) in enumerate(due.items()):
        at = now + timedelta(seconds=seconds)
        sent = submission(page(inbox / f"{name}.png", grey(number)), name, deadline=at)
        messages += [m for one in flow.reception.accept(sent) for m in flow.run(one)]
    backfill = submission(page(inbox / "b.png", grey(9)), "b", deadline=now - timedelta(days=1), priority=0)
    messages += [m for one in flow.reception.accept(backfill) for m in flow.run(one)]
    assert agree().open("overdue") == 1
    clock.take_from(lambda: now + timedelta(minutes=1))
    try:
        for _ in range(2):
            deadlines.hurry(closed.night, clock.utc(), raiser(AssertionError("the window is closed")))
            assert agree().open("overdue") == 2, "once"
        found = status(flow.night)
        assert (found.overdue, found.late) == (2, 0)
        drain(flow, messages)
        state = agree()
    finally:
        clock.take_from(None)
    assert (state.open("overdue"), late(state, now)) == (0, 3)
    assert list(flow.store.list(keys.DEADLINES)) == []


def test_a_document_that_ends_late_before_housekeeping_has_looked(
    flow: Flow, inbox: Path, counted: Counting
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    sent = submission(page(inbox / "a.png", grey(1)), "a", deadline=now + timedelta(seconds=30))
    messages = [m for one in flow.reception.accept(sent) for m in flow.run(one)]
    clock.take_from(lambda: now + timedelta(minutes=1))
    try:
        drain(flow, messages)
    finally:
        clock.take_from(None)
    counted.flush()
    state = counters.read(flow.store)
    assert state.sums.get("open|overdue", 0) == 0
    assert late(state, now) == 1
