"""How past forecasts are judged: by the first of a night that was noted half an hour after the opening."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from pipeline.forecast import errors
from pipeline.ledger import records, timeline
from pipeline.ledger.timeline import Sample
from pipeline.models import DocumentResult
from pipeline.night import hindsight, pace
from pipeline.night.flow import Flow
from pipeline.night.pace import noted
from pipeline.storage import keys
from pipeline.tables.summary import summarise

DAY, NEXT = "2026-11-22", "2026-11-23"
OPENED = datetime(2026, 11, 22, 21, tzinfo=UTC)
LOOKED = OPENED + timedelta(minutes=30)


def end(flow: Flow, name: str, done: datetime, run_date: str = DAY, seen: datetime | None = None) -> None:
    record = DocumentResult(
        task_id=name,
        sha256=None,
        source="x",
        status="failed" if name.startswith("bad") else "done",
        run_date=run_date,
        first_seen=(seen or OPENED - timedelta(hours=3)).isoformat(),
        done_at=done.isoformat(timespec="milliseconds"),
    )
    records.finish(flow.store, record)


def sample(flow: Flow, minutes: int, *, backlog: int = 3, is_open: bool = True, hours: float = 1.0) -> None:
    at = OPENED + timedelta(minutes=minutes)
    one = Sample(
        at=at,
        window_open=is_open,
        backlog_documents=backlog,
        backlog_pages=backlog,
        p50=at + timedelta(hours=hours),
        p90=at + timedelta(hours=2 * hours),
        spread=0.5,
    )
    timeline.write(flow.store, DAY, one)


@pytest.fixture
def judged(flow: Flow) -> Flow:
    """Samples from five minutes before the opening on; three documents wait at the one that is judged."""
    sample(flow, -5, is_open=False, backlog=9)
    for minutes in range(0, 60, 5):
        sample(flow, minutes, backlog=3 if minutes == 30 else 9, hours=1.0 if minutes == 30 else 7.0)
    end(flow, "before", LOOKED - timedelta(minutes=1))
    end(flow, "later", LOOKED + timedelta(hours=5), seen=LOOKED + timedelta(minutes=1))
    end(flow, "one", LOOKED + timedelta(hours=1))
    end(flow, "bad", LOOKED + timedelta(hours=1))
    return flow


def test_it_is_known_when_as_many_have_ended_as_waited(judged: Flow) -> None:
    summarise(judged.store, DAY)
    assert hindsight.error_of(judged.night, DAY, [DAY]) is None, "one still waits"
    end(judged, "two", LOOKED + timedelta(hours=2))
    summarise(judged.store, DAY)
    found = hindsight.error_of(judged.night, DAY, [DAY])
    assert found == pytest.approx(errors.error(3600.0, 7200.0, 0.5))


def test_what_ended_on_a_later_night_counts(judged: Flow) -> None:
    end(judged, "two", LOOKED + timedelta(hours=24), NEXT)
    for night in (DAY, NEXT):
        summarise(judged.store, night)
    assert hindsight.error_of(judged.night, DAY, [DAY]) is None
    found = hindsight.error_of(judged.night, DAY, [DAY, NEXT])
    assert found == pytest.approx(errors.error(3600.0, 24 * 3600.0, 0.5)), "the window is always open"


def test_it_is_noted_once_and_counts_from_the_next_night_on(judged: Flow) -> None:
    end(judged, "two", LOOKED + timedelta(hours=2))
    summarise(judged.store, DAY)
    pace.note_night(judged.night, DAY)
    (found,) = noted(judged.store).errors.values()
    assert found > 1
    assert noted(judged.store).rates(NEXT).errors == (found,)
    assert noted(judged.store).rates(DAY).errors == ()
    for key in list(judged.store.list(keys.timeline(DAY))):
        judged.store.delete(key)
    pace.note_night(judged.night, DAY)
    assert noted(judged.store).errors == {DAY: found}


@pytest.mark.parametrize("change", [{"spread": 0.0}, {"p50": None}, {"window_open": False}])
def test_without_a_forecast_there_is_nothing_to_judge(judged: Flow, change: dict[str, object]) -> None:
    end(judged, "two", LOOKED + timedelta(hours=2))
    summarise(judged.store, DAY)
    for one in timeline.samples(judged.store, DAY):
        timeline.write(judged.store, DAY, structs.replace(one, **change))
    assert hindsight.error_of(judged.night, DAY, [DAY]) is None


def test_a_deadline_is_measured_as_served_first(flow: Flow) -> None:
    for number, deadline in enumerate(("", "2026-11-23T05:00:00.000+00:00")):
        record = DocumentResult(
            task_id=f"t{number}",
            sha256=None,
            source="x",
            status="done",
            run_date=DAY,
            deadline=deadline,
            seconds={"ocr": 4.0},
            first_seen=OPENED.isoformat(),
            done_at=(OPENED + timedelta(minutes=number)).isoformat(timespec="milliseconds"),
        )
        records.finish(flow.store, record)
    summarise(flow.store, DAY)
    pace.note_night(flow.night, DAY)
    assert noted(flow.store).rates(NEXT).first == 4.0
