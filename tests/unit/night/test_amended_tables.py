"""The tables of a night whose records retention has removed follow what changes afterwards, and nothing else."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import RunError
from pipeline.ledger import digests, forgotten, removed, tabled
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import DocumentResult, Page, from_json
from pipeline.night import failures, retention
from pipeline.night.flow import Flow
from pipeline.night.schedule import Schedule
from pipeline.night.summaries import summarise_due
from pipeline.storage import Store, keys
from pipeline.storage.memory import MemoryStore
from pipeline.tables.amended import amend
from pipeline.tables.names import TABLES
from pipeline.tables.summary import summarise
from tests.support.flows import Died
from tests.support.paused import PausedStore
from tests.unit.night.test_forget import a_flow, a_night, drain_all

NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)
DAY = "2026-11-22"
ALL = {"one-1", "two-2", "part-3", "bad-4", "text-5"}


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """A night of documents that are done, one that is partial and one that failed; the results are removed."""
    times = [NOW]

    def tick() -> datetime:
        times[0] += timedelta(milliseconds=1)
        return times[0]

    monkeypatch.setattr(clock, "_source", tick)
    flow = a_flow(tmp_path, MemoryStore("amended"))
    a_night(flow, tmp_path)
    times[0] += timedelta(days=40)
    keep(flow, "results=30")
    assert not list(flow.store.list(keys.RESULTS))
    assert in_tables(flow.store) == ALL
    return flow


def keep(flow: Flow, days: str) -> None:
    settings = structs.replace(flow.settings, keep_days=days, window="22:00-06:00")
    night = type(flow.night)(settings, flow.store, Schedule(settings, flow.store))
    flow.store.delete(keys.control("retention"))
    retention.retain(night, clock.utc().replace(hour=12))


def in_tables(store: Store, table: str = "documents") -> set[str]:
    return set(listed(store, table))


def listed(store: Store, table: str = "documents") -> list[str]:
    parts = list(store.list(keys.summary_parts(table, DAY)))
    return [
        name for key in parts for name in pq.read_table(io.BytesIO(store.get(key)))["task_id"].to_pylist()
    ]


def redrive(flow: Flow) -> Message:
    (record,) = failures.find(flow.store)
    return Message.of("ingest", failures.redrive(flow.store, record, {}, today=f"{clock.utc():%Y-%m-%d}"))


def late_result(store: Store) -> None:
    """A record that a paused process writes after the others were removed."""
    record = from_json(store.get(keys.failed(DAY, "bad-4")), DocumentResult)
    page = Page(number=1, width=40, height=30)
    late = structs.replace(record, task_id="late-6", status="done", error=None, pages=(page,))
    store.put(keys.result(DAY, "late-6"), digests.encode(late))


def test_a_failure_that_is_redriven_has_no_row_there_any_more(flow: Flow) -> None:
    drain_all(flow, [redrive(flow)])
    assert summarise_due(flow.night, clock.utc()) is not None
    assert in_tables(flow.store) == ALL - {"bad-4"}
    assert not list(flow.store.list(keys.changes(DAY)))
    assert audit(flow.store, DAY).adds_up


def test_what_retention_has_removed_keeps_its_rows(flow: Flow) -> None:
    before = {table: sorted(listed(flow.store, table)) for table in TABLES}
    for task_id in ALL:
        flow.store.put(keys.changed(DAY, task_id, clock.now()), b"")
    flow.store.put(keys.changed(DAY, "tables", clock.now()), b"")
    amend(flow.store, DAY)
    assert {table: sorted(listed(flow.store, table)) for table in TABLES} == before
    assert not list(flow.store.list(keys.changes(DAY)))


def test_with_failures_removed_too_a_failure_keeps_its_row(flow: Flow) -> None:
    keep(flow, "results=30,failures=30")
    assert not list(flow.store.list(keys.FAILED))
    flow.store.put(keys.changed(DAY, "bad-4", clock.now()), b"")
    amend(flow.store, DAY)
    assert in_tables(flow.store) == ALL


def test_a_late_result_gets_a_row_and_is_removed_then(flow: Flow) -> None:
    late_result(flow.store)
    flow.store.put(keys.changed(DAY, "late-6", clock.now()), b"")
    keep(flow, "results=30")
    assert flow.store.exists(keys.result(DAY, "late-6"))  # the tables do not have it yet
    summarise_due(flow.night, clock.utc())
    assert in_tables(flow.store) == ALL | {"late-6"}
    assert "results" in removed.of(flow.store, DAY).begun
    keep(flow, "results=30")
    assert not list(flow.store.list(keys.RESULTS))
    assert removed.of(flow.store, DAY).begun == ()
    assert in_tables(flow.store) == ALL | {"late-6"}


@pytest.mark.parametrize("noted", [True, False])
def test_whenever_it_dies_each_row_is_there_once_afterwards(flow: Flow, noted: bool) -> None:
    before = {key: flow.store.get(key) for key in flow.store.list("")}
    at, died = 0, True
    while died:
        store = MemoryStore(f"dies-{at}")
        for key, data in before.items():
            store.put(key, data)
        late_result(store)
        if noted:
            store.put(keys.changed(DAY, "late-6", clock.now()), b"")
        store.put(keys.changed(DAY, "bad-4", clock.now()), b"")
        dying = PausedStore(store, at, lambda: None, dies=0)
        try:
            amend(dying, DAY)
            died = False
        except Died:
            amend(store, DAY)
        assert sorted(listed(store)) == sorted(ALL | {"late-6"}), dying.calls[-1]
        assert "late-6" in in_tables(store, "pages"), dying.calls[-1]
        assert "results" in removed.of(store, DAY).begun, dying.calls[-1]
        assert not list(store.list(keys.changes(DAY)))
        at += 1
    assert at > 15


def test_a_late_failure_does_not_replace_the_row_of_a_result_that_retention_has_removed(flow: Flow) -> None:
    """Of a process that was paused while it processed the document again: it found no result to stand back for."""
    record = from_json(flow.store.get(keys.failed(DAY, "bad-4")), DocumentResult)
    late = structs.replace(record, task_id="one-1", generation=1)
    flow.store.put(keys.failed(DAY, "one-1", 1), digests.encode(late))
    flow.store.put(keys.changed(DAY, "one-1", clock.now()), b"")
    before = tabled.rows(flow.store, DAY)
    amend(flow.store, DAY)
    amend(flow.store, DAY)
    assert tabled.rows(flow.store, DAY) == before
    assert not flow.store.exists(keys.failed(DAY, "one-1", 1))
    assert not list(flow.store.list(keys.changes(DAY)))


def test_a_redrive_that_died_before_its_note(flow: Flow) -> None:
    flow.store.delete(keys.failed(DAY, "bad-4"))
    amend(flow.store, DAY)
    assert in_tables(flow.store) == ALL - {"bad-4"}


def test_a_late_result_replaces_the_row_of_a_failure_that_retention_has_removed(flow: Flow) -> None:
    record = from_json(flow.store.get(keys.failed(DAY, "bad-4")), DocumentResult)
    keep(flow, "results=30,failures=30")
    late = structs.replace(record, status="done", error=None)
    flow.store.put(keys.result(DAY, "bad-4"), digests.encode(late))
    flow.store.put(keys.changed(DAY, "bad-4", clock.now()), b"")
    amend(flow.store, DAY)
    assert tabled.rows(flow.store, DAY)["bad-4"].status == "done"
    assert sorted(listed(flow.store)) == sorted(ALL)


def test_a_later_one_has_begun(flow: Flow) -> None:
    drain_all(flow, [redrive(flow)])
    assert amend(flow.store, DAY, is_latest=lambda: False) == 0
    assert in_tables(flow.store) == ALL
    assert list(flow.store.list(keys.changes(DAY)))


def test_what_is_forgotten_meanwhile_gets_no_row(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    late_result(flow.store)
    flow.store.put(keys.changed(DAY, "late-6", clock.now()), b"")

    def is_latest() -> bool:
        forgotten.stamp(flow.store, "a run")
        flow.store.delete(keys.result(DAY, "late-6"))
        return True

    amend(flow.store, DAY, is_latest=is_latest)
    assert in_tables(flow.store) == ALL
    assert list(flow.store.list(keys.changes(DAY)))
    amend(flow.store, DAY)
    assert in_tables(flow.store) == ALL
    assert not list(flow.store.list(keys.changes(DAY)))


def test_late_rows_follow_the_last_part(flow: Flow) -> None:
    data = flow.store.get(keys.summary("documents", DAY))
    flow.store.delete(keys.summary("documents", DAY))
    flow.store.put(keys.summary("documents", DAY, 7), data)
    late_result(flow.store)
    amend(flow.store, DAY)
    assert [key[-13:-8] for key in flow.store.list(keys.summary_parts("documents", DAY))] == [
        "00007",
        "00008",
    ]


def test_a_run_for_that_night_has_its_rows_written_by_housekeeping(flow: Flow) -> None:
    late_result(flow.store)
    for later in ("2026-12-28", "2026-12-29", "2026-12-30"):  # as many as are looked at without a note
        flow.store.put(keys.result(later, "late-6"), flow.store.get(keys.result(DAY, "late-6")))
    summarise_due(flow.night, clock.utc())
    assert in_tables(flow.store) == ALL
    with pytest.raises(RunError, match="were removed by retention"):
        summarise(flow.store, DAY)
    summarise_due(flow.night, clock.utc())
    assert in_tables(flow.store) == ALL | {"late-6"}
