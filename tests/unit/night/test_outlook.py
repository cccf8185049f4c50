"""The pace that is noted, and the outlook that is made from it and the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import StoreUnavailable
from pipeline.forecast.measure import Measured
from pipeline.forecast.model import Work
from pipeline.ledger import records
from pipeline.models import DocumentResult, Page
from pipeline.night import pace
from pipeline.night.flow import Flow
from pipeline.night.measures import Measures
from pipeline.night.outlook import outlook
from pipeline.night.pace import Meter, Noted, noted
from pipeline.night.summaries import summarise_due
from pipeline.storage import keys
from pipeline.tables.pace import processed
from pipeline.tables.summary import summarise
from tests.support.command import grey, page
from tests.support.flows import drain, raiser, submission


@pytest.fixture
def at() -> Any:
    """The time, which a test may set."""
    now = [datetime(2026, 11, 23, 23, tzinfo=UTC)]
    clock.take_from(lambda: now[0])
    yield now
    clock.take_from(None)


def result(number: int, done: datetime, run_date: str = "2026-11-22") -> DocumentResult:
    return DocumentResult(
        task_id=f"t{number}",
        sha256="ab" * 32,
        source="x",
        status="done",
        run_date=run_date,
        media_type="image/png",
        pages=tuple(Page(number=n, width=1, height=1) for n in (1, 2)),
        seconds={"ocr": 4.0, "ner": 1.0, "fields": 0.5, "gpu": 4.0},
        first_seen=(done - timedelta(hours=5)).isoformat(),
        done_at=done.isoformat(timespec="milliseconds"),
    )


def a_night(flow: Flow, run_date: str = "2026-11-22", count: int = 40) -> None:
    at = datetime.fromisoformat(f"{run_date}T22:00+00:00")
    for number in range(count):
        records.finish(flow.store, result(number, at + timedelta(seconds=6 * number), run_date))
    summarise(flow.store, run_date)


def test_a_night_is_measured_from_its_table(flow: Flow) -> None:
    a_night(flow)
    found = list(processed(flow.store, "2026-11-22"))
    assert [(one.pages, one.seconds) for one in found] == [(2, 5.5)] * 40
    pace.note_night(flow.night, "2026-11-22")
    (measured,) = noted(flow.store).nights.values()
    assert measured.kinds["ocr"].mean == pytest.approx(2.75)
    assert measured.processes == pytest.approx(5.5 / 6, rel=0.05)


def test_failed_documents_and_texts_do_not_disturb_it(flow: Flow) -> None:
    a_night(flow, count=3)
    bad = structs.replace(
        result(7, datetime(2026, 11, 22, 23, tzinfo=UTC)), status="failed", pages=(), seconds={}
    )
    records.finish(flow.store, bad)
    summarise(flow.store, "2026-11-22")
    assert len(list(processed(flow.store, "2026-11-22"))) == 3


def test_summarising_notes_the_night_and_those_before_it_that_are_missing(flow: Flow) -> None:
    for day in range(13, 23):
        a_night(flow, f"2026-11-{day}", 2)
    flow.store.delete(keys.control(pace.NOTE))
    assert summarise_due(flow.night, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert sorted(noted(flow.store).nights) == [f"2026-11-{day}" for day in range(16, 23)]


@pytest.mark.parametrize("damage", [b"{", b"PAR1", b""])
def test_a_table_that_cannot_be_read_costs_the_pace_only(flow: Flow, damage: bytes) -> None:
    a_night(flow)
    flow.store.put(keys.summary("documents", "2026-11-22"), damage)
    pace.note_night(flow.night, "2026-11-22")
    assert noted(flow.store).nights == {}
    a_night(flow, "2026-11-21", 2)
    pace.note_night(flow.night, "2026-11-21")
    assert list(noted(flow.store).nights) == ["2026-11-21"], "the others are measured all the same"


def test_a_store_that_is_unavailable_fails_no_document(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(flow.night)
    monkeypatch.setattr(flow.store, "put", raiser(StoreUnavailable("away")))
    meter.ended(result(1, datetime.now(UTC)))
    pace.refresh(flow.night, datetime.now(UTC))


def test_a_pace_that_cannot_be_measured_fails_no_document(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Measured, "add", raiser(ValueError("of whatever kind")))
    Measures(flow.night).concluded(result(1, datetime.now(UTC)))


def test_processes_note_what_they_measure_and_housekeeping_adds_it_up(flow: Flow, at: Any) -> None:
    meters = [Meter(flow.night) for _ in range(2)]
    for _ in range(20):
        at[0] += timedelta(seconds=6)
        for meter in meters:
            meter.ended(result(1, at[0]))
    pace.refresh(flow.night, at[0])
    note = noted(flow.store)
    assert note.tonight.all.documents in range(22, 41), "each process notes once a minute"
    assert note.tonight.processes == pytest.approx(2 * 5.5 / 6, rel=0.1)
    written = note.at
    pace.refresh(flow.night, at[0] + timedelta(seconds=30))
    assert noted(flow.store).at == written
    pace.refresh(flow.night, at[0] - timedelta(days=1))
    assert noted(flow.store).at == at[0] - timedelta(days=1), "left by a clock that was ahead"


def test_last_night_counts_before_its_table_is_written() -> None:
    measured = Measured()
    measured.add(
        "ocr", 2, 5.0, seen=None, done=datetime(2026, 11, 22, 23, tzinfo=UTC), opened=lambda a, b: 0.0
    )
    note = Noted(run_date="2026-11-22", tonight=measured)
    assert list(note.past("2026-11-23")) == ["2026-11-22"]
    assert note.rates("2026-11-23").pace("ocr").pages == 2
    assert note.inflow("2026-11-23") == 1.0
    assert note.inflow("2026-11-22") == 0.0


def test_the_outlook_of_an_empty_store(flow: Flow) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    found = outlook(flow.night, now)
    assert (found.documents, found.p50, found.inflow) == (0, now, 0.0)
    assert "Nothing was measured yet" in found.basis


def test_the_outlook_counts_what_waits_and_what_is_assumed(flow: Flow, inbox: Path) -> None:
    for number in range(3):
        messages = flow.reception.accept(
            submission(page(inbox / f"{number}.png", grey(number)), f"t{number}")
        )
        if number:
            for message in messages:
                flow.run(message)
    now = datetime.now(UTC)
    found = outlook(flow.night, now)
    assert (found.documents, found.pages) == (3, 2)
    more = outlook(flow.night, now, added=[Work(lane="normal", kind="ocr", documents=1000, pages=3000)])
    assert (more.documents, more.pages) == (1003, 3002)
    assert found.p50 is not None
    assert more.p50 is not None
    assert more.p50 > found.p50


def test_documents_that_are_done_are_measured(flow: Flow, inbox: Path) -> None:
    drain(flow, flow.reception.accept(submission(page(inbox / "a.png", grey(1)))))
    pace.refresh(flow.night, datetime.now(UTC))
    assert noted(flow.store).tonight.all.documents == 1


def test_a_note_of_another_version_counts_as_none(flow: Flow) -> None:
    flow.store.put(keys.control(pace.NOTE), b'{"nights": 7}')
    assert noted(flow.store) == Noted()
