"""What acceptance leaves in the store, and what it says has ended already; and that a plan leaves nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.documents.sources import Source
from pipeline.errors import PermanentError, Unreadable
from pipeline.ledger import pending, receipts, records
from pipeline.ledger.audit import audit
from pipeline.models import DocumentResult, Task
from pipeline.run.acceptance import RECEIPT_SIZE, Acceptance, attempts_so_far
from pipeline.run.outcome import Outcome
from pipeline.run.plan import plan
from pipeline.settings import Settings
from pipeline.steps.engines import Engines
from pipeline.storage import Store, keys
from pipeline.storage.local import LocalStore
from pipeline.tables.summary import summarise

DAY = "2026-11-22"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def acceptance(store: Store) -> Callable[..., Acceptance]:
    def made(digest: str = "d1", retry_failed: bool = False) -> Acceptance:
        return Acceptance(store, run_date=DAY, digest=digest, retry_failed=retry_failed)

    return made


def source(name: str, data: bytes = PNG) -> Source:
    return Source(f"scans/{name}", lambda: data)


def missing(name: str) -> Source:
    def read() -> bytes:
        raise Unreadable(f"{name} can't be read.")

    return Source(f"scans/{name}", read)


def end(store: Store, task: Task, digest: str = "d1", error: PermanentError | None = None) -> None:
    if error:
        records.fail(store, task, error, run_date=DAY, settings_digest=digest)
        return
    result = DocumentResult.of(
        task, source=task.source, status="done", run_date=DAY, settings_digest=digest, done_at=clock.now()
    )
    records.finish(store, result)


def one(entries: list[Task | Outcome]) -> Task | Outcome:
    (entry,) = entries
    return entry


def accepted(acceptance: Acceptance, *sources: Source) -> list[Task]:
    entries = list(acceptance.accept(sources))
    return [e for e in entries if isinstance(e, Task)]


def test_an_accepted_document_is_stored_marked_and_received(
    store: Store, acceptance: Callable[..., Acceptance]
) -> None:
    (task,) = accepted(acceptance(), source("a.png"))
    assert task.sha256
    assert store.get(keys.document(task.sha256)) == PNG
    assert pending.get(store, task.task_id) == structs.replace(task, receipt="")
    assert list(receipts.received(store, DAY)) == [task.task_id]
    assert [task.receipt] == list(store.list(keys.receipts(DAY)))


def test_a_document_that_is_processed_again_has_one_record_and_the_audit_passes_at_any_time(
    store: Store, acceptance: Callable[..., Acceptance]
) -> None:
    sources = [source("a.png"), source("b.png"), missing("c.png")]
    for digest in ("d1", "d2", "d3"):
        good, bad = accepted(acceptance(digest, retry_failed=True), *sources)
        assert audit(store, DAY).gaps == ()
        end(store, good, digest)
        end(store, bad, digest, PermanentError("no"))
        assert audit(store, DAY).gaps == (), "before the tables follow"
        summarise(store, DAY)
        report = audit(store, DAY)
        assert (report.gaps, report.done, report.failed, report.received) == ((), 1, 2, 3)
        assert not list(store.list(keys.CHANGED))
    assert len(list(store.list(keys.FAILED))) == 2


def test_receipts_cover_several_documents_and_precede_them(
    store: Store, acceptance: Callable[..., Acceptance]
) -> None:
    arriving = acceptance().accept(source(f"{n}.png", PNG + bytes([n])) for n in range(RECEIPT_SIZE + 1))
    next(arriving)
    assert len(receipts.received(store, DAY)) == RECEIPT_SIZE
    assert len(list(arriving)) == RECEIPT_SIZE
    assert len(list(store.list(keys.receipts(DAY)))) == 2


def test_a_source_that_cant_be_read_fails_and_is_received(
    store: Store, acceptance: Callable[..., Acceptance]
) -> None:
    entry = one(list(acceptance().accept([missing("a.png")])))
    assert isinstance(entry, Outcome)
    assert (entry.status, entry.nothing_computed) == ("failed", False)
    assert list(receipts.received(store, DAY)) == [entry.task_id]
    assert records.ended(store, DAY, entry.task_id)


@pytest.mark.parametrize("error", [None, PermanentError("no")])
def test_what_has_ended_under_these_settings_is_not_accepted_again(
    store: Store, acceptance: Callable[..., Acceptance], error: PermanentError | None
) -> None:
    (task,) = accepted(acceptance(), source("a.png"))
    end(store, task, error=error)
    entry = one(list(acceptance().accept([source("a.png")])))
    assert isinstance(entry, Outcome)
    assert (entry.status, entry.reused) == ("failed" if error else "done", "result")
    assert accepted(acceptance(digest="d2"), source("a.png")), "other settings, other result"


def test_a_failed_document_is_accepted_again_on_request(
    store: Store, acceptance: Callable[..., Acceptance]
) -> None:
    (task,) = accepted(acceptance(), source("a.png"))
    end(store, task, error=PermanentError("no"))
    assert accepted(acceptance(retry_failed=True), source("a.png"))
    end(store, task)
    assert not accepted(acceptance(retry_failed=True), source("a.png"))


def test_attempts_of_an_earlier_run_are_kept(store: Store, acceptance: Callable[..., Acceptance]) -> None:
    (task,) = accepted(acceptance(), source("a.png"))
    pending.mark(store, Task(task_id=task.task_id, sha256=task.sha256, source=task.source, attempts=2))
    assert attempts_so_far(store, task.task_id) == 2
    (again,) = accepted(acceptance(), source("a.png"))
    assert again.attempts == 2
    assert attempts_so_far(store, "another") is None


def test_a_plan_says_what_would_happen_and_writes_nothing(
    store: Store, acceptance: Callable[..., Acceptance], tmp_path: Path
) -> None:
    engines = Engines(Settings.from_env({}, ocr_engine="fake-ocr", ner_engine="fake-ner"))
    done, failed = accepted(acceptance(), source("done.png", PNG + b"1"), source("failed.png", PNG + b"2"))
    end(store, done)
    end(store, failed, error=PermanentError("the reason"))
    (half, whole) = accepted(acceptance(), source("half.png", PNG + b"3"), source("whole.png", PNG + b"4"))
    assert half.sha256
    assert whole.sha256
    store.put(keys.page(half.sha256, engines.reading_digest, 1), b"{}")
    store.put(keys.entities(whole.sha256, engines.entities_digest), b"{}")
    before = sorted(tmp_path.rglob("*"))
    sources = [
        source("done.png", PNG + b"1"),
        source("failed.png", PNG + b"2"),
        source("half.png", PNG + b"3"),
        source("whole.png", PNG + b"4"),
        source("new.png", PNG + b"5"),
        source("copy.png", PNG + b"5"),
        source("notes.txt", b"\x00txt"),
        missing("gone.png"),
    ]
    planned = {p.source.removeprefix("scans/"): p for p in plan(sources, acceptance(), engines)}
    assert {name: p.state for name, p in planned.items()} == {
        "done.png": "done",
        "failed.png": "failed",
        "half.png": "partly_stored",
        "whole.png": "stored",
        "new.png": "new",
        "copy.png": "duplicate",
        "notes.txt": "unreadable",
        "gone.png": "unreadable",
    }
    assert (planned["new.png"].size, planned["new.png"].media_type) == (9, "image/png")
    assert planned["failed.png"].error
    assert planned["failed.png"].error.message == "the reason"
    assert planned["notes.txt"].error
    assert planned["notes.txt"].size == 4
    assert sorted(tmp_path.rglob("*")) == before
    retried = next(plan(sources[1:2], acceptance(retry_failed=True), engines))
    assert retried.state == "new"


def test_a_document_that_is_accepted_again_is_of_a_later_generation(
    store: Store, acceptance: Callable[..., Acceptance]
) -> None:
    (task,) = accepted(acceptance(), source("a.png"))
    end(store, task)
    (again,) = accepted(acceptance(digest="d2"), source("a.png"))
    assert (task.generation, again.generation) == (0, 1)
    end(store, again, digest="d2", error=PermanentError("no"))
    record = records.ended(store, DAY, task.task_id)
    assert record is not None
    assert (record.status, record.generation) == ("done", 0)
    assert list(store.list(keys.FAILED_AGAIN)) == [keys.failed_again(DAY, task.task_id)]
    (interrupted,) = accepted(acceptance(digest="d3"), source("a.png"))
    assert interrupted.generation == 1, "until it has a record"
    assert isinstance(one(list(acceptance().accept([source("a.png")]))), Outcome)
    assert list(store.list(keys.FAILED_AGAIN)) == [], "its result is the one that these settings give"
    assert list(store.list(keys.PENDING)) == []
