"""Forgetting: nothing of a document is left, all of the others is, and the audit still passes."""

import io
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, PermanentError
from pipeline.ledger import claims, digests, forgetting, forgotten, pending, pseudonyms, receipts, records
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.night import failures, forget, inventory, selection
from pipeline.night.brake import LIMIT, Brake, notes
from pipeline.night.dispatch import resume_all
from pipeline.night.fingerprints import Fingerprints
from pipeline.night.flow import Flow
from pipeline.night.search import Found, Search
from pipeline.night.selection import Selector
from pipeline.night.summaries import summarise_due
from pipeline.settings import Settings
from pipeline.storage import Store, keys
from pipeline.storage.memory import MemoryStore
from pipeline.submission.contract import Submission
from pipeline.tables.summary import summarise
from tests.support.command import GREEN, grey, page, pages
from tests.support.flows import Died, drain, flow_of, raiser, submission
from tests.support.paused import PausedStore
from tests.support.thinned import EVERY
from tests.unit.ledger.test_audit_after_crashes import Mortal

TEXT = "Diagnosis of Erika Mustermann: a common cold, 3 days in bed"


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return a_flow(tmp_path, MemoryStore("forget"))


def a_flow(inbox: Path, store: Store) -> Flow:
    settings = Settings.from_env(
        {},
        store_url="memory://unused",
        window="always",
        allowed_sources=inbox.as_uri(),
        allowed_callbacks="https://a.example",
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
    )
    flow = flow_of(settings)
    night = type(flow.night)(settings, store, type(flow.night.schedule)(settings, store))
    return Flow(night)


def a_night(flow: Flow, inbox: Path) -> None:
    """A text, a picture, the same picture under another id, a partial and a failed document; then the tables."""
    page(inbox / "one-1.png", grey(1))
    page(inbox / "two-2.png", grey(1))
    pages(inbox / "part-3.pdf", [grey(2), GREEN])
    page(inbox / "bad-4.png", GREEN)
    named = {"one-1": "one-1.png", "two-2": "two-2.png", "part-3": "part-3.pdf", "bad-4": "bad-4.png"}
    for task_id, name in named.items():
        url = "https://a.example/done?token=secret"
        drain_all(flow, flow.reception.accept(submission(inbox / name, task_id, callback_url=url)))
    drain_all(flow, flow.reception.accept(text("text-5", TEXT)))
    summarise(flow.store, flow.schedule.run_date())


def text(task_id: str, words: str, tenant: str = "ward-7") -> Submission:
    return Submission(task_id=task_id, task_type="nlp", text=words, tenant=tenant, metadata={"for": "Erika"})


def drain_all(flow: Flow, messages: list[Message]) -> None:
    drain(flow, [one for one in messages if one.step != "callback"])


def drain_without_callbacks(flow: Flow) -> None:
    drain_all(flow, list(resume_all(flow.night)))


def gone(flow: Flow, **chosen: str) -> Found:
    """Forget what is chosen, and search for it."""
    plan = selection.plan(flow.store, Selector(**chosen), actor="alice")
    assert plan is not None
    done = forget.carry_out(flow.store, plan)
    forget.finish(flow.store, plan, done)
    return searched(flow.store, plan)


def searched(store: Store, plan: forgetting.Plan) -> Found:
    return Search(store, plan, inventory.users(store, plan.hashes)).run()


def everything(store: Store) -> dict[str, bytes]:
    return {key: store.get(key) for key in store.list("")}


def rows(store: Store, table: str, night: str) -> set[str]:
    read = pq.read_table(io.BytesIO(store.get(keys.summary(table, night))))
    return set(read["task_id"].to_pylist())


@pytest.fixture(autouse=True)
def _no_callbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.night.callbacks.deliver", lambda *_: None)


@pytest.mark.parametrize("task_id", ["one-1", "part-3", "bad-4", "text-5"])
def test_nothing_is_left_of_a_document(flow: Flow, tmp_path: Path, task_id: str) -> None:
    a_night(flow, tmp_path)
    store, day = flow.store, flow.schedule.run_date()
    before = audit(store, day)
    assert before.adds_up
    plan = selection.plan(store, Selector(task_id=task_id), actor="alice")
    assert plan is not None
    assert searched(store, plan).hits, "the search can find it"
    found = gone(flow, task_id=task_id)
    assert found.hits == []
    assert found.objects > 20
    assert not [key for key, data in everything(store).items() if task_id in key or task_id.encode() in data]
    assert rows(store, "documents", day) == {"one-1", "two-2", "part-3", "bad-4", "text-5"} - {task_id}
    after = audit(store, day)
    assert after.adds_up, after.gaps
    assert (after.received, after.forgotten, after.rewritten) == (5, 1, 1)
    assert sum((after.done, after.partial, after.failed, after.pending)) == 4


def test_a_damaged_object_is_named(flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_night(flow, tmp_path)
    get = MemoryStore.get

    def damaged(self: MemoryStore, key: str) -> bytes:
        if key.startswith("nights/"):
            raise Damaged(key)
        return get(self, key)

    flow.store.put("nights/x", b"")
    plan = selection.plan(flow.store, Selector(task_id="one-1"), actor="alice")
    assert plan is not None
    monkeypatch.setattr(MemoryStore, "get", damaged)
    assert "nights/x" in searched(flow.store, plan).unread


def test_its_text_is_gone(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    assert any(b"Mustermann" in data for data in everything(flow.store).values())
    gone(flow, tenant="ward-7")
    assert not any(b"Mustermann" in data or b"Erika" in data for data in everything(flow.store).values())


def test_others_keep_all_they_have(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    before = everything(flow.store)
    gone(flow, task_id="text-5")
    after = everything(flow.store)
    changed = {key for key in before if after.get(key) != before[key]}
    tables = (keys.SUMMARY, keys.RECEIPTS)
    assert {key for key in changed if key in after} == {k for k in changed if k.startswith(tables)}
    sha256 = next(r.sha256 for r in before_records(before) if r.task_id == "text-5")
    assert all("text-5" in k or sha256 in k for k in changed - after.keys())


def before_records(objects: dict[str, bytes]) -> list[Any]:
    from pipeline.models import DocumentResult, from_json

    return [from_json(data, DocumentResult) for key, data in objects.items() if key.startswith(keys.RESULTS)]


def test_bytes_that_another_task_has_stay(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    (sha256,) = {r.sha256 for r in before_records(everything(flow.store)) if r.task_id == "one-1"}
    assert gone(flow, task_id="one-1").hits == []
    assert flow.store.exists(keys.document(sha256))
    assert list(flow.store.list(keys.readings(sha256)))
    assert gone(flow, sha256=sha256).hits == []
    assert not flow.store.exists(keys.document(sha256))
    assert not any(sha256 in key for key in everything(flow.store))
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_hash_takes_all_tasks_with_these_bytes(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    (sha256,) = {r.sha256 for r in before_records(everything(flow.store)) if r.task_id == "one-1"}
    gone(flow, sha256=sha256)
    assert rows(flow.store, "documents", flow.schedule.run_date()) == {"part-3", "bad-4", "text-5"}


def test_a_task_that_was_redriven(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    record = next(r for r in failures.find(flow.store) if r.task_id == "bad-4")
    drain_all(flow, [Message.of("ingest", failures.redrive(flow.store, record, {}))])
    assert gone(flow, task_id="bad-4").hits == []
    assert not [key for key, data in everything(flow.store).items() if "bad-4" in key or b"bad-4" in data]


def test_a_task_that_ends_after_the_plan_was_made(flow: Flow) -> None:
    messages = flow.reception.accept(text("text-5", TEXT))
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    drain_all(flow, messages)
    summarise(flow.store, flow.schedule.run_date())
    forget.carry_out(flow.store, plan)
    assert searched(flow.store, plan).hits == []
    assert not rows(flow.store, "documents", flow.schedule.run_date())


def test_a_task_that_ends_while_the_plan_is_made(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = flow.reception.accept(text("text-5", TEXT))

    def ended(store: Store) -> Fingerprints:
        drain_all(flow, messages)
        return Fingerprints(store)

    monkeypatch.setattr(selection, "Fingerprints", ended)
    assert gone(flow, task_id="text-5").hits == []


def test_a_result_that_came_since_gets_its_row(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    summarise_due(flow.night, clock.utc())
    drain_all(flow, flow.reception.accept(text("late-7", "Something that came after the tables")))
    gone(flow, task_id="text-5")
    summarise_due(flow.night, clock.utc() + timedelta(hours=2))
    assert "late-7" in rows(flow.store, "documents", flow.schedule.run_date())


def test_the_note_of_a_brake_does_not_name_it(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    brake = Brake(flow.store)
    for step, name in (("ocr", "bad-4"), ("ner", "two-2")):
        for _ in range(LIMIT):
            brake.failed(step, PermanentError(f"{name} broke.", code="odd"))
    assert gone(flow, task_id="bad-4").hits == []
    assert {note.step: note.example for note in notes(flow.store)} == {"ocr": "", "ner": "two-2 broke."}


def test_a_second_time_finds_nothing_to_do(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    gone(flow, task_id="one-1")
    before = everything(flow.store)
    assert selection.plan(flow.store, Selector(task_id="one-1"), actor="alice") is None
    assert forget.resume(flow.store) == 0
    assert everything(flow.store) == before
    assert [stone.actor for stone in forgotten.tombstones(flow.store, "one-1")] == ["alice"]


def test_old_nights_only_and_never_what_is_pending(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_night(flow, tmp_path)
    flow.reception.accept(text("wait-6", "It waits for the night"))
    day = flow.schedule.run_date()
    assert selection.plan(flow.store, Selector(before=day), actor="a") is None
    plan = selection.plan(flow.store, Selector(before="9999-01-01"), actor="a")
    assert plan is not None
    assert {target.task_id for target in plan.targets} == {"one-1", "two-2", "part-3", "bad-4", "text-5"}
    assert not plan.working
    forget.carry_out(flow.store, plan)
    assert searched(flow.store, plan).hits == []
    assert pending.get(flow.store, "wait-6") is not None


def test_a_derived_task_goes_too(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    page(tmp_path / "copy.png", grey(1))
    page(tmp_path / "other.png", grey(3))
    drain_all(flow, flow.reception.accept(submission(tmp_path / "copy.png", "one-1")))
    drain_all(flow, flow.reception.accept(submission(tmp_path / "other.png", "one-1")))
    summarise(flow.store, flow.schedule.run_date())
    assert len([k for k in flow.store.folders(keys.CLAIMS) if k.startswith("one-1")]) == 3
    assert gone(flow, task_id="one-1").hits == []
    assert not [key for key in everything(flow.store) if "one-1" in key]
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_what_the_tables_do_not_know_yet_is_found(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    drain_all(flow, flow.reception.accept(text("late-7", "Something that came after the tables")))
    assert gone(flow, task_id="late-7").hits == []


def test_an_id_that_is_submitted_again_is_a_new_task(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    gone(flow, task_id="text-5")
    drain_all(flow, flow.reception.accept(text("text-5", TEXT)))
    day = flow.schedule.run_date()
    summarise(flow.store, day)
    assert "text-5" in rows(flow.store, "documents", day)
    report = audit(flow.store, day)
    assert report.adds_up, report.gaps
    assert (report.received, report.forgotten, report.done) == (6, 1, 3)


def test_a_plan_that_is_resumed_leaves_a_new_task_alone(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    forget.carry_out(flow.store, structs.replace(plan, working=True))
    drain_all(flow, flow.reception.accept(text("text-5", TEXT)))
    (left,) = forgetting.plans(flow.store)
    forgetting.note(flow.store, structs.replace(left, again="2026-01-01T00:00:00+00:00"))
    assert forget.resume(flow.store) == 1
    day = flow.schedule.run_date()
    assert flow.store.exists(keys.result(day, "text-5"))
    assert list(flow.store.list(keys.claims("text-5")))
    assert audit(flow.store, day).adds_up


@pytest.mark.parametrize("ends", [False, True])
def test_a_plan_that_died_halfway_leaves_a_new_task_alone(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    (message,) = flow.reception.accept(text("text-5", TEXT))
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    with monkeypatch.context() as patched:
        patched.setattr(forget, "_delete_documents", raiser(Died()))
        with pytest.raises(Died):
            forget.carry_out(flow.store, plan)
    again = flow.reception.accept(text("text-5", TEXT))
    assert [one.task_id for one in again] == [message.task_id]
    if ends:
        drain_all(flow, again)
    (left,) = forgetting.plans(flow.store)
    assert left.stage == "planned"
    forget.carry_out(flow.store, left)
    drain_all(flow, again)
    day = flow.schedule.run_date()
    assert flow.store.exists(keys.result(day, "text-5"))
    assert list(flow.store.list(keys.claims("text-5")))
    assert audit(flow.store, day).adds_up


def test_a_step_in_progress_does_not_bring_it_back(flow: Flow, tmp_path: Path) -> None:
    page(tmp_path / "a-1.png", grey(1))
    (message,) = flow.reception.accept(submission(tmp_path / "a-1.png", "a-1"))
    (message,) = flow.run(message)
    task = pending.get(flow.store, "a-1")
    assert task is not None
    plan = selection.plan(flow.store, Selector(task_id="a-1"), actor="alice")
    assert plan is not None
    assert plan.working
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    assert flow.run(message) == []
    task = structs.replace(task, run_date=flow.schedule.run_date())
    error = PermanentError("late", code="late")
    records.fail(flow.store, task, error, run_date=task.run_date, settings_digest="")  # of a paused process
    pending.mark(flow.store, task)
    assert list(resume_all(flow.night)) == []
    assert searched(flow.store, plan).hits == []


def test_what_a_message_that_was_delivered_again_writes_last_goes_an_hour_later(
    flow: Flow, tmp_path: Path
) -> None:
    page(tmp_path / "a-1.png", grey(1))
    drain(flow, flow.reception.accept(submission(tmp_path / "a-1.png", "a-1")))
    flow.store.put(keys.attempts("a-1", "ocr", "m1"), b"{}")
    plan = selection.plan(flow.store, Selector(task_id="a-1"), actor="alice")
    assert plan is not None
    assert not plan.working
    page_key = next(iter(flow.store.list("ocr/")))
    data = flow.store.get(page_key)
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    flow.store.put(page_key, data)
    (left,) = forgetting.plans(flow.store)
    assert forget.resume(flow.store) == 0
    forgetting.note(flow.store, structs.replace(left, again="2026-01-01T00:00:00+00:00"))
    assert forget.resume(flow.store) == 1
    assert not list(flow.store.list("ocr/"))
    assert not list(forgetting.plans(flow.store))


def test_an_id_that_is_forgotten_while_it_is_claimed_again(flow: Flow, tmp_path: Path) -> None:
    for at in range(12):
        others = a_flow(tmp_path, MemoryStore(f"claimed-{at}"))
        page(tmp_path / "a-1.png", grey(1))

        def meanwhile(others: Flow = others) -> None:
            drain_all(others, others.reception.accept(submission(tmp_path / "a-1.png", "a-1")))
            gone(others, task_id="a-1")

        process = a_flow(tmp_path, PausedStore(others.store, at, meanwhile))
        drain_all(others, process.reception.accept(submission(tmp_path / "a-1.png", "a-1")))
        drain_without_callbacks(others)
        ended = [keys.task_id_of(key) for p in (keys.RESULTS, keys.FAILED) for key in others.store.list(p)]
        assert ended in (["a-1"], []), at
        assert audit(others.store, others.schedule.run_date()).adds_up, at


def test_a_plan_that_died_before_the_receipt_was_rewritten(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same message is accepted again meanwhile: its receipt would be the same object."""
    a_night(flow, tmp_path)
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    with monkeypatch.context() as dying:
        dying.setattr(forget, "_redact", raiser(Died()))
        with pytest.raises(Died):
            forget.carry_out(flow.store, plan)
    drain_all(flow, flow.reception.accept(text("text-5", TEXT)))
    assert forget.resume(flow.store, at_once=True) == 1
    night = flow.schedule.run_date()
    assert "text-5" in receipts.received(flow.store, night)
    assert flow.store.exists(keys.result(night, "text-5"))
    report = audit(flow.store, night)
    assert (report.received, report.forgotten, report.adds_up) == (6, 1, True)


def test_a_record_of_a_process_that_died_before_it_took_it_back(flow: Flow, tmp_path: Path) -> None:
    page(tmp_path / "a-1.png", grey(1))
    (message,) = flow.reception.accept(submission(tmp_path / "a-1.png", "a-1"))
    flow.run(message)
    task, night = pending.get(flow.store, "a-1"), flow.schedule.run_date()
    assert task is not None
    plan = selection.plan(flow.store, Selector(task_id="a-1"), actor="alice")
    assert plan is not None
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    late = records.failure_of(task, PermanentError("late"), run_date=night, settings_digest="")
    flow.store.put(keys.failed(night, "a-1"), digests.encode(late))  # it was paused before this call
    a_night(flow, tmp_path)
    assert not flow.store.exists(keys.failed(night, "a-1"))
    assert rows(flow.store, "documents", night) == {"one-1", "two-2", "part-3", "bad-4", "text-5"}
    assert searched(flow.store, plan).hits == []
    assert audit(flow.store, night).adds_up


def test_what_is_swept_while_it_is_being_forgotten_is_not_taken_for_a_new_task(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A summary meets its tombstone, while its claim is not deleted yet."""
    a_night(flow, tmp_path)
    plan = selection.plan(flow.store, Selector(task_id="one-1"), actor="alice")
    assert plan is not None
    with monkeypatch.context() as dying:
        dying.setattr(selection, "with_ends", raiser(Died()))
        with pytest.raises(Died):
            forget.carry_out(flow.store, plan)
    night = flow.schedule.run_date()
    summarise(flow.store, night)
    assert not flow.store.exists(keys.result(night, "one-1"))
    assert list(flow.store.list(keys.PENDING)) == []
    assert forget.resume(flow.store, at_once=True) == 1
    assert searched(flow.store, plan).hits == []
    assert audit(flow.store, night).adds_up


def test_no_generation_of_it_is_left_to_a_new_task(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id can be claimed again as soon as its claims are gone, also where the process dies then."""
    texts = (f"{TEXT} {number}" for number in count())
    words = next(one for one in texts if claims.origin_of("message", one.encode()) < "@")  # is listed first
    drain_all(flow, flow.reception.accept(text("text-5", words)))
    flow.store.put(keys.generation("text-5", 1), b"{}")
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    deleted: list[str] = []

    def erase(_: Store, key: str) -> int:
        deleted.append(key)
        return 0

    monkeypatch.setattr("pipeline.night.originals.erase", erase)
    forget.carry_out(flow.store, plan)
    of_claims = [bool(keys.origin_of(key)) for key in deleted if key.startswith(keys.CLAIMS)]
    assert of_claims == [False, True, True]


def test_a_new_task_whose_record_was_replaced_meanwhile_is_done_again(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = flow.reception.accept(text("text-5", TEXT))
    task, night = pending.get(flow.store, "text-5"), flow.schedule.run_date()
    assert task is not None
    flow.run(message)
    plan = selection.plan(flow.store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None

    def meanwhile(*_: Any) -> None:
        drain_all(flow, flow.reception.accept(text("text-5", TEXT)))
        late = records.failure_of(task, PermanentError("late"), run_date=night, settings_digest="")
        flow.store.delete(keys.result(night, "text-5"))
        records.finish(flow.store, late)

    monkeypatch.setattr(forget, "_delete_documents", meanwhile)
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    drain_without_callbacks(flow)
    assert flow.store.exists(keys.result(night, "text-5"))
    assert audit(flow.store, night).adds_up


def test_a_record_of_a_task_that_was_submitted_again_stays(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    gone(flow, task_id="one-1")
    a_night(flow, tmp_path)
    night = flow.schedule.run_date()
    assert rows(flow.store, "documents", night) == {"one-1", "two-2", "part-3", "bad-4", "text-5"}
    assert audit(flow.store, night).adds_up


@pytest.mark.parametrize("source", ["copy.png", "other.png"])
def test_a_repetition_that_was_being_ingested_leaves_no_receipt(
    flow: Flow, tmp_path: Path, source: str
) -> None:
    """It gets its receipt when it fails; at each moment before it ends, it may have been forgotten already."""
    at, paused_at = 0, True
    while paused_at:
        store = MemoryStore(f"{source}-{at}")
        others, paused_at = a_flow(tmp_path, store), False
        page(tmp_path / "first.png", grey(1))
        page(tmp_path / source, grey(1 if source == "copy.png" else 2))
        drain_all(others, others.reception.accept(submission(tmp_path / "first.png", "t")))
        (message,) = others.reception.accept(submission(tmp_path / source, "t"))
        if source == "copy.png":  # a process that recorded a failure of it has died
            marked = pending.get(store, message.task_id)
            assert marked is not None
            pending.mark(store, structs.replace(marked, has_receipt=True))

        def meanwhile(others: Flow = others, task_id: str = message.task_id) -> None:
            nonlocal paused_at
            paused_at = True
            gone(others, task_id=task_id)

        process = a_flow(tmp_path, PausedStore(store, at, meanwhile))
        drain_all(process, [message])
        if paused_at:
            assert not any(
                message.task_id in receipt
                for night in [others.schedule.run_date()]
                for receipt in receipts.received(store, night)
            ), at
            assert audit(store, others.schedule.run_date()).adds_up, at
        at += EVERY
    assert at > 10


def test_what_a_last_step_wrote_goes_an_hour_later(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(tmp_path / "a-1.png", grey(1))
    flow.run(*flow.reception.accept(submission(tmp_path / "a-1.png", "a-1")))
    task = pending.get(flow.store, "a-1")
    assert task is not None
    assert task.sha256 is not None
    plan = selection.plan(flow.store, Selector(task_id="a-1"), actor="alice")
    assert plan is not None
    forget.finish(flow.store, plan, forget.carry_out(flow.store, plan))
    late = keys.page(task.sha256, "ab" * 8, 1)
    flow.store.put(late, b"{}")
    assert forget.resume(flow.store) == 0
    now = clock.utc() + forgetting.SETTLED
    monkeypatch.setattr(clock, "_source", lambda: now)
    assert forget.resume(flow.store) == 1
    assert not flow.store.exists(late)
    assert list(forgetting.plans(flow.store)) == []


def test_a_run_that_may_still_be_at_work_is_left_alone(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_night(flow, tmp_path)
    plan = selection.plan(flow.store, Selector(task_id="one-1"), actor="alice")
    assert plan is not None
    forgetting.note(flow.store, structs.replace(plan, begun=clock.now()))
    assert forgetting.in_progress(flow.store)
    assert forget.resume(flow.store) == 0
    now = clock.utc() + forgetting.LEASE
    monkeypatch.setattr(clock, "_source", lambda: now)
    assert not forgetting.in_progress(flow.store)
    assert forget.resume(flow.store) == 1
    assert searched(flow.store, plan).hits == []


def test_a_redrive_at_the_same_moment_is_refused(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    record = next(r for r in failures.find(flow.store) if r.task_id == "bad-4")
    gone(flow, task_id="bad-4")
    with pytest.raises(PermanentError, match="was forgotten"):
        failures.mark_again(flow.store, structs.replace(failures.task_of(record), generation=1))
    assert not [key for key in everything(flow.store) if "bad-4" in key]


def test_bytes_that_are_submitted_at_this_moment_stay(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    store = flow.store

    class Sudden(MemoryStore):
        def delete(self, key: str) -> None:
            super().delete(key)
            if key.startswith(keys.DOCUMENTS):
                drain_all(flow, [])
                flow.reception.accept(text("new-8", TEXT))

    sudden = Sudden("sudden")
    sudden._objects = store._objects  # type: ignore[attr-defined]
    plan = selection.plan(store, Selector(task_id="text-5"), actor="alice")
    assert plan is not None
    forget.carry_out(sudden, plan)
    drain_without_callbacks(flow)
    assert flow.store.exists(keys.result(flow.schedule.run_date(), "new-8"))


@pytest.fixture
def killed(tmp_path: Path) -> tuple[Flow, Mortal]:
    store = Mortal()
    flow = a_flow(tmp_path, store)
    a_night(flow, tmp_path)
    pseudonyms.key_of(store)
    return flow, store


@pytest.mark.parametrize("task_id", ["part-3", "bad-4"])
def test_a_process_that_dies_at_any_moment_leaves_what_can_be_finished(
    killed: tuple[Flow, Mortal], task_id: str
) -> None:
    flow, store = killed
    before, day, ended = dict(store._objects), flow.schedule.run_date(), False
    point = 0
    while not ended:
        store._objects, store.calls, store.dies_at = dict(before), 0, point + 2
        point += EVERY
        plan = selection.plan(store, Selector(task_id=task_id), actor="alice")
        assert plan is not None
        try:
            forget.finish(store, plan, forget.carry_out(store, plan))
            ended = True
        except Died:
            store.dies_at = -1
            report = audit(store, day)
            assert report.adds_up, (point, report.gaps)
            if not forget.resume(store, at_once=True):
                plan_again = selection.plan(store, Selector(task_id=task_id), actor="alice")
                if plan_again:
                    forget.finish(store, plan_again, forget.carry_out(store, plan_again))
        store.dies_at = -1
        assert searched(store, plan).hits == [], point
        assert list(forgetting.plans(store)) == []
        report = audit(store, day)
        assert report.adds_up, (point, report.gaps)
        assert (report.received, report.forgotten) == (5, 1)
    assert point > 20


def test_any_other_change_of_a_receipt_still_shows(flow: Flow, tmp_path: Path) -> None:
    a_night(flow, tmp_path)
    day = flow.schedule.run_date()
    gone(flow, task_id="text-5")
    (key,) = [k for k in flow.store.list(keys.receipts(day)) if flow.store.exists(keys.rewritten(k))]
    whole = flow.store.get(key)
    flow.store.put(key, whole.replace(b'"forgotten":"', b'"forgotten":"0'))
    assert [gap.kind for gap in audit(flow.store, day).gaps] == ["receipt_changed"]
    flow.store.put(key, whole)
    assert audit(flow.store, day).adds_up
    flow.store.delete(keys.rewritten(key))
    assert "receipt_changed" in [gap.kind for gap in audit(flow.store, day).gaps]


def test_lines_of_a_shared_receipt_go_one_after_the_other(flow: Flow, tmp_path: Path) -> None:
    store, day = flow.store, flow.schedule.run_date()
    for words in ("first-1", "second-2", "third-3"):
        drain_all(flow, flow.reception.accept(text(words, f"The text of {words}")))
    tasks = [t for found in receipts.received(store, day).values() for t in found]
    for key in list(store.list(keys.receipts(day))):
        store.delete(key)
    receipts._idle.clear()
    shared = receipts.write(store, day, tasks)
    later = receipts.write(store, day, [structs.replace(tasks[0], task_id="other-4")])
    assert receipts.read(store, later, receipts.Accepted).link.previous == shared  # type: ignore[union-attr]
    original = receipts.read(store, shared, receipts.Accepted).sha256
    for number, name in enumerate(("first-1", "third-3"), 1):
        assert gone(flow, task_id=name).hits == []
        now = receipts.read(store, shared, receipts.Accepted)
        assert (now.problem, now.sha256, len(now.forgotten)) == ("", original, number)
    assert [task.task_id for task in receipts.read(store, shared, receipts.Accepted).tasks] == ["second-2"]
    kinds = {gap.kind for gap in audit(store, day).gaps}
    assert "receipt_changed" not in kinds
    assert "receipt_missing" not in kinds - {"receipt_missing"}
