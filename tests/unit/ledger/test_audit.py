import hashlib
from pathlib import Path

import pytest
from msgspec import structs

from pipeline.errors import PermanentError
from pipeline.ledger import claims, digests, pending, places, receipts, records, redaction
from pipeline.ledger.audit import Audit, audit, restore
from pipeline.models import DocumentResult, Task, to_json
from pipeline.storage import keys
from pipeline.storage.local import LocalStore

DAY, NEXT, BEFORE = "2026-11-22", "2026-11-23", "2026-11-21"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def accept(store: LocalStore, name: str, day: str = DAY, *, known: bool = True) -> Task:
    """Take a document in as `Flow.accept` does; with `known` false its bytes are not known yet."""
    sha256 = pending.store_document(store, name.encode())
    task = Task(task_id=name, sha256=sha256, source=f"in/{name}", task_type="ocr", priority=7, tenant="t")
    pending.mark(store, task)
    receipts.write(store, day, [task if known else structs.replace(task, sha256=None)])
    claims.note(store, name, "0" * 12, claims.Claim(sha256=sha256))
    return task


def finish(store: LocalStore, task: Task, day: str = DAY) -> None:
    records.finish(
        store,
        DocumentResult(
            task_id=task.task_id, sha256=task.sha256, source=task.source, status="done", run_date=day
        ),
    )


def fail(store: LocalStore, task: Task, day: str = DAY) -> None:
    records.fail(store, task, PermanentError("no"), run_date=day, settings_digest="")


def kinds(report: Audit) -> dict[str, str]:
    return {gap.task_id: gap.kind for gap in report.gaps}


def sums(report: Audit) -> tuple[int, int, int, int]:
    return report.received, report.done, report.failed, report.pending


def test_what_was_received_is_done_failed_or_pending(store: LocalStore) -> None:
    finish(store, accept(store, "a"))
    fail(store, accept(store, "b"))
    accept(store, "c")
    finish(store, accept(store, "other night", BEFORE), BEFORE)
    finish(store, accept(store, "发票 1/2.jpg"))
    report = audit(store, DAY)
    assert (sums(report), report.hashes, report.adds_up) == ((4, 2, 1, 1), 4, True)
    assert audit(store, NEXT).received == 0


def test_a_later_night_may_finish_what_this_one_received(store: LocalStore) -> None:
    finish(store, accept(store, "a"), NEXT)
    assert sums(audit(store, DAY)) == (1, 1, 0, 0)
    finish(store, accept(store, "by a clock that was ahead"), "2090-01-01")
    assert sums(audit(store, DAY)) == (2, 2, 0, 0)
    finish(store, accept(store, "early", NEXT), DAY)
    assert kinds(audit(store, NEXT)) == {"early": "missing"}, "nothing ends before it was received"


def test_a_marker_beside_a_result_is_a_last_step_to_repeat(store: LocalStore) -> None:
    task = accept(store, "a")
    finish(store, task)
    pending.mark(store, task)
    assert sums(audit(store, DAY)) == (1, 1, 0, 0)


def test_markers_are_no_proof_of_receipt(store: LocalStore) -> None:
    pending.mark(store, Task(task_id="x", sha256=None, source="x"))
    assert sums(audit(store, DAY)) == (0, 0, 0, 0)


def test_missing(store: LocalStore) -> None:
    accept(store, "gone")
    accept(store, "kept")
    store.delete(keys.pending("gone"))
    report = audit(store, DAY)
    assert (kinds(report), sums(report)) == ({"gone": "missing"}, (2, 0, 0, 1))
    assert report.gaps[0].source == "in/gone"


def test_a_task_redriven_during_the_listing_is_not_missing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = accept(store, "a")
    store.delete(keys.pending("a"))
    listed = places.find

    def then_redrive(*args: object) -> object:
        found = listed(*args)  # type: ignore[arg-type]
        pending.mark(store, task)
        return found

    monkeypatch.setattr(places, "find", then_redrive)
    report = audit(store, DAY)
    assert (sums(report), report.adds_up) == ((1, 0, 0, 1), True)


def test_twice(store: LocalStore) -> None:
    for name in ("nights", "both"):
        finish(store, accept(store, name))
    record = DocumentResult(task_id="both", sha256=None, source="", status="failed", run_date=DAY)
    store.put(keys.failed(DAY, "both"), to_json(record))
    store.put(keys.result(NEXT, "nights"), store.get(keys.result(DAY, "nights")))
    report = audit(store, DAY)
    assert kinds(report) == {"both": "twice", "nights": "twice"}
    assert report.received == report.done + report.failed + report.pending


def test_a_document_received_for_two_nights_may_end_in_both(store: LocalStore) -> None:
    task = accept(store, "a")
    finish(store, task)
    receipts.write(store, NEXT, [task])
    finish(store, task, NEXT)
    assert audit(store, DAY).adds_up
    assert audit(store, NEXT).adds_up
    store.put(keys.failed(DAY, "a"), store.get(keys.result(DAY, "a")))
    assert kinds(audit(store, DAY)) == {"a": "twice"}, "two ends in one night"


@pytest.mark.parametrize("known", [True, False])
def test_other_bytes(store: LocalStore, known: bool) -> None:
    task = accept(store, "a", known=known)
    finish(store, structs.replace(task, sha256=hashlib.sha256(b"other").hexdigest()))
    assert kinds(audit(store, DAY)) == {"a": "other_bytes"}
    finish(store, task)
    report = audit(store, DAY)
    assert (report.hashes, report.adds_up) == (1, True)


def test_a_failure_without_bytes_has_no_hash_to_compare(store: LocalStore) -> None:
    task = structs.replace(accept(store, "a"), sha256=None)
    fail(store, task)
    report = audit(store, DAY)
    assert (report.hashes, report.adds_up) == (0, True)


def test_damage(store: LocalStore) -> None:
    finish(store, accept(store, "a"))
    store.put(keys.result(DAY, "a"), b'{"half": ')
    assert kinds(audit(store, DAY)) == {"a": "damaged"}
    (receipt,) = store.list(keys.receipts(DAY))
    store.put(receipt, b"half\n")
    assert [(gap.kind, gap.source) for gap in audit(store, DAY).gaps][1:] == [("receipt_changed", receipt)]


def test_restore_takes_up_what_the_store_still_has(store: LocalStore) -> None:
    for name, known in {"a": True, "b": False}.items():
        accept(store, name, known=known)
        store.delete(keys.pending(name))
    lost = accept(store, "lost")
    store.delete(keys.pending("lost"))
    store.delete(keys.document(lost.sha256 or ""))
    assert [t.task_id for t in restore(store, audit(store, DAY))] == ["a", "b"]
    report = audit(store, DAY)
    assert (kinds(report), report.pending) == ({"lost": "missing"}, 2)
    task = pending.get(store, "b")
    assert task is not None
    assert (task.task_type, task.priority, task.tenant, task.source) == ("ocr", 7, "t", "in/b")
    assert task.sha256 == hashlib.sha256(b"b").hexdigest()


def test_restore_leaves_what_was_forgotten_meanwhile(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        accept(store, name)
        store.delete(keys.pending(name))
    report = audit(store, DAY)
    _forget(store, "a")
    assert [task.task_id for task in restore(store, report)] == ["b"]
    store.delete(keys.pending("b"))
    mark = pending.mark

    def then_forget(store_: LocalStore, task: Task) -> None:
        mark(store_, task)
        _forget(store, "b")

    monkeypatch.setattr(pending, "mark", then_forget)
    assert restore(store, report) == []
    assert list(store.list(keys.PENDING)) == []


def _forget(store: LocalStore, task_id: str) -> None:
    for receipt in list(store.list(keys.receipts(DAY))):
        redaction.rewrite(store, receipt, {task_id: "0" * 32}, at="", actor="", run="")


def test_two_documents_under_one_id_are_a_gap(store: LocalStore) -> None:
    task = structs.replace(accept(store, "a", known=False), sha256=None)
    receipts.write(store, DAY, [structs.replace(task, source="in/b")])
    (gap,) = audit(store, DAY).gaps
    assert (gap.kind, gap.task_id) == ("two_sources", "a")
    assert "is the id of in/a and in/b" in gap.detail


def test_a_damaged_marker_does_not_end_the_audit(store: LocalStore) -> None:
    finish(store, accept(store, "whole"))
    accept(store, "half", known=False)
    store.put(keys.pending("half"), b"{")
    assert kinds(audit(store, DAY)) == {"half": "damaged"}


def test_restore_deletes_a_failure_next_to_a_good_result(store: LocalStore) -> None:
    task = accept(store, "a")
    finish(store, task)
    late = records.failure_of(task, PermanentError("no"), run_date=DAY, settings_digest="")
    store.put(keys.failed(DAY, "a"), digests.encode(late))
    report = audit(store, DAY)
    assert kinds(report) == {"a": "twice"}
    assert restore(store, report) == []
    assert audit(store, DAY).adds_up
    assert list(store.list(keys.FAILED)) == []
