"""What the exporter finds in a store, and makes of a backlog and a forecast."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import RunError
from pipeline.exporter import work
from pipeline.exporter.store import open_cases, vitals
from pipeline.exporter.work import left
from pipeline.forecast.model import Forecast
from pipeline.ledger import pending
from pipeline.ledger.counters import Amount, Backlog
from pipeline.models import Task, to_json
from pipeline.night import recount
from pipeline.night.brake import Braked
from pipeline.night.housekeeping import tick
from pipeline.night.night import Night
from pipeline.night.repair import Queued
from pipeline.night.summaries import Look
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.s3_answers import seconds_ahead
from pipeline.telemetry.metrics import METRICS
from tests.support.counted import Asked
from tests.support.flows import flow_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LABELS = {metric.name: len(metric.labels) for metric in METRICS if metric.by == "exporter"}


@pytest.fixture
def night(tmp_path: Path) -> Night:
    made = flow_of(Settings.from_env({}, store_url=str(tmp_path / "store"), window="22:00-06:00")).night
    made.store.put(keys.control("probe"), b"")
    return made


@pytest.fixture(autouse=True)
def _noon() -> object:
    clock.take_from(lambda: NOW)
    yield
    clock.take_from(None)


def test_an_empty_store_has_a_window_and_no_stamps(night: Night) -> None:
    found = vitals(night)
    assert found["nightshift_window_open", ()] == 0.0
    assert found["nightshift_window_opens_in_seconds", ()] == 10 * 3600
    assert found["nightshift_window_closes_in_seconds", ()] == 0.0
    assert found["nightshift_clock_skew_seconds", ()] == 0.0
    assert {value for (name, _), value in found.items() if name == "nightshift_brake"} == {0.0}
    assert not any("timestamp" in name for name, _ in found)
    for name, labels in found:
        assert LABELS[name] == len(labels), name


def test_a_store_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    nowhere = Settings.from_env({}, store_url=str(tmp_path / "not mounted"))
    with pytest.raises(RunError, match="No store found"):
        vitals(Night.of(nowhere))


def test_an_open_window(night: Night) -> None:
    clock.take_from(lambda: NOW + timedelta(hours=11))
    found = vitals(night)
    assert found["nightshift_window_open", ()] == 1.0
    assert found["nightshift_window_closes_in_seconds", ()] == 7 * 3600
    assert found["nightshift_window_opens_in_seconds", ()] == 0.0


def test_the_last_tick_and_the_last_look_at_a_night(night: Night) -> None:
    tick(night, Queued, lambda _: None)
    ends = {"2026-02-27": 3, "2026-02-28": 1}
    for run_date, hours in ends.items():
        look = Look(at=NOW - timedelta(hours=hours))
        night.store.put(keys.night(run_date, "summarised"), to_json(look))
    begun = Look(at=NOW, begun=True)
    night.store.put(keys.night("2026-03-01", "summarised"), to_json(begun))
    found = vitals(night)
    assert found["nightshift_last_tick_timestamp_seconds", ()] == NOW.timestamp()
    assert found["nightshift_last_summary_timestamp_seconds", ()] == (NOW - timedelta(hours=1)).timestamp()


def test_a_paused_step(night: Night) -> None:
    note = Braked(step="ocr", code="x", since=NOW, until=NOW + timedelta(minutes=3))
    night.store.put(keys.brake("ocr"), to_json(note))
    found = vitals(night)
    assert (found["nightshift_brake", ("ocr",)], found["nightshift_brake", ("ner",)]) == (1.0, 0.0)


def test_what_waits_for_a_person_is_what_was_counted(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    store = night.store
    for n in range(5):
        store.put(keys.failed("2026-02-28", f"t{n}"), b"{}")
    store.put(keys.discarded(keys.failed("2026-02-28", "t0")), b"")
    store.put(keys.undelivered("2026-02-28", "t1"), b"{}")
    store.put(keys.failed_again("2026-02-28", "t9"), b"{}")
    for name, day, priority in (("a", "2026-02-27", 5), ("b", "2026-02-27", 0), ("c", "2026-03-02", 5)):
        at = f"{day}T04:00:00+00:00"
        task = Task(task_id=name, sha256=None, source="x", media_type="image/png", deadline=at)
        pending.mark(store, structs.replace(task, priority=priority))
    assert open_cases(night) == {}, "nothing was counted yet"
    monkeypatch.setattr(recount, "SETTLE", 0.0)
    recount.recount(night)
    asked = Asked(store)
    found = open_cases(Night(night.settings, asked, night.schedule))
    assert all(LABELS[name] == len(labels) for name, labels in found)
    assert found == {
        ("nightshift_failures_open", ()): 4.0,
        ("nightshift_reprocessing_failures_open", ()): 1.0,
        ("nightshift_callbacks_undelivered", ()): 1.0,
        ("nightshift_overdue_documents", ()): 1.0,
    }
    assert asked.listed == [keys.COUNTERS]


def test_discrepancies_are_those_of_the_newest_readable_report(night: Night) -> None:
    counts = dict.fromkeys(("received", "done", "partial", "failed", "pending", "forgotten"), 0)
    for run_date, found in (("2026-02-26", {"lost": 9}), ("2026-02-27", {"lost": 2, "doubled": 1})):
        report = {"run_date": run_date, "audit": {**counts, "discrepancies": found}, "looks": []}
        night.store.put(keys.report(run_date, "report.json"), msgspec.json.encode(report))
    night.store.put(keys.report("2026-02-28", "report.json"), b"cut off")
    night.store.put(keys.report("2026-02-28", "index.html"), b"")
    assert open_cases(night)["nightshift_ledger_discrepancies", ()] == 3.0


def test_backlog_and_forecast(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    assert left(night) == {}, "nothing was counted yet"
    backlog = Backlog(
        by={"urgent|ocr": Amount(1, 2), "normal|ocr": Amount(10, 30), "normal|text": Amount(5, 5)},
        recounted=NOW,
        as_of=NOW,
    )
    forecast = Forecast(
        at=NOW,
        documents=16,
        pages=37,
        p50=NOW + timedelta(hours=11),
        p90=None,
        close=None,
        left_p50=0,
        left_p90=4,
        nights=1,
        inflow=0.0,
        pages_a_second=1.0,
        basis="",
    )
    counted = SimpleNamespace(recounted=NOW, backlog=lambda: backlog)
    monkeypatch.setattr("pipeline.exporter.work.counters.read", lambda _: counted)
    monkeypatch.setattr(work, "outlook", lambda *_, **__: forecast)
    found = left(night)
    assert found["nightshift_pending_documents", ("normal",)] == 15.0
    assert found["nightshift_pending_pages", ("normal",)] == 35.0
    assert found["nightshift_pending_documents", ("backfill",)] == 0.0
    assert found["nightshift_oldest_pending_seconds", ("backfill",)] == 0.0
    assert ("nightshift_oldest_pending_seconds", ("normal",)) not in found, "its age is not known"
    assert found["nightshift_forecast_done_in_seconds", ("0.5",)] == 11 * 3600
    assert ("nightshift_forecast_done_in_seconds", ("0.9",)) not in found
    assert found["nightshift_forecast_left_documents", ("0.9",)] == 4.0
    backlog = structs.replace(backlog, oldest={"normal": "2026-03-01T11:00:00+00:00"})
    assert left(night)["nightshift_oldest_pending_seconds", ("normal",)] == 3600
    for name, labels in found:
        assert LABELS[name] == len(labels), name


def test_the_clock_of_a_server_is_compared_with_ours() -> None:
    assert seconds_ahead("Sun, 01 Mar 2026 11:59:00 GMT", NOW) == 59.5
    assert seconds_ahead("Sun, 01 Mar 2026 12:01:00 GMT", NOW) == -60.5
    assert seconds_ahead("yesterday", NOW) is None
