"""Staged situations, each with the sentence that an operator reads. The table in the docs has the same sentences."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import NotFound, PermanentError, TransientError
from pipeline.ledger import actions, pending, removed
from pipeline.messages import Message
from pipeline.models import Task, to_json
from pipeline.night import callbacks, failures, forget, selection
from pipeline.night.brake import LIMIT, Brake
from pipeline.night.delivery import Delivery
from pipeline.night.flow import Flow
from pipeline.night.why import facts, find
from pipeline.night.why.answer import answer
from pipeline.night.why.model import AtBroker, AtWork, Why
from pipeline.night.why.moment import Moment
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.tables.summary import summarise
from tasks.seen import place
from tests.conftest import ROOT
from tests.support.command import GREEN, grey, page, pages
from tests.support.flows import drain, flow_of, raiser, submission
from tests.unit.night.test_delivery_brake import Broker

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)  # the window opens an hour later
HELD = {"ocr": 1, "ner": 1, "ingest": 1, "result": 1}
"""Messages and consumers of a night in which all is well."""
WELL = AtBroker(messages=HELD, consumers=HELD, workers=("nightshift@a",))
DOC = (ROOT / "docs" / "how-to" / "why.md").read_text()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock of this process."""
    now = SimpleNamespace(value=NOW)

    def to(moment: datetime) -> None:
        now.value = moment

    clock.take_from(lambda: now.value)
    yield to
    clock.take_from(None)


@pytest.fixture
def flow(tmp_path: Path, inbox: Path, at: Any) -> Flow:
    return flow_of(
        Settings.from_env(
            {},
            store_url=str(tmp_path / "store"),
            window="22:00-06:00",
            allowed_sources=inbox.as_uri(),
            ocr_engine="fake-ocr",
            ner_engine="fake-ner",
            page_group=1,
        )
    )


def ask(flow: Flow, task_id: str, broker: AtBroker = WELL) -> Why:
    found = answer(facts.of(flow.night, task_id, 14), Moment.of(flow.night, broker, place))
    assert found is not None
    if broker is WELL or not broker.holders:
        documented(found.sentence)
    return found


def documented(sentence: str) -> None:
    """Assert that the docs have a sentence like this: its first words."""
    begin = " ".join(sentence.split()[:3])
    assert begin in DOC, f"docs/how-to/why.md lacks: {sentence}"


def ingested(flow: Flow, inbox: Path, task_id: str = "t", **more: Any) -> list[Message]:
    path = page(inbox / f"{task_id}.png", grey(3))
    (message,) = flow.reception.accept(submission(path, task_id, **more))
    return flow.run(message)


def test_the_window_is_closed(flow: Flow, inbox: Path) -> None:
    ingested(flow, inbox)
    found = ask(flow, "t")
    assert found.sentence == "Waits for the window, which opens Sun 2026-11-22 22:00 UTC."
    assert (found.state, found.step, found.queue, found.pages) == ("window_closed", "ocr", "ocr", 1)
    assert found.until == NOW + timedelta(hours=1)
    assert found.command == "nightshift window open --until 03:00"
    assert found.history[0].what == "received for the night of 2026-11-22"
    assert "ingested: image/png, 1 page" in found.history[-1].what
    assert found.source == (inbox / "t.png").as_uri()


def test_behind_others_in_its_queue(flow: Flow, inbox: Path, at: Any) -> None:
    ingested(flow, inbox)
    at(NOW + timedelta(hours=2))
    busy = structs.replace(WELL, messages=HELD | {"ocr": 42, "urgent": 3})
    assert ask(flow, "t", busy).sentence == "Waits for step ocr in the queue ocr behind at most 44 messages."
    assert ask(flow, "t").sentence == "Waits for step ocr in the queue ocr and is next."
    task = pending.get(flow.store, "t")
    assert task
    pending.mark(flow.store, structs.replace(task, turn=2, tenant="archive"))
    later = structs.replace(busy, messages=HELD | {"ocr": 42, "ocr-2": 8})
    found = ask(flow, "t", later)
    assert found.sentence == "Waits for step ocr in the queue ocr-2 behind at most 49 messages."
    assert found.following.startswith("It is in turn 2 of 3 of tenant archive")


def test_not_before(flow: Flow, inbox: Path) -> None:
    assert ingested(flow, inbox, not_before=NOW + timedelta(days=1)) == []
    found = ask(flow, "t")
    assert found.sentence == "Waits until Mon 2026-11-23 21:00 UTC, as its producer asked (not_before)."
    assert found.state == "delayed"


def test_retrying(flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "t.png", grey(3))))
    broker = Broker()
    monkeypatch.setattr(broker, "publish_later", lambda *_, **__: 60)
    with monkeypatch.context() as patch:
        patch.setattr(flow.reception, "ingest", raiser(TransientError("a.png answered 503.", code="busy")))
        Delivery(flow, broker).step(structs.replace(message, retries=1))
    found = ask(flow, "t")
    assert found.sentence == "Waits for retry 2 of step ingest, due Sun 2026-11-22 21:01 UTC (busy)."
    assert found.following == "The last attempt ended with: a.png answered 503."
    assert found.history[-1].what == "step ingest failed (busy): a.png answered 503."
    Delivery(flow, broker).step(structs.replace(message, retries=2))
    assert ask(flow, "t").state == "window_closed"
    assert not list(flow.store.list(keys.attempts_of("t"))), "the note goes when the step has succeeded"


def test_a_retry_of_what_has_ended_leaves_no_note(flow: Flow, inbox: Path) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "t.png", grey(3))))

    def ended(*_: object) -> None:
        flow.store.delete(keys.pending("t"))
        raise TransientError("too late")

    flow.reception.ingest = ended  # type: ignore[method-assign,assignment]
    broker = Broker()
    broker.publish_later = lambda *_, **__: 60  # type: ignore[method-assign]
    Delivery(flow, broker).step(message)
    assert not list(flow.store.list(keys.attempts_of("t")))


def test_a_paused_step(flow: Flow, inbox: Path, at: Any) -> None:
    ingested(flow, inbox)
    brake = Brake(flow.store)
    for _ in range(LIMIT):
        brake.failed("ocr", NotFound("The folder models/ is not there."))
    found = ask(flow, "t")
    assert found.sentence == "Waits because step ocr is paused: documents in a row fail (not_found)."
    assert found.command == "nightshift brake show"


def test_no_worker(flow: Flow, inbox: Path, at: Any) -> None:
    ingested(flow, inbox)
    at(NOW + timedelta(hours=2))
    nobody = AtBroker(messages=HELD, workers=())
    found = ask(flow, "t", nobody)
    assert found.sentence == "Waits for step ocr in the queue ocr, but no worker answers."
    assert found.command == "celery -A tasks worker -Q ocr"
    others = structs.replace(nobody, workers=("nightshift@cpu",))
    assert ask(flow, "t", others).sentence.endswith("but no worker consumes the queue ocr.")
    urgent = structs.replace(others, messages=HELD | {"urgent": 2}, consumers={"urgent": 1})
    assert ask(flow, "t", urgent).state == "queued", "its worker serves urgent work first"


def test_a_lost_message(flow: Flow, inbox: Path, at: Any) -> None:
    ingested(flow, inbox)
    at(NOW + timedelta(hours=2))
    empty = AtBroker(messages={}, consumers=HELD, workers=("nightshift@a",))
    found = ask(flow, "t", empty)
    assert found.sentence == (
        "Its message is lost: no queue has it. Housekeeping publishes it again by Sun 2026-11-22 23:00 UTC."
    )
    assert found.command == "nightshift audit --repair"
    not_asked = structs.replace(empty, workers=None)
    assert ask(flow, "t", not_asked).sentence.startswith(
        "Its message is lost, unless a worker that could not"
    )
    assert ask(flow, "t", structs.replace(empty, messages={"retry-10": 1})).state == "queued"


def test_being_worked_on(flow: Flow, inbox: Path, at: Any) -> None:
    path = pages(inbox / "t.pdf", [grey(3), grey(4), grey(5)])
    (message,) = flow.reception.accept(submission(path))
    (message,) = flow.run(message)
    at(NOW + timedelta(hours=2))
    stopped = iter([1, 0])
    flow.measures.admission.pages = lambda *_: next(stopped, 1)  # type: ignore[method-assign]
    flow.run(message)
    holder = AtWork(worker="nightshift@gpu", step="ocr", since=NOW + timedelta(hours=2))
    found = ask(flow, "t", structs.replace(WELL, holders=(holder,)))
    assert found.sentence == (
        "Being worked on by nightshift@gpu (step ocr) since Sun 2026-11-22 23:00 UTC, 1 of 3 pages read."
    )
    assert "At window close (Mon 2026-11-23 06:00 UTC)" in found.following
    held = structs.replace(WELL, holders=(AtWork(worker="nightshift@gpu", step="ocr"),))
    assert ask(flow, "t", held).sentence.startswith("Next at nightshift@gpu (step ocr)")


def test_the_broker_is_unavailable(flow: Flow, inbox: Path, at: Any) -> None:
    ingested(flow, inbox)
    gone = AtBroker(trouble="RabbitMQ at amqp://a.example does not answer.")
    assert ask(flow, "t", gone).state == "window_closed", "what the store knows is enough"
    at(NOW + timedelta(hours=2))
    found = ask(flow, "t", gone)
    assert found.sentence == "Waits for step ocr; its message cannot be looked for."
    assert found.following == gone.trouble


def done(flow: Flow, inbox: Path, at: Any, task_id: str = "t", **more: Any) -> None:
    messages = ingested(flow, inbox, task_id, **more)
    at(NOW + timedelta(hours=2))
    drain(flow, messages)


def test_done_and_reprocess_queued(flow: Flow, inbox: Path, at: Any) -> None:
    done(flow, inbox, at)
    found = ask(flow, "t")
    assert found.sentence == "Done in the night of 2026-11-22, Sun 2026-11-22 23:00 UTC."
    assert (found.state, found.command, found.pages_read) == ("done", "", 1)
    record = facts.of(flow.night, "t", 14).record
    assert record
    again = structs.replace(failures.task_of(record), generation=1, run_date=record.run_date, reprocess=True)
    pending.mark_next(flow.store, structs.replace(again, priority=0, media_type="image/png", pages=1))
    at(NOW + timedelta(days=1))
    found = ask(flow, "t")
    assert found.sentence == (
        "Done in the night of 2026-11-22, and queued to be reprocessed. Waits for the window, which opens "
        "Mon 2026-11-23 22:00 UTC."
    )
    assert (found.reprocess, found.queue, found.generation) == (True, "filler", 1)
    assert any("generation 1: reprocessed" in event.what for event in found.history)


def test_failed_and_redriven(flow: Flow, inbox: Path, at: Any) -> None:
    (inbox / "t.png").write_bytes(bytes(range(256)))
    drain(flow, flow.reception.accept(submission(inbox / "t.png")))
    found = ask(flow, "t")
    assert found.sentence == "Failed in the night of 2026-11-22 (unsupported_type)."
    assert found.command == "nightshift failed redrive --task-id t"
    assert found.following.startswith("The file is of an unknown type")
    record = facts.of(flow.night, "t", 14).record
    assert record
    actions.record(flow.store, "failed.redrive", subject=actions.of_task(flow.store, "t"))
    failures.redrive(flow.store, record, {"max_pages": "9"}, today=flow.schedule.run_date())
    found = ask(flow, "t", AtBroker(messages={"ingest": 1}, consumers={"ingest": 1}))
    assert found.sentence == "Waits for step ingest in the queue ingest and is next."
    assert any("generation 1: redriven with max_pages=9" in event.what for event in found.history)
    failures.discard(flow.store, record, "")


def test_discarded(flow: Flow, inbox: Path) -> None:
    (inbox / "t.png").write_bytes(bytes(range(256)))
    drain(flow, flow.reception.accept(submission(inbox / "t.png")))
    record = facts.of(flow.night, "t", 14).record
    assert record
    failures.discard(flow.store, record, "")
    found = ask(flow, "t")
    assert found.sentence == "Failed in the night of 2026-11-22, and discarded by an operator since."


def test_partial(flow: Flow, inbox: Path, at: Any) -> None:
    (message,) = flow.reception.accept(submission(pages(inbox / "t.pdf", [grey(2), GREEN])))
    at(NOW + timedelta(hours=2))
    drain(flow, [message])
    found = ask(flow, "t")
    assert found.sentence.startswith("Partly read in the night of 2026-11-22 (")
    assert (found.state, found.pages_read, found.pages) == ("partial", 1, 2)
    assert found.command == "nightshift failed redrive --task-id t"


@pytest.fixture
def any_callback(monkeypatch: pytest.MonkeyPatch) -> str:
    allowed = SimpleNamespace(check=lambda _: None)
    monkeypatch.setattr("pipeline.submission.reception.callback_policy", lambda _: allowed)
    return "https://a.example/done"


def test_an_undelivered_callback(
    flow: Flow, inbox: Path, at: Any, any_callback: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([TransientError("a.example timed out.", code="callback_unavailable")])
    final = PermanentError("a.example answered 410.", code="callback_refused")

    def deliver(*_: object) -> None:
        raise next(answers, final)

    monkeypatch.setattr(callbacks, "deliver", deliver)
    messages = ingested(flow, inbox, callback_url=any_callback)
    at(NOW + timedelta(hours=2))
    broker = Broker()
    monkeypatch.setattr(broker, "publish_later", lambda *_, **__: 300)
    broker.publish(messages)
    broker.work(Delivery(flow, broker))
    found = ask(flow, "t")
    assert found.sentence == (
        "Done in the night of 2026-11-22; its callback is not delivered yet (callback_unavailable): tried again "
        "Sun 2026-11-22 23:05 UTC."
    )
    record = facts.of(flow.night, "t", 14).record
    assert record
    Delivery(flow, broker).step(
        Message(step="callback", task_id="t", run_date=record.run_date, retries=1, outages=0)
    )
    found = ask(flow, "t")
    assert found.sentence == (
        "Done in the night of 2026-11-22; its callback could not be delivered (callback_refused)."
    )
    assert found.command == "nightshift callbacks resend --task-id t"
    assert not list(flow.store.list(keys.attempts_of("t")))


@pytest.mark.parametrize(
    ("hours", "priority", "state", "said"),
    [
        (12, 5, "expected", "will be met by the forecast, all that waits being done by Sun 2026-11-22 22:"),
        (-1, 5, "missed", "missed; it is processed in its turn"),
        (0.5, 5, "unlikely", "will probably be missed: by the forecast, done by Sun 2026-11-22 22:"),
        (0.5, 0, "at_risk", "may be missed by the forecast; backfill is never hurried"),
    ],
)
def test_a_deadline_and_whether_the_forecast_meets_it(
    flow: Flow, inbox: Path, hours: float, priority: int, state: str, said: str
) -> None:
    due = NOW + timedelta(hours=hours)
    ingested(flow, inbox, "t", deadline=due, priority=priority)
    found = ask(flow, "t")
    assert (found.deadline, found.deadline_state) == (due.isoformat(), state)
    assert found.deadline_sentence.startswith(f"{due:%a %Y-%m-%d %H:%M} UTC: {said}"), found.deadline_sentence


def test_a_deadline_that_needs_the_urgent_lane(flow: Flow, inbox: Path) -> None:
    for n in range(2000):
        marker = Task(task_id=f"w{n}", sha256=None, source="x", media_type="image/png", pages=10)
        pending.mark(flow.store, marker)
    due = NOW + timedelta(hours=2)
    ingested(flow, inbox, "t", deadline=due)
    found = ask(flow, "t")
    assert found.deadline_state == "expected"
    assert "will be met by the forecast; it moves to the urgent lane in time" in found.deadline_sentence
    assert ask(flow, "w1").deadline == ""


def test_a_deadline_of_a_document_that_has_ended(flow: Flow, inbox: Path, at: Any) -> None:
    done(flow, inbox, at, "late", deadline=NOW + timedelta(minutes=1))
    done(flow, inbox, at, "soon", deadline=NOW + timedelta(days=1))
    assert [ask(flow, name).deadline_state for name in ("late", "soon")] == ["missed", "met"]
    assert ask(flow, "late").deadline_sentence == "Sun 2026-11-22 21:01 UTC: missed"


def test_forgotten(flow: Flow, inbox: Path, at: Any) -> None:
    done(flow, inbox, at)
    plan = selection.plan(flow.store, selection.Selector(task_id="t"), actor="ann", reason="", most=10)
    assert plan
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    found = ask(flow, "t")
    assert found.sentence.startswith("Forgotten Sun 2026-11-22 23:00 UTC by ann (run ")
    assert (found.state, found.source, found.command) == ("forgotten", "", "")


def test_removed_by_retention(flow: Flow, inbox: Path, at: Any) -> None:
    done(flow, inbox, at)
    summarise(flow.store, "2026-11-22")
    removed.note(flow.store, "2026-11-22", "results", clock.now())
    flow.store.delete(keys.result("2026-11-22", "t"))
    found = ask(flow, "t")
    assert found.sentence == ("Ended in the night of 2026-11-22; retention has removed its record since.")


def test_a_duplicate_id(flow: Flow, inbox: Path, at: Any) -> None:
    first = page(inbox / "a.png", grey(3))
    second = page(inbox / "b.png", grey(4))
    flow.reception.accept(submission(first))
    (message,) = flow.reception.accept(submission(second))
    assert message.task_id.startswith("t#")
    found = ask(flow, message.task_id)
    assert found.sentence.startswith("Came with the id t, which another document has: waits until that one")
    assert found.command == "nightshift why t"
    assert message.task_id in ask(flow, "t").notes[0]
    flow.run(Message(step="ingest", task_id="t"))
    drain(flow, [message])
    found = ask(flow, message.task_id)
    assert found.sentence == "Failed in the night of 2026-11-22 (id_conflict)."
    assert found.command == "", "to redrive it would fail again"


def test_a_damaged_marker(flow: Flow, inbox: Path) -> None:
    ingested(flow, inbox)
    flow.store.put(keys.pending("t"), b"{")
    found = ask(flow, "t")
    assert found.sentence == "Set aside: its marker is damaged, and no step can read it."
    assert "pending/t.json" in found.following


def test_never_received(flow: Flow, inbox: Path) -> None:
    ingested(flow, inbox, "invoice-0423")
    nothing = facts.of(flow.night, "invoice-0432", 14)
    assert not nothing.known
    assert answer(nothing, Moment.of(flow.night, WELL, place)) is None
    assert find.similar(flow.night, "invoice-0432", 14) == ["invoice-0423"]
    assert find.similar(flow.night, "zzz", 14) == []


def test_it_is_found_by_its_beginning_its_file_and_its_hash(flow: Flow, inbox: Path, at: Any) -> None:
    for name in ("scan/1.a", "scan/1.b", "other"):
        path = page(inbox / f"{name.replace('/', '-')}.png", grey(len(name)))
        (message,) = flow.reception.accept(submission(path, name), path.read_bytes())
        at(NOW + timedelta(hours=2))
        drain(flow, [message])
    night, track = flow.night, lambda items, what, total: items

    def ids(found: list[Any]) -> list[str]:
        return [one.task_id for one in found]

    assert ids(find.by_beginning(night, "scan/1", 14)) == ["scan/1.a", "scan/1.b"]
    assert ids(find.by_document(night, "other.png", 14, track)) == ["other"]
    sha256 = facts.of(night, "other", 14).records[0].sha256
    assert sha256
    assert ids(find.by_document(night, sha256[:12], 14, track)) == ["other"]
    assert find.by_document(night, "nothing.png", 14, track) == []


def test_an_exact_id_takes_few_requests(
    flow: Flow, inbox: Path, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(flow, inbox, at)
    asked: list[str] = []
    for name in ("get", "exists", "list", "folders"):
        real = getattr(flow.store, name)

        def noted(key: str, real: Any = real) -> Any:
            asked.append(key)
            return real(key)

        monkeypatch.setattr(flow.store, name, noted)
    assert facts.of(flow.night, "t", 14).record
    assert len(asked) < 16, asked
    assert not [key for key in asked if key.endswith("/") and "t" not in key.split("/")], (
        "nothing is listed whole"
    )


def test_personal_numbers_are_masked(flow: Flow, inbox: Path, at: Any) -> None:
    ingested(flow, inbox, "t", metadata={})
    task = pending.get(flow.store, "t")
    assert task
    pending.mark(flow.store, structs.replace(task, source="file:///inbox/DE89370400440532013000.pdf"))
    assert "370400440532" not in str(structs.asdict(ask(flow, "t")))
    assert to_json(ask(flow, "t"))
