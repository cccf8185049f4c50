from pathlib import Path

import pytest
from msgspec import structs

from pipeline.errors import Damaged, PermanentError, Unreadable
from pipeline.ledger import pending, receipts, records
from pipeline.models import DocumentResult, Task, to_json
from pipeline.storage import keys
from pipeline.storage.local import LocalStore

DAY = "2026-11-22"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def task(name: str = "a.jpg", data: bytes = b"x") -> Task:
    sha256 = "ab" * 32
    return Task(task_id=pending.task_id_for(name, sha256), sha256=sha256, source=name)


def done(of: Task) -> DocumentResult:
    return DocumentResult(task_id=of.task_id, sha256=of.sha256, source=of.source, status="done", run_date=DAY)


def ended(store: LocalStore) -> DocumentResult | None:
    """The record of `task()`, as it was before it was stored: without its digest."""
    record = records.ended(store, DAY, task().task_id)
    return record and structs.replace(record, digest="")


def test_task_ids_tell_source_and_bytes_apart() -> None:
    one = pending.task_id_for("scans/a b.jpg", "00")
    assert one.startswith("a_b_jpg-")
    assert pending.task_id_for("scans/a b.jpg", "00") == one
    assert pending.task_id_for("scans/a b.jpg", "01") != one
    assert pending.task_id_for("other/a b.jpg", "00") != one
    assert pending.task_id_for("发票.jpg", "00").startswith("jpg-")
    assert pending.task_id_for("z.zip!../../evil.jpg", "00").startswith("evil_jpg-")
    keys.pending(pending.task_id_for("票" * 300, None))


def test_a_repr_names_the_task_and_none_of_its_secrets() -> None:
    one = structs.replace(
        task(),
        source="https://a.example/scan.png?sig=hush",
        callback_url="https://a.example/?token=hush",
        metadata={"patient": "hush"},
    )
    result = DocumentResult.of(one, source=one.source, status="done", run_date=DAY)
    assert "hush" not in f"{one!r} {one} {result!r} {[result]}"
    assert one.task_id in repr(one)
    assert one.task_id in repr(result)


def test_bytes_are_stored_once_under_their_hash(store: LocalStore) -> None:
    sha256 = pending.store_document(store, b"page")
    assert store.get(keys.document(sha256)) == b"page"
    path = store.root / keys.document(sha256)
    before = path.stat().st_mtime_ns
    assert pending.store_document(store, b"page") == sha256
    assert path.stat().st_mtime_ns == before


def test_a_finished_task_leaves_a_result_and_no_marker(store: LocalStore) -> None:
    pending.mark(store, task())
    records.finish(store, done(task()))
    assert list(store.list(keys.PENDING)) == []
    assert ended(store) == done(task())
    assert records.ended(store, "2026-11-23", task().task_id) is None


def test_a_failure_is_recorded_with_its_reason(store: LocalStore) -> None:
    pending.mark(store, task())
    record = records.fail(
        store, task(), Unreadable("a.jpg ends early: send it again."), run_date=DAY, settings_digest="s"
    )
    assert record.error is not None
    assert (record.status, record.error.code, record.attempts) == ("failed", "unreadable", 1)
    assert list(store.list(keys.PENDING)) == []
    assert list(store.list(keys.failures(DAY))) == [keys.failed(DAY, task().task_id)]


def test_a_task_has_one_end_only(store: LocalStore) -> None:
    records.fail(store, task(), PermanentError("no"), run_date=DAY, settings_digest="s")
    records.finish(store, done(task()))
    assert list(store.list(keys.failures(DAY))) == []


@pytest.mark.parametrize(
    ("generation", "reprocess", "recorded"),
    [(0, False, 0), (0, True, 1), (1, False, 1), (1, True, 1)],
    ids=["duplicate", "reprocessed by an older version", "redriven", "reprocessed"],
)
def test_a_failure_never_replaces_a_good_result(
    store: LocalStore, generation: int, reprocess: bool, recorded: int
) -> None:
    good = done(task())
    records.finish(store, good)
    late = structs.replace(task(), generation=generation, reprocess=reprocess)
    pending.mark(
        store, late
    )  # as by a process that was paused before it marked it, and continues hours later
    failure = records.fail(store, late, PermanentError("no"), run_date=DAY, settings_digest="s")
    assert failure.reprocess
    assert ended(store) == good
    assert list(store.list(keys.failures(DAY))) == []
    assert len(list(store.list(keys.FAILED_AGAIN))) == recorded
    assert list(store.list(keys.PENDING)) == []


def test_a_result_that_comes_while_a_failure_is_written_wins(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, put = done(task()), store.put

    def meanwhile(key: str, data: bytes) -> None:
        if key.startswith(keys.FAILED):
            put(keys.result(DAY, good.task_id), to_json(good))  # another process finishes it at this moment
        put(key, data)

    monkeypatch.setattr(store, "put", meanwhile)
    records.fail(store, task(), PermanentError("no"), run_date=DAY, settings_digest="s")
    assert ended(store) == good
    assert list(store.list(keys.failures(DAY))) == []


def test_a_result_is_written_first_only_where_there_is_none(store: LocalStore) -> None:
    good = done(task())
    assert records.write_first(store, good)
    assert not records.write_first(store, structs.replace(good, sha256="cd" * 32))
    assert ended(store) == good
    for other in ({"status": "failed"}, {"status": "partial"}, {"generation": 1}, {"reprocess": True}):
        assert not records.write_first(store, structs.replace(good, task_id="other", **other))


def test_a_failure_that_was_recorded_meanwhile_goes_when_a_result_was_written_first(
    store: LocalStore,
) -> None:
    pending.mark(store, task())
    records.fail(store, task(), PermanentError("no"), run_date=DAY, settings_digest="s")
    pending.mark(store, task())  # as by a process that was paused
    assert records.write_first(store, done(task()))
    assert records.finish(store, done(task()), written=True) is None
    assert ended(store) == done(task())
    assert list(store.list(keys.failures(DAY))) == []
    assert list(store.list(keys.PENDING)) == []


def test_the_marker_of_a_task_that_was_submitted_again_stays_when_a_result_was_written_first(
    store: LocalStore,
) -> None:
    pending.mark(store, structs.replace(task(), submitted_at="2026-11-22T10:00:00+00:00"))
    old = structs.replace(done(task()), first_seen="2026-11-22T08:00:00+00:00")
    assert records.write_first(store, old)
    records.finish(store, old, written=True)
    assert len(list(store.list(keys.PENDING))) == 1


def test_a_record_of_another_schema_is_made_anew(store: LocalStore) -> None:
    store.put(keys.result(DAY, "t"), b'{"half": ')
    assert records.ended(store, DAY, "t") is None


def test_receipts_hold_what_came_and_never_change(store: LocalStore) -> None:
    batch = [task("b.jpg"), task("a.jpg")]
    receipts.write(store, DAY, batch)
    receipts.write(store, DAY, list(reversed(batch)))
    (key,) = store.list(keys.receipts(DAY))
    lines = store.get(key).decode().splitlines()
    assert len(lines) == 2
    assert all('"sha256":"abab' in line for line in lines)
    receipts.write(store, DAY, batch[:1])
    assert len(list(store.list(keys.receipts(DAY)))) == 2
    receipts.write(store, DAY, [])
    assert len(list(store.list(keys.receipts(DAY)))) == 2


def test_bytes_are_checked_when_they_are_read(store: LocalStore) -> None:
    sha256 = pending.store_document(store, b"one")
    assert pending.document(store, sha256) == b"one"
    store.put(keys.document(sha256), b"other")
    with pytest.raises(Damaged, match="does not hold the bytes that were received"):
        pending.document(store, sha256)
