"""What is kept for how long: only ended documents, whose night has tables, while the window is closed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import PermanentError, RunError, UsageError
from pipeline.ledger import removed, tabled
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import DocumentResult, from_json
from pipeline.night import inventory, keep_days, reprocess, retention
from pipeline.night.flow import Flow
from pipeline.night.schedule import Schedule
from pipeline.night.summaries import summarise_due
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore
from pipeline.tables import summary
from pipeline.tables.summary import summarise
from tests.support.command import grey, page
from tests.support.flows import submission
from tests.unit.night.test_forget import a_flow, a_night, drain_all, gone, rows, text

NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    times = [NOW]

    def tick() -> datetime:
        times[0] += timedelta(milliseconds=1)
        return times[0]

    monkeypatch.setattr(clock, "_source", tick)
    return times


@pytest.fixture
def flow(tmp_path: Path, now: list[datetime]) -> Flow:
    flow = a_flow(tmp_path, MemoryStore("retention"))
    a_night(flow, tmp_path)
    now[0] += timedelta(days=40)
    return flow


def keep(flow: Flow, days: str, window: str = "22:00-06:00") -> None:
    """A tick of housekeeping at noon."""
    settings = structs.replace(flow.settings, keep_days=days, window=window)
    night = type(flow.night)(settings, flow.store, Schedule(settings, flow.store))
    retention.retain(night, clock.utc().replace(hour=12))


def prefixes(flow: Flow) -> set[str]:
    return {key.split("/")[0] for key in flow.store.list("")}


@pytest.mark.parametrize(
    "text", ["x=1", "documents", "documents=0", "documents=-1", "all=1,all=2", "all=1.5", "all=²"]
)
def test_a_wrong_setting_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="NIGHTSHIFT_KEEP_DAYS"):
        keep_days.parse(text)


def test_the_setting() -> None:
    assert keep_days.parse("") == {}
    assert keep_days.parse(" documents = 30, all=365,") == {"documents": 30, "all": 365}


@pytest.mark.parametrize(
    ("days", "gone_"),
    [
        ("documents=39", {"documents"}),
        ("checkpoints=39", {"ocr", "ner"}),
        ("results=39", {"results", "partial"}),
        ("failures=39", {"failed", "undelivered"}),
        ("all=40", set()),
        ("", set()),
    ],
)
def test_what_is_older_goes_and_the_audit_passes(flow: Flow, days: str, gone_: set[str]) -> None:
    before, night = prefixes(flow), NOW.date().isoformat()
    was = audit(flow.store, night)
    keep(flow, days)
    assert before - prefixes(flow) == gone_
    report = audit(flow.store, night)
    assert report.adds_up, report.gaps
    counted = ("received", "done", "partial", "failed", "pending")
    assert [getattr(report, name) for name in counted] == [getattr(was, name) for name in counted]
    if gone_ == {"documents"}:
        assert (report.documents, report.not_kept) == (0, 4)


def test_all_is_forgotten(flow: Flow) -> None:
    night = NOW.date().isoformat()
    keep(flow, "all=39")
    assert not {"documents", "ocr", "ner", "results", "failed", "claims"} & prefixes(flow)
    assert rows(flow.store, "documents", night) == set()
    report = audit(flow.store, night)
    assert report.adds_up
    assert (report.received, report.forgotten) == (5, 5)


def test_nothing_goes_while_the_window_is_open_or_before_the_tables_are_written(
    flow: Flow, tmp_path: Path
) -> None:
    night = NOW.date().isoformat()
    before = set(flow.store.list(""))
    keep(flow, "documents=1", window="11:00-13:00")
    assert set(flow.store.list("")) == before
    flow.store.delete(keys.summary("documents", night))
    keep(flow, "documents=1,results=1,all=1")
    assert {"documents", "results", "failed"} <= prefixes(flow)


@pytest.mark.parametrize("window", ["always", "mon-sun 24h"])
def test_a_window_that_never_closes_does_not_keep_everything(flow: Flow, window: str) -> None:
    keep(flow, "results=39", window=window)
    assert "results" not in prefixes(flow)


def test_bytes_that_a_younger_or_pending_task_has_stay(flow: Flow, tmp_path: Path) -> None:
    page(tmp_path / "new-9.png", grey(1))  # as one-1 and two-2
    (message,) = flow.reception.accept(submission(tmp_path / "new-9.png", "new-9"))
    flow.run(message)
    keep(flow, "documents=39,checkpoints=39")
    assert len(list(flow.store.list(keys.DOCUMENTS))) == 1
    assert len(list(flow.store.list("ocr/"))) == 1


def test_tables_outlive_their_results(flow: Flow, tmp_path: Path, now: list[datetime]) -> None:
    night = NOW.date().isoformat()
    keep(flow, "results=39,failures=39")
    with pytest.raises(RunError, match="removed by retention"):
        summarise(flow.store, night)
    flow.store.put(keys.changed(night, "tables", "x"), b"")
    summarise_due(flow.night, clock.utc())
    assert rows(flow.store, "documents", night) == {"one-1", "two-2", "part-3", "bad-4", "text-5"}
    assert gone(flow, task_id="one-1").hits == []
    assert rows(flow.store, "documents", night) == {"two-2", "part-3", "bad-4", "text-5"}
    assert audit(flow.store, night).adds_up


@pytest.mark.parametrize("late", [False, True])
def test_what_was_begun_is_finished(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, now: list[datetime], late: bool
) -> None:
    erased: list[str] = []

    def dies(store: MemoryStore, key: str) -> int:
        if erased:
            raise RunError("The store refuses access.")
        erased.append(key)
        store.delete(key)
        return 0

    with monkeypatch.context() as dying:
        dying.setattr("pipeline.night.originals.erase", dies)
        with pytest.raises(RunError):
            keep(flow, "results=39")
    assert {"results", "partial"} & prefixes(flow)
    if late:  # the tables are amended first
        written_again = [keys.task_id_of(key) for key in flow.store.list(keys.results("2026-11-22"))]
        assert written_again
        for task_id in ("bad-4", *written_again):
            flow.store.put(keys.changed("2026-11-22", task_id, clock.now()), b"")
        keep(flow, "results=39")
        assert "results" in prefixes(flow)
        before = tabled.rows(flow.store, "2026-11-22")
        summarise_due(flow.night, clock.utc())
        assert tabled.rows(flow.store, "2026-11-22") == before
        assert not list(flow.store.list(keys.CHANGED))
    now[0] += timedelta(days=1)
    keep(flow, "results=39")
    assert not {"results", "partial"} & prefixes(flow)
    assert removed.of(flow.store, "2026-11-22").begun == ()


def test_the_result_of_a_task_that_is_reprocessed_stays_until_that_has_ended(
    flow: Flow, now: list[datetime]
) -> None:
    """Else a failure would find no result, and count instead of it."""
    key = keys.result("2026-11-22", "one-1")
    task = reprocess._task(from_json(flow.store.get(key), DocumentResult))
    reprocess.mark_pending(flow.store, task)
    keep(flow, "results=39")
    assert list(flow.store.list(keys.RESULTS)) == [key]
    flow.fail(Message.of("ocr", task), PermanentError("It is not readable.", code="not_read"))
    assert flow.store.exists(key)
    assert not flow.store.exists(keys.failed("2026-11-22", "one-1", task.generation))
    now[0] += timedelta(days=1)
    keep(flow, "results=39")
    assert not list(flow.store.list(keys.RESULTS))
    assert removed.of(flow.store, "2026-11-22").begun == ()


def test_a_redrive_after_results_were_removed_keeps_no_failures(flow: Flow, now: list[datetime]) -> None:
    keep(flow, "results=39")
    flow.store.put(keys.changed("2026-11-22", "other-6", clock.now()), b"")
    now[0] += timedelta(days=1)
    keep(flow, "results=39,failures=39")
    assert "failed" not in prefixes(flow)


def test_a_result_that_its_tables_do_not_have_yet_stays(flow: Flow, tmp_path: Path) -> None:
    page(tmp_path / "late-9.png", grey(5))
    drain_all(flow, flow.reception.accept(submission(tmp_path / "late-9.png", "late-9")))
    night = flow.schedule.run_date()
    flow.store.put(keys.changed(NOW.date().isoformat(), "one-1", "x"), b"")
    keep(flow, "results=1")
    assert flow.store.exists(keys.result(NOW.date().isoformat(), "one-1"))
    assert flow.store.exists(keys.result(night, "late-9"))


def test_once_an_hour(flow: Flow, now: list[datetime]) -> None:
    keep(flow, "failures=39")
    flow.store.put(keys.document("ab" * 32), b"")
    keep(flow, "documents=1")
    assert list(flow.store.list(keys.DOCUMENTS))
    now[0] += timedelta(hours=1)
    keep(flow, "documents=1")
    assert list(flow.store.list(keys.DOCUMENTS)) == [keys.document("ab" * 32)]


def test_a_night_without_tables_and_late_results_are_not_forgotten(
    tmp_path: Path, now: list[datetime]
) -> None:
    flow = a_flow(tmp_path, MemoryStore("late"))
    drain_all(flow, flow.reception.accept(text("first-1", "In a night without tables")))
    now[0] += timedelta(days=1)
    first, night = NOW.date().isoformat(), flow.schedule.run_date()
    for name in ("second-2", "changed-3"):
        drain_all(flow, flow.reception.accept(text(name, f"In tables: {name}")))
    summarise(flow.store, night)
    flow.store.put(keys.changed(night, "changed-3", "x"), b"")
    drain_all(flow, flow.reception.accept(text("late-4", "Later than the tables")))
    now[0] += timedelta(days=40)
    kept = {keys.result(first, "first-1"), keys.result(night, "changed-3"), keys.result(night, "late-4")}
    for _ in range(2):
        keep(flow, "all=30")
        assert set(flow.store.list(keys.RESULTS)) == kept
        assert len(list(flow.store.list(keys.DOCUMENTS))) == 3
        assert "all" not in removed.of(flow.store, night).at
        now[0] += timedelta(days=1)
    for key in list(flow.store.list(keys.changes(night))):
        flow.store.delete(key)
    summarise(flow.store, night)
    keep(flow, "all=30")
    assert list(flow.store.list(keys.RESULTS)) == [keys.result(first, "first-1")]
    now[0] += timedelta(days=1)
    keep(flow, "all=30")
    assert "all" in removed.of(flow.store, night).at
    assert not flow.store.exists(keys.night(first, "removed"))


def test_a_task_with_a_younger_record_stays(flow: Flow) -> None:
    night, younger = NOW.date().isoformat(), "2026-12-31"
    record = flow.store.get(keys.result(night, "one-1"))
    flow.store.put(keys.result(younger, "one-1"), record.replace(night.encode(), younger.encode()))
    keep(flow, "all=30")
    assert set(flow.store.list(keys.RESULTS)) == {keys.result(night, "one-1"), keys.result(younger, "one-1")}
    assert len(list(flow.store.list(keys.DOCUMENTS))) == 1
    assert list(flow.store.list(keys.claims("one-1")))


def test_a_summary_at_the_same_moment_does_not_empty_the_tables(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    (night,) = inventory.nights(flow.store)
    before = rows(flow.store, "documents", night)
    chunks = summary._chunks

    def removed_meanwhile(*args: Any) -> Any:
        keep(flow, "results=30,failures=30")
        return chunks(*args)

    monkeypatch.setattr(summary, "_chunks", removed_meanwhile)
    with pytest.raises(RunError, match="removed by retention"):
        summarise(flow.store, night)
    assert not list(flow.store.list(keys.RESULTS)), "they were removed"
    assert rows(flow.store, "documents", night) == before


def test_records_stay_where_a_summary_died_while_it_replaced_the_tables(
    flow: Flow, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    (night,) = inventory.nights(flow.store)
    real = removed.note

    def after_a_summary_has_begun(*args: Any, begun: bool = False) -> None:
        if begun:  # it looked before this note was there
            flow.store.put(keys.changed(night, "tables", "x"), b"")
            flow.store.delete(keys.summary("entities", night))
        real(*args, begun=begun)

    with monkeypatch.context() as racing:
        racing.setattr(removed, "note", after_a_summary_has_begun)
        keep(flow, "results=39")
    assert {"results", "partial"} <= prefixes(flow)
    summarise_due(flow.night, clock.utc())
    assert flow.store.exists(keys.summary("entities", night))
    now[0] += timedelta(days=1)
    keep(flow, "results=39")
    assert not {"results", "partial"} & prefixes(flow)
