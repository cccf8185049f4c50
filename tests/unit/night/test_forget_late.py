"""What is written late, by processes that were paused while a document was forgotten, or while they forgot it."""

from pathlib import Path

import pytest
from msgspec import structs

from pipeline.errors import PermanentError
from pipeline.ledger import claims, forgetting, forgotten, pending, receipts, records, restoring
from pipeline.ledger.audit import audit
from pipeline.ledger.ends import Dates
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task
from pipeline.night import failures, forget, interrupted, selection
from pipeline.night.dispatch import resume_all
from pipeline.night.flow import Flow
from pipeline.night.inventory import Item
from pipeline.night.selection import Draft, Selector
from pipeline.storage import Store, keys
from pipeline.storage.memory import MemoryStore
from tests.support.command import GREEN, grey, page
from tests.support.flows import Died, drain, raiser, submission
from tests.support.paused import PausedStore
from tests.support.thinned import EVERY
from tests.unit.night.test_forget import a_flow, everything, gone, searched
from tests.unit.tables.test_summary import DAY, result

LATER = "2026-11-24"


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    page(tmp_path / "a-1.png", grey(1))
    return a_flow(tmp_path, MemoryStore("late"))


def plan_of(flow: Flow) -> forgetting.Plan:
    plan = selection.plan(flow.store, Selector(task_id="a-1"), actor="alice")
    assert plan is not None
    return plan


@pytest.mark.parametrize("ended", [False, True], ids=["waits", "has ended"])
def test_whenever_forgetting_was_paused_a_task_that_was_submitted_again_is_done(
    tmp_path: Path, ended: bool
) -> None:
    """Another process has carried out the plan meanwhile, and the id was free again."""
    page(tmp_path / "a-1.png", grey(1))
    again = submission(tmp_path / "a-1.png", "a-1")
    at, was_paused = 1, True  # before its first call nobody knows the plan
    while was_paused:
        site = a_flow(tmp_path, MemoryStore(f"late-{at}"))
        drain(site, site.reception.accept(again))
        plan = plan_of(site)
        waiting: list[Message] = []

        def meanwhile(site: Flow = site, waiting: list[Message] = waiting) -> None:
            forget.resume(site.store, at_once=True)
            waiting += site.reception.accept(again)
            if ended:
                drain(site, waiting)

        store = PausedStore(site.store, at, meanwhile)
        forget.finish(store, plan, forget.carry_out(store, plan))
        was_paused = at < len(store.calls)
        drain(site, waiting)
        for _ in range(2):
            drain(site, resume_all(site.night))
            drain(site, [Message.of("ingest", task) for task in interrupted.resume(site.store, {})])
        if was_paused:
            day = site.schedule.run_date()
            assert site.store.exists(keys.result(day, "a-1")), store.calls[at]
            assert restoring.accepted_on(site.store, "a-1"), f"{store.calls[at]}: the id is taken"
            assert site.reception.accept(again) == [], store.calls[at]
            assert audit(site.store, day).adds_up, store.calls[at]
        at += EVERY
    assert at > 20


def test_a_message_that_fails_after_its_task_was_forgotten_leaves_no_count(
    flow: Flow, tmp_path: Path
) -> None:
    """Its process was paused before it counted the attempt, which was one too many."""
    (message,) = flow.reception.accept(submission(tmp_path / "a-1.png", "a-1"))
    message = structs.replace(message, id="m1")
    drain(flow, [message])
    gone(flow, task_id="a-1")
    flow.store.put(keys.attempts("a-1", message.step, message.id), b"{}")
    flow.fail(message, PermanentError("It crashed its worker.", code="poison"))
    assert not list(flow.store.list(keys.attempts_of("a-1")))


def test_a_task_that_was_forgotten_and_submitted_again_while_it_was_chosen_is_done(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that chose it had listed the records, and was paused before it read them."""
    again = submission(tmp_path / "a-1.png", "a-1")
    drain(flow, flow.reception.accept(again))
    real = Draft.read

    def paused(draft: Draft) -> None:
        monkeypatch.setattr(Draft, "read", real)
        gone(flow, task_id="a-1")
        drain(flow, flow.reception.accept(again))
        flow.store.put(keys.result("2026-01-01", "a-1"), b"{}")  # the first one was of another night
        draft.items = {"a-1": [Item("a-1", None, "", "2026-01-01", keys.result("2026-01-01", "a-1"))]}
        real(draft)

    monkeypatch.setattr(Draft, "read", paused)
    plan = plan_of(flow)
    assert not plan.targets[0].seen
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    day = flow.schedule.run_date()
    assert flow.store.exists(keys.result(day, "a-1"))
    assert restoring.accepted_on(flow.store, "a-1")
    assert "a-1" in receipts.received(flow.store, day)
    assert audit(flow.store, day).adds_up


@pytest.mark.parametrize("chosen", ["tenant", "older"])
def test_whenever_choosing_was_paused_what_was_redriven_is_forgotten_or_left_alone(
    tmp_path: Path, chosen: str
) -> None:
    """Its record is gone that was listed; the command is about what has ended, or about all of a tenant."""
    page(tmp_path / "bad-1.png", GREEN)
    at, was_paused = 0, True
    while was_paused:
        site = a_flow(tmp_path, MemoryStore(f"redriven-{at}"))
        drain(site, site.reception.accept(submission(tmp_path / "bad-1.png", "bad-1", tenant="ward-7")))

        def meanwhile(site: Flow = site) -> None:
            (record,) = failures.find(site.store)
            drain(site, [Message.of("ingest", failures.redrive(site.store, record, {}, today=LATER))])

        store = PausedStore(site.store, at, meanwhile)
        selector = Selector(tenant="ward-7") if chosen == "tenant" else Selector(before="2100-01-01")
        plan = selection.plan(store, selector, actor="alice")
        was_paused = at < len(store.calls)
        if plan is not None:
            forget.finish(site.store, plan, forget.carry_out(site.store, plan))
        if plan is None or not plan.targets[0].seen:
            assert restoring.accepted_on(site.store, "bad-1"), store.calls[at]
            assert [record.generation for record in failures.find(site.store)] == [1]
        else:
            for again in list(forgetting.plans(site.store)):
                forgetting.note(site.store, structs.replace(again, again="2026-01-01T00:00:00+00:00"))
                assert forget.resume(site.store) == 1
            left = [key for key, data in everything(site.store).items() if "bad-1" in key or b"bad-1" in data]
            assert left == [], store.calls[at]
        for day in (site.schedule.run_date(), LATER):
            assert audit(site.store, day).adds_up, store.calls[at]
        at += EVERY
    assert at > 10


def test_a_refusal_that_is_recorded_late_is_taken_back(flow: Flow) -> None:
    error = PermanentError("It is not JSON.", code="bad_message")
    task = flow.reception.refused(b'{"task_id": "a-1"', error)
    gone(flow, task_id=task.task_id)
    flow.reception.note_refusal(task, error)
    assert not list(flow.store.list(keys.FAILED))
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_check_for_interrupted_acceptances_marks_nothing_that_was_forgotten(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was paused, and dies right after it has marked."""
    with monkeypatch.context() as dying:
        dying.setattr(pending, "mark_first", raiser(Died()))
        with pytest.raises(Died):
            flow.reception.accept(submission(tmp_path / "a-1.png", "a-1"))
    interrupted.resume(flow.store, {})
    real = forgetting.task_ids

    def paused(*args: object) -> set[str]:
        being = real(flow.store)
        gone(flow, task_id="a-1")
        return being

    monkeypatch.setattr(forgetting, "task_ids", paused)
    monkeypatch.setattr(restoring, "still_received", raiser(Died()))
    with pytest.raises(Died):
        interrupted.resume(flow.store, {})
    assert not list(flow.store.list(keys.PENDING))


def test_what_was_marked_by_its_receipt_and_forgotten_is_not_processed(flow: Flow, tmp_path: Path) -> None:
    """The process that has marked it died before it looked at the receipt again."""
    drain(flow, flow.reception.accept(submission(tmp_path / "a-1.png", "a-1")))
    day = flow.schedule.run_date()
    (received,) = receipts.received(flow.store, day)["a-1"]
    task = structs.replace(received, submitted_at="2026-11-22T00:00:00+00:00")
    plan = plan_of(flow)
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    pending.mark(flow.store, structs.replace(task, accepted_on=day))
    forgotten._none.clear()  # which believes for a minute that nothing was ever forgotten
    assert list(resume_all(flow.night)) == []
    assert searched(flow.store, plan).hits == []
    assert audit(flow.store, day).adds_up


def test_bytes_that_were_ingested_since_the_plan_was_made_go_an_hour_later(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = flow.reception.accept(submission(tmp_path / "a-1.png", "a-1"))
    plan = plan_of(flow)
    assert not plan.hashes
    real = pending.store_bytes

    def paused(store: Store, data: bytes) -> tuple[str, bool]:
        forget.finish(store, plan, forget.carry_out(store, plan))
        return real(store, data)

    monkeypatch.setattr(pending, "store_bytes", paused)
    flow.run(message)
    (left,) = forgetting.plans(flow.store)
    assert list(flow.store.list(keys.DOCUMENTS))
    forgetting.note(flow.store, structs.replace(left, again="2026-01-01T00:00:00+00:00"))
    assert forget.resume(flow.store) == 1
    assert not list(flow.store.list(keys.DOCUMENTS))


def test_a_late_record_of_a_forgotten_task_removes_none_of_a_new_one() -> None:
    """The late one is of a later generation, so that it would count."""
    at, was_paused = 0, True
    while was_paused:
        store = MemoryStore(f"late-{at}")
        claims.take(store, "t", "0123456789ab", DAY)
        task = Task(
            task_id="t", sha256="0" * 64, source="file:///a.png", submitted_at=f"{DAY}T01:00:00+00:00"
        )
        task = structs.replace(
            task, generation=1, accepted_on=DAY, receipt=receipts.write(store, DAY, [task])
        )
        pending.mark_next(store, task)
        late = structs.replace(result("t"), generation=1, first_seen=task.submitted_at, receipt=task.receipt)
        new = structs.replace(result("t"), first_seen=f"{LATER}T01:00:00+00:00", run_date=LATER)

        def meanwhile(store: Store = store, new: DocumentResult = new) -> None:
            plan = selection.plan(store, Selector(task_id="t"), actor="alice")
            assert plan is not None
            forget.finish(store, plan, forget.carry_out(store, plan))
            claims.take(store, "t", "0123456789ab", LATER)
            records.finish(store, new)

        paused = PausedStore(store, at, meanwhile)
        records.finish(paused, late, Dates(DAY, lambda: LATER))
        was_paused = at < len(paused.calls)
        if was_paused:
            assert list(store.list(keys.RESULTS)) == [keys.result(LATER, "t")], (
                at,
                paused.calls[at - 1 : at + 1],
            )
        at += 1
    assert at > 5
