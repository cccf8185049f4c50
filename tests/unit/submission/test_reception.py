"""Task ids: repetitions, duplicates and conflicts."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import msgspec
import pytest
from msgspec import structs

from pipeline.errors import Damaged, PermanentError, StoreUnavailable, TransientError
from pipeline.ledger import claims, pending, receipts, records
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import failures
from pipeline.night.dispatch import resume, resume_all
from pipeline.night.flow import Flow
from pipeline.remote.fetch import fetch as real_fetch
from pipeline.storage import Store, keys
from pipeline.submission.contract import Submission
from tests.support.command import grey, page
from tests.support.flows import Died, drain, raiser, records_of, submission


def test_a_duplicate_that_ends_in_the_meantime_is_not_started_again(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    fetch = real_fetch

    def slow(*args: Any) -> bytes:
        monkeypatch.setattr("pipeline.submission.reception.fetch", fetch)
        drain(flow, [message])  # the duplicate message, from its first step to its last
        return fetch(*args)

    monkeypatch.setattr("pipeline.submission.reception.fetch", slow)
    assert flow.run(message) == []
    assert pending.get(flow.store, "t") is None
    assert list(records_of(flow)) == ["t"]


def test_a_store_that_fails_after_writing_strands_no_document(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    message = structs.replace(message, id="m")
    put = type(flow.store).put

    def answer_lost(store: Store, key: str, data: bytes) -> None:
        put(store, key, data)
        if key.startswith(keys.PENDING) and b'"taken_by":"m"' in data:
            monkeypatch.undo()
            raise StoreUnavailable("no answer")

    monkeypatch.setattr(type(flow.store), "put", answer_lost)
    with pytest.raises(StoreUnavailable):
        flow.run(message)
    assert [m.step for m in flow.run(structs.replace(message, retries=1, outages=1))] == ["ocr"]


def test_the_same_submission_is_one_task(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    first = flow.reception.accept(sent)
    assert flow.reception.accept(sent) == first, (
        "in progress: its message is returned again, in case it was lost"
    )
    drain(flow, first)
    assert flow.reception.accept(sent) == [], "ended: nothing to do"
    assert drain(flow, first) == {"ingest": 1}
    assert len(records_of(flow)) == 1


def test_a_used_id_with_other_bytes_is_refused(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    drain(flow, flow.reception.accept(submission(page(inbox / "b.png", grey(2)))))
    (other,) = [r for r in records_of(flow).values() if r.task_id != "t"]
    assert (other.status, other.error and other.error.code) == ("failed", "id_conflict")
    assert records_of(flow)["t"].pages[0].text == "colour 016464"


def test_a_used_id_with_the_same_bytes_from_another_source_is_the_same_task(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    drain(flow, flow.reception.accept(submission(page(inbox / "copy.png", grey(1)))))
    assert set(records_of(flow)) == {"t"}
    assert not list(flow.store.list(keys.PENDING))


def test_a_duplicate_waits_until_the_first_is_ingested(flow: Flow, inbox: Path) -> None:
    first = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    (second,) = flow.reception.accept(submission(page(inbox / "copy.png", grey(1))))
    with pytest.raises(TransientError, match="not ingested yet"):
        flow.run(second)
    drain(flow, first)
    assert flow.run(second) == []


def test_an_unknown_task_type_and_a_forbidden_source_are_not_accepted(flow: Flow, tmp_path: Path) -> None:
    outside = page(tmp_path / "outside.png", grey(1))
    for sent, code in (
        (submission(outside, task_type="poetry"), "unknown_task_type"),
        (submission(outside), "source_refused"),
        (submission(outside, url="http://169.254.169.254/latest"), "source_refused"),
    ):
        with pytest.raises(PermanentError) as caught:
            flow.reception.accept(sent)
        assert caught.value.code == code
    assert not list(flow.store.list(keys.PENDING))


def test_a_refused_message_has_a_record_and_a_receipt(flow: Flow) -> None:
    name = flow.reception.refuse(
        b'{"task_id": "x", ', PermanentError("The message is not JSON.", code="bad_message")
    ).task_id
    assert name.startswith("x#")
    assert records_of(flow)[name].status == "failed"
    (key,) = flow.store.list(keys.receipts(flow.schedule.run_date()))
    assert name.encode() in flow.store.get(key)


def test_a_refusal_that_is_noted_late_does_not_hide_that_its_task_was_redriven(
    flow: Flow, inbox: Path
) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    refusal = PermanentError("Its source is not allowed.", code="source_refused")
    flow.reception.refuse(b"", refusal, sent)
    (record,) = failures.find(flow.store)
    drain(flow, [Message.of("ingest", failures.redrive(flow.store, record, {}))])
    (origin,) = claims.origins(flow.store, "t")
    day = flow.schedule.run_date()
    claims.note(flow.store, "t", origin, claims.Claim(refused=day))  # by a process that died then
    assert flow.reception.accept(sent) == []
    assert claims.get(flow.store, "t", origin).sha256 == records_of(flow)["t"].sha256
    assert audit(flow.store, day).adds_up


@pytest.mark.parametrize("task_id", ["发" * 22, "/" * 66, "." + "x" * 199, "a" * 200])
def test_a_long_id_leaves_room_for_a_suffix(flow: Flow, task_id: str) -> None:
    body = msgspec.json.encode({"task_id": task_id, "task_type": "document", "priority": 10})
    refused = flow.reception.refuse(body, PermanentError("priority must be …", code="bad_message"))
    assert records_of(flow)[refused.task_id].status == "failed"
    assert refused.task_id[:10] == task_id[:10]
    for text in ("one", "two"):
        flow.reception.accept(Submission(task_id=task_id, task_type="nlp", text=text))


def test_a_repeated_message_is_not_another_attempt(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    (message,) = flow.reception.accept(sent)
    assert flow.reception.accept(sent) == [message], "its first message may never have left"
    flow.run(message)
    assert flow.reception.accept(sent) == []


def test_two_documents_that_claim_one_id_at_the_same_moment_are_both_recorded(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Barrier(2, timeout=10)

    def in_step(call: Callable[..., Any]) -> Callable[..., Any]:
        def then_wait(store: Store, task_id: str, *rest: Any) -> Any:
            found = call(store, task_id, *rest)
            if task_id == "t":
                both.wait()
            return found

        return then_wait

    sent = [submission(page(inbox / f"{n}.png", grey(n))) for n in (1, 2)]
    with monkeypatch.context() as patch, ThreadPoolExecutor() as threads:
        for name in ("claim", "look"):
            patch.setattr(claims, name, in_step(getattr(claims, name)))
        messages = [message for given in threads.map(flow.reception.accept, sent) for message in given]
    drain(flow, messages)
    assert [r.error and r.error.code for r in records_of(flow).values()] == ["id_conflict"] * 2
    assert {r.source for r in records_of(flow).values()} == {s.url for s in sent}
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.failed, report.adds_up) == (2, 2, True)


def test_the_loser_of_a_race_for_an_id_is_an_alias(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = flow.reception.accept(submission(page(inbox / "a.png", grey(1))))
    with monkeypatch.context() as patch:
        looks, really, nothing = iter([True]), claims.look, claims.Known({}, 0)
        patch.setattr(claims, "look", lambda *args: nothing if next(looks, False) else really(*args))
        (late,) = flow.reception.accept(submission(page(inbox / "b.png", grey(2))))
    assert late.task_id.startswith("t#")
    drain(flow, [*first, late])
    assert {r.task_id: r.status for r in records_of(flow).values()} == {"t": "done", late.task_id: "failed"}
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_document_that_can_not_be_fetched_has_ended(flow: Flow, inbox: Path) -> None:
    sent = submission(inbox / "late.png")
    drain(flow, flow.reception.accept(sent))
    page(inbox / "late.png", grey(1))
    assert flow.reception.accept(sent) == [], "the operator may redrive it"
    drain(flow, flow.reception.accept(submission(page(inbox / "b.png", grey(2)))))
    (other,) = [r for r in records_of(flow).values() if r.task_id != "t"]
    assert (other.error and other.error.code, other.sha256 is not None) == ("id_conflict", True)
    drain(flow, [Message.of("ingest", failures.redrive(flow.store, records_of(flow)["t"], {}))])
    assert records_of(flow)["t"].status == "done"
    assert flow.reception.accept(sent) == []
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.done, report.failed, report.adds_up) == (2, 1, 1, True)


def test_a_message_that_arrives_while_a_failure_is_recorded_loses_nothing(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, finish, late = submission(inbox / "nowhere.png"), records.finish, list[Message]()
    (message,) = flow.reception.accept(sent)

    def meanwhile(*args: Any, **options: Any) -> Any:
        late.extend(flow.reception.accept(sent))
        return finish(*args, **options)

    with pytest.raises(PermanentError) as caught:
        flow.run(message)
    monkeypatch.setattr(records, "finish", meanwhile)
    flow.fail(message, caught.value)
    assert late
    drain(flow, late)
    assert [r.status for r in records_of(flow).values()] == ["failed"]
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_crash_between_receipt_and_marker_is_repaired_by_the_redelivered_message(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    with monkeypatch.context() as patch:
        patch.setattr(pending, "mark_first", raiser(Died()))
        with pytest.raises(Died):
            flow.reception.accept(sent)
    drain(flow, flow.reception.accept(sent))
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.done, report.adds_up) == (1, 1, True)


def test_a_text_under_a_used_id_is_compared_also_when_its_message_was_lost(flow: Flow) -> None:
    for words in ("one", "two", "one"):
        text = Submission(task_id="t", task_type="nlp", text=words)
        flow.reception.accept(text)
    drain(flow, list(resume_all(flow.night)))
    drain(flow, list(resume_all(flow.night)))
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.done, report.failed, report.adds_up) == (2, 1, 1, True)


def test_an_alias_that_can_not_be_fetched_has_a_receipt_as_well(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    drain(flow, flow.reception.accept(submission(inbox / "nowhere.png")))
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.done, report.failed, report.adds_up) == (2, 1, 1, True)


def test_a_failure_names_its_bytes(flow: Flow, inbox: Path) -> None:
    (inbox / "no.png").write_bytes(b"\x00nothing that can be read")
    drain(flow, flow.reception.accept(submission(inbox / "no.png")))
    sha256 = records_of(flow)["t"].sha256
    assert sha256 is not None
    assert flow.store.get(keys.document(sha256)) == b"\x00nothing that can be read"


def test_of_two_messages_for_one_document_the_first_begins_it(flow: Flow, inbox: Path) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    (one,) = flow.reception.accept(sent)
    (two,) = flow.reception.accept(sent)
    one, two = structs.replace(one, id="1"), structs.replace(two, id="2")
    begun = flow.run(one)
    assert [m.step for m in begun] == ["ocr"]
    assert flow.run(two) == []
    again = structs.replace(one, redelivered=True)
    assert flow.run(again) == [structs.replace(m, fresh=False) for m in begun], (
        "delivered again, as its worker died before the next was published"
    )
    later = datetime.now(UTC) + timedelta(hours=1)
    (wait,) = flow.reception.accept(submission(page(inbox / "b.png", grey(2)), "later", not_before=later))
    assert flow.run(structs.replace(wait, id="3")) == []
    task = pending.get(flow.store, "later")
    assert task is not None
    pending.mark(flow.store, structs.replace(task, not_before=datetime.now(UTC).isoformat()))
    assert flow.run(structs.replace(wait, id="4")), "released by another message"


def test_a_duplicate_that_fails_after_the_task_has_ended_keeps_the_result(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = submission(page(inbox / "a.png", grey(1)))
    (message,) = flow.reception.accept(sent)
    fetch = real_fetch

    def slow(*args: Any) -> bytes:
        monkeypatch.setattr("pipeline.submission.reception.fetch", fetch)
        drain(flow, [message])
        return b"\x00the source has something else by now"

    monkeypatch.setattr("pipeline.submission.reception.fetch", slow)
    with pytest.raises(PermanentError) as caught:
        flow.run(message)
    flow.fail(message, caught.value)
    assert {r.status for r in records_of(flow).values()} == {"done"}
    assert list(flow.store.list(keys.FAILED)) == []


def test_a_paused_acceptance_does_no_harm_when_it_continues_after_the_end(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inbox / "a.png"
    sent = submission(page(path, grey(1)))
    put = flow.store.put

    def paused(key: str, data: bytes) -> None:
        if key.startswith(keys.RECEIPTS):
            monkeypatch.setattr(flow.store, "put", put)
            drain(flow, flow.reception.accept(sent))  # another process does it all meanwhile ...
            path.unlink()  # ... and the producer removes its file
        put(key, data)

    monkeypatch.setattr(flow.store, "put", paused)
    messages = flow.reception.accept(sent)
    drain(flow, messages)
    (record,) = records_of(flow).values()
    assert record.status == "done"
    assert not list(flow.store.list(keys.FAILED_AGAIN)), "the bytes are in the store"
    assert pending.get(flow.store, "t") is None
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.done, report.gaps) == (1, 1, ())


def test_an_id_that_another_producer_has_derived_before_hides_no_document(flow: Flow, inbox: Path) -> None:
    used = submission(page(inbox / "a.png", grey(1)), "x")
    second = submission(page(inbox / "b.png", grey(2)), "x")
    origin = claims.origin_of(second.url, None)
    drain(flow, flow.reception.accept(used))
    guessed = [f"x#{origin}", f"x#{origin}-2"]
    for number, name in enumerate(guessed):
        drain(flow, flow.reception.accept(submission(page(inbox / f"{number}.png", grey(9 + number)), name)))
    (message,) = flow.reception.accept(second)
    assert flow.reception.accept(second) == [message], "the same each time"
    drain(flow, [message])
    found = {name: (r.status, r.error and r.error.code) for name, r in records_of(flow).items()}
    assert found == {
        **dict.fromkeys(["x", *guessed], ("done", None)),
        f"x#{origin}-3": ("failed", "id_conflict"),
    }
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.adds_up) == (4, True)


def test_an_id_that_another_producer_has_derived_hides_no_refused_message(flow: Flow, inbox: Path) -> None:
    body, error = b'{"task_id": "x", ', PermanentError("The message is not JSON.", code="bad_message")
    guessed = f"x#{hashlib.sha256(body).hexdigest()[:12]}"
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)), guessed)))
    for _ in range(2):  # delivered again
        assert flow.reception.refuse(body, error).task_id == f"{guessed}-2"
    assert {name: r.status for name, r in records_of(flow).items()} == {
        guessed: "done",
        f"{guessed}-2": "failed",
    }
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_crash_at_the_change_of_the_run_date_counts_a_document_once(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, today = submission(page(inbox / "a.png", grey(1))), ["2026-11-24"]
    monkeypatch.setattr(flow.reception, "run_date", lambda: today[0])
    monkeypatch.setattr(flow.schedule, "run_date", lambda: today[0])
    with monkeypatch.context() as patch:
        patch.setattr(pending, "mark_first", raiser(Died()))
        with pytest.raises(Died):
            flow.reception.accept(sent)
    today[0] = "2026-11-25"
    drain(flow, flow.reception.accept(sent))
    assert [audit(flow.store, day).received for day in ("2026-11-24", "2026-11-25")] == [1, 0]
    assert audit(flow.store, "2026-11-24").done == 1


def test_a_duplicate_that_was_dropped_is_not_accepted_again(flow: Flow, inbox: Path) -> None:
    copy = inbox / "copy.png"
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    (message,) = flow.reception.accept(submission(page(copy, grey(1))))
    task = pending.get(flow.store, message.task_id)
    assert task is not None
    drain(flow, [message])
    copy.unlink()
    assert flow.reception.accept(submission(copy)) == []
    pending.mark(flow.store, task)  # by a process that was paused before it did
    drain(flow, [message])
    assert set(records_of(flow)) == {"t"}
    assert not list(flow.store.list(keys.PENDING))


def test_a_duplicate_that_died_while_its_failure_was_recorded_ends_with_a_record(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    (message,) = flow.reception.accept(submission(page(inbox / "copy.png", grey(1))))
    with monkeypatch.context() as patch:
        patch.setattr(records, "finish", raiser(Died()))
        with pytest.raises(Died):
            flow.fail(message, PermanentError("The source is gone."))
    drain(flow, [message])
    assert {r.status for r in records_of(flow).values()} == {"done"}
    report = audit(flow.store, flow.schedule.run_date())
    assert (report.received, report.done, report.adds_up) == (2, 2, True)


@pytest.mark.parametrize(
    "old", ["claimed", "accepted", "ingested", "redriven", "crashed redrive", "reprocessed"]
)
def test_a_store_of_the_previous_version_goes_on(flow: Flow, inbox: Path, old: str) -> None:
    """It had no generations, no run date of the acceptance, and one object for each claim."""
    sent = submission(page(inbox / "a.png", grey(1)))
    origin, today = claims.origin_of(sent.url, None), flow.schedule.run_date()
    sha256 = pending.store_document(flow.store, (inbox / "a.png").read_bytes())
    task = Task(task_id="t", sha256=None, source=sent.url, origin=origin)
    claims.note(flow.store, "t", origin, claims.Claim())
    if old != "claimed":
        receipts.write(flow.store, today, [task])
    if old in ("redriven", "crashed redrive"):
        claims.note(flow.store, "t", origin, claims.Claim(failed=today))
    elif old in ("ingested", "reprocessed"):
        claims.note(flow.store, "t", origin, claims.Claim(sha256=sha256))
        task = structs.replace(task, sha256=sha256, media_type="image/png", pages=1)
    if old == "crashed redrive":
        records.fail(flow.store, task, PermanentError("no"), run_date=today, settings_digest="")
    if old == "reprocessed":
        (message,) = resume(task, 8)
        pending.mark(flow.store, task)
        drain(flow, [message])
        task = structs.replace(task, reprocess=True, run_date=today)
    if old == "claimed":
        messages = flow.reception.accept(sent)
    else:
        pending.mark(flow.store, task)
        messages = resume(task, 8)
    before = records_of(flow)
    drain(flow, messages)
    (record,) = records_of(flow).values()
    assert record.status == ("failed" if old == "crashed redrive" else "done")
    assert record.reprocess == (old == "reprocessed")
    assert (record.done_at == before["t"].done_at if before else True) == (old != "reprocessed")
    assert not list(flow.store.list(keys.PENDING))
    report = audit(flow.store, today)
    assert (report.received, report.adds_up) == (1, True)
    if old == "crashed redrive":
        drain(flow, [Message.of("ingest", failures.redrive(flow.store, record, {}))])
        assert [(r.status, r.generation) for r in records_of(flow).values()] == [("done", 1)]


def test_of_two_messages_that_fetched_different_bytes_the_claim_names_those_that_are_used(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = page(inbox / "a.png", grey(1))
    (message,) = flow.reception.accept(submission(path))
    note, following = claims.note_first, list[Message]()

    def paused(*args: Any) -> bool:
        monkeypatch.setattr(claims, "note_first", note)
        page(path, grey(2))
        following.extend(flow.run(structs.replace(message, id="2")))
        return note(*args)

    monkeypatch.setattr(claims, "note_first", paused)
    assert flow.run(structs.replace(message, id="1")) == []
    drain(flow, following)
    assert records_of(flow)["t"].pages[0].text == "colour 026464"
    assert audit(flow.store, flow.schedule.run_date()).adds_up


def test_a_damaged_marker_whose_claim_is_gone_is_not_replaced(flow: Flow, inbox: Path) -> None:
    flow.store.put(keys.pending("x"), b"{")
    with pytest.raises(Damaged, match=r"pending/x\.json"):
        flow.reception.accept(submission(page(inbox / "a.png", grey(1)), "x"))
    assert flow.store.get(keys.pending("x")) == b"{"
