import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import Damaged, OverLimit, PermanentError, UsageError
from pipeline.ledger import claims, digests, ends, pending, receipts, records
from pipeline.ledger.audit import audit
from pipeline.models import DocumentResult, Task, from_json, to_json
from pipeline.night import failures
from pipeline.night.summaries import summarise_due
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.support.flows import flow_of

DAY, NEXT = "2026-11-22", "2026-11-23"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def fail(
    store: LocalStore, name: str, error: PermanentError, day: str = DAY, **fields: object
) -> DocumentResult:
    task = Task(
        task_id=name,
        sha256=pending.store_document(store, name.encode()),
        source=f"in/{name}",
        priority=8,
        tenant="archive",
        trace_id="tr",
        callback_url="https://a.example/x",
        submitted_at="2026-11-22T10:00:00.000+00:00",
        metadata={"box": "7"},
        attempts=2,
    )
    task = structs.replace(task, **fields)
    receipts.write(store, day, [task])
    return records.fail(store, task, error, run_date=day, settings_digest="d")


def names(store: LocalStore, **which: str) -> list[str]:
    return [r.task_id for r in failures.find(store, **which)]


def test_find_by_night_code_and_id(store: LocalStore) -> None:
    fail(store, "a", OverLimit("too long"))
    fail(store, "b", PermanentError("no"))
    fail(store, "a", OverLimit("too long"), NEXT)
    assert names(store) == ["a", "b", "a"]
    assert names(store, run_date=DAY) == ["a", "b"]
    assert names(store, code="over_limit", run_date=NEXT) == ["a"]
    assert names(store, task_id="b") == ["b"]
    assert names(store, code="poison") == []
    store.put(keys.failed(DAY, "half"), b"{")
    with pytest.raises(Damaged, match="damaged"):
        names(store)


def test_groups_are_by_code_the_most_frequent_first(store: LocalStore) -> None:
    for name in ("a", "b", "c"):
        fail(store, name, OverLimit(f"{name} is too long"))
    fail(store, "d", PermanentError("no"))
    first, second = failures.group(failures.find(store))
    assert (first.code, first.count, first.example, first.task_id) == ("over_limit", 3, "a is too long", "a")
    assert (second.code, second.count) == ("permanent", 1)


def test_overrides_are_settings_of_one_task() -> None:
    assert failures.overrides(["max_pages=5000", "ocr_engine=rapidocr"]) == {
        "max_pages": "5000",
        "ocr_engine": "rapidocr",
    }


@pytest.mark.parametrize(
    "pair",
    [
        "max_pages",
        "max_pages=many",
        "max_pages=0",
        "store_url=/tmp",
        "nonsense=1",
        "ocr_engine=tesseract",
        "ocr_server_token=geheim",
        "ocr_servers=http://elsewhere:1",
    ],
)
def test_settings_that_do_not_fit_are_refused(pair: str) -> None:
    with pytest.raises(UsageError) as caught:
        failures.overrides([pair])
    assert "geheim" not in caught.value.message


def test_markers_with_a_secret_or_servers_of_their_own_are_read_without() -> None:
    task = Task(task_id="a", sha256=None, source="in/a", overrides={"max_pages": "9"})
    written = to_json(task).replace(
        b'"max_pages"', b'"ocr_server_token":"geheim","ocr_servers":"http://elsewhere:1","max_pages"'
    )
    assert b"geheim" in written
    assert from_json(written, Task).overrides == {"max_pages": "9"}


def test_redrive_makes_a_failure_pending_with_all_it_came_with(store: LocalStore) -> None:
    record = fail(store, "a", OverLimit("too long"))
    store.put(keys.attempts("a", "ocr", "m9"), b"{}")
    store.put(keys.attempts("ab", "ocr"), b"{}")
    assert failures.redrive(store, record, {"max_pages": "9"}) == pending.get(store, "a", 1)
    task = pending.newest(store, "a")
    assert task is not None
    assert (task.generation, task.accepted_on, task.replaces) == (1, DAY, DAY)
    assert task.overrides == {"max_pages": "9"}
    assert (task.sha256, task.source, task.priority, task.tenant) == (record.sha256, "in/a", 8, "archive")
    assert (task.trace_id, task.callback_url, task.metadata) == ("tr", "https://a.example/x", {"box": "7"})
    assert task.submitted_at == "2026-11-22T10:00:00.000+00:00"
    assert (task.attempts, task.run_date, task.pages, task.media_type) == (0, "", 0, None)
    assert names(store) == []
    assert list(store.list("attempts/")) == [keys.attempts("ab", "ocr")]
    report = audit(store, DAY)
    assert (report.pending, report.adds_up) == (1, True)


def test_a_text_stays_a_text(store: LocalStore) -> None:
    record = fail(
        store, "a", PermanentError("no"), source="message", task_type="nlp", media_type="text/plain"
    )
    assert failures.redrive(store, record, {}).media_type == "text/plain"


def test_what_has_no_bytes_is_fetched_again_or_stays(store: LocalStore) -> None:
    away = fail(store, "a", PermanentError("no"), sha256=None, source="https://a.example/a.pdf")
    assert failures.redrive(store, away, {}).sha256 is None
    bad = fail(store, "b", PermanentError("no"), sha256=None, source="message")
    with pytest.raises(PermanentError, match="Submit it again"):
        failures.redrive(store, bad, {})
    assert names(store) == ["b"]
    assert pending.get(store, "b") is None


def test_discarding_keeps_the_record_and_the_sum(store: LocalStore) -> None:
    record = fail(store, "a", OverLimit("a is too long."))
    kept = failures.discard(store, record, "a duplicate")
    assert kept.error is not None
    assert kept.error.code == "discarded"
    assert kept.error.message == (
        "Discarded by the operator (a duplicate). It had failed with over_limit: a is too long."
    )
    assert list(failures.find(store, code="discarded")) == [kept]
    assert failures.discard(store, kept, "again") == kept
    report = audit(store, DAY)
    assert (report.failed, report.adds_up) == (1, True)


def test_the_tables_follow_a_redrive_that_leaves_the_number_of_records_as_it_was(store: LocalStore) -> None:
    flow = flow_of(Settings(store_url=str(store.root), window="always"))
    record = fail(store, "a", OverLimit("too long"))
    now = datetime.now(UTC)

    def statuses() -> list[str]:
        table = pq.read_table(io.BytesIO(store.get(keys.summary("documents", DAY))))
        return [f"{row['status']} {row['error_code']}" for row in table.to_pylist()]

    assert (summarise_due(flow.night, now), statuses()) == ([DAY], ["failed over_limit"])
    kept = failures.discard(store, record, "")
    assert (summarise_due(flow.night, now), statuses()) == ([DAY], ["failed discarded"])
    task = structs.replace(failures.redrive(store, kept, {}), run_date=DAY)
    records.finish(store, structs.replace(kept, status="done", error=None, generation=task.generation))
    assert (summarise_due(flow.night, now), statuses()) == ([DAY], ["done None"])
    assert summarise_due(flow.night, now) == []


def test_a_night_left_without_records_has_empty_tables(store: LocalStore) -> None:
    flow = flow_of(Settings(store_url=str(store.root), window="never"))
    record = fail(store, "a", OverLimit("too long"))
    summarise_due(flow.night, datetime.now(UTC))
    failures.redrive(store, record, {})
    assert summarise_due(flow.night, datetime.now(UTC)) == [DAY]
    assert len(pq.read_table(io.BytesIO(store.get(keys.summary("documents", DAY))))) == 0
    assert summarise_due(flow.night, datetime.now(UTC)) == []


def test_a_url_whose_query_was_not_kept_is_not_fetched_again(store: LocalStore) -> None:
    for name, url in (("plain", "https://a.example/x"), ("signed", "https://a.example/x?doc=42")):
        task = Task(task_id=name, sha256=None, source=url)
        claims.note(store, name, claims.origin_of(url, None), claims.Claim())
        record = records.fail(store, task, PermanentError("away"), run_date=DAY, settings_digest="")
        if name == "plain":
            assert failures.redrive(store, record, {}).source == url
            continue
        with pytest.raises(PermanentError, match="the query string of its URL is not stored") as caught:
            failures.redrive(store, record, {})
        assert caught.value.code == "not_redrivable"


def test_what_was_redriven_since_it_was_listed_is_left_alone(store: LocalStore) -> None:
    record = fail(store, "a", OverLimit("too long"))
    failures.redrive(store, record, {})
    store.delete(keys.pending("a", 1))
    with pytest.raises(PermanentError, match="is already being redriven"):
        failures.redrive(store, record, {})
    failures.discard(store, record, "nobody needs it")
    assert (pending.get(store, "a"), names(store)) == (None, [])


def test_a_failure_of_the_new_try_is_not_taken_back_with_the_old(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = fail(store, "a", OverLimit("too long"))
    mark = pending.mark

    def fails_at_once(into: LocalStore, task: Task) -> None:
        mark(into, task)
        monkeypatch.setattr(clock, "now", lambda: "2026-11-23T00:00:00.000+00:00")
        records.fail(into, task, PermanentError("again"), run_date=record.run_date, settings_digest="")

    monkeypatch.setattr(pending, "mark", fails_at_once)
    failures.redrive(store, record, {})
    (left,) = failures.find(store)
    assert left.error is not None
    assert left.error.message == "again"


def test_a_redrive_uses_the_bytes_that_ingest_has_noted(store: LocalStore) -> None:
    record = fail(store, "a", PermanentError("gone", code="not_found"), sha256=None, source="message")
    sha256 = pending.store_document(store, b"what ingest has stored")
    claims.note(store, "a", "0" * 12, claims.Claim(sha256=sha256))
    assert failures.redrive(store, record, {}).sha256 == sha256


def test_each_redrive_is_a_generation(store: LocalStore) -> None:
    record = fail(store, "a", OverLimit("too long"))
    for number in (1, 2):
        task = failures.redrive(store, record, {}, today=NEXT)
        assert (task.generation, task.accepted_on, pending.newest(store, "a")) == (number, NEXT, task)
        record = records.fail(
            store,
            task,
            PermanentError("again"),
            run_date=NEXT,
            settings_digest="",
            dates=ends.Dates.for_task(task, lambda: NEXT),
        )
        assert [(r.generation, r.run_date) for r in failures.find(store)] == [(number, NEXT)]
        assert list(store.list(keys.PENDING)) == []
    report = audit(store, DAY)
    assert (report.received, report.failed, report.adds_up) == (1, 1, True)


def test_a_clock_that_is_behind_accepts_no_redrive_before_its_failure(store: LocalStore) -> None:
    record = structs.replace(fail(store, "a", OverLimit("too long")), run_date=NEXT)
    store.put(keys.failed(NEXT, "a"), digests.encode(record))
    assert failures.redrive(store, record, {}, today=DAY).accepted_on == NEXT


def test_two_failures_on_two_dates_are_seen_by_a_clock_that_is_behind(store: LocalStore) -> None:
    """Another worker, whose clock is ahead, has ended the task since this one read its marker."""
    record = fail(store, "a", OverLimit("too long"))
    other = structs.replace(record, run_date=NEXT)
    store.delete(keys.failed(DAY, "a"))
    store.put(keys.failed(NEXT, "a"), digests.encode(other))
    again: list[str] = []
    instead = records.finish(
        store, record, ends.Dates(DAY, lambda: DAY), ended_before=lambda: again.append("a")
    )
    assert instead is None
    assert [(r.run_date, again) for r in failures.find(store)] == [(DAY, ["a"])]


def test_a_failure_that_is_recorded_again_by_a_paused_process_stays_discarded(store: LocalStore) -> None:
    record = fail(store, "a", OverLimit("too long"))
    failures.discard(store, record, "nobody needs it")
    fail(store, "a", OverLimit("too long"))
    (now,) = failures.find(store)
    assert failures.code_of(now) == "discarded"
    assert now.error is not None
    assert "over_limit" in now.error.message


def test_a_failure_that_is_recorded_again_while_it_is_discarded_stays_discarded(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, put = fail(store, "a", OverLimit("too long")), store.put

    def meanwhile(key: str, data: bytes) -> None:
        put(key, data)
        if key.startswith(keys.FAILED):
            monkeypatch.setattr(store, "put", put)
            fail(store, "a", OverLimit("too long"))

    monkeypatch.setattr(store, "put", meanwhile)
    failures.discard(store, record, "nobody needs it")
    assert [failures.code_of(one) for one in failures.find(store)] == ["discarded"]


def test_a_failure_that_is_redriven_while_it_is_discarded_stays_redriven(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, put = fail(store, "a", OverLimit("too long")), store.put

    def meanwhile(key: str, data: bytes) -> None:
        monkeypatch.setattr(store, "put", put)
        failures.redrive(store, record, {})
        put(key, data)

    monkeypatch.setattr(store, "put", meanwhile)
    failures.discard(store, record, "nobody needs it")
    assert names(store) == []
    assert pending.newest(store, "a") is not None
