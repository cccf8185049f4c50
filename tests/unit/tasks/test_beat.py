"""Beat ticks by the monotonic clock, whatever happens to the other one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

import celeryconfig
from tasks import beat


@pytest.fixture
def scheduler() -> tuple[Any, list[str]]:
    app, sent = Celery(set_as_current=False), list[str]()
    it: Any = beat.Scheduler(app=app, schedule_filename="nowhere/at-all", lazy=True)
    entry = {"task": "nightshift.tick", "schedule": 30.0}
    it.schedule = {"tick": it._maybe_entry("tick", entry)}
    it.producer = None
    it.apply_entry = lambda entry, producer=None: sent.append(entry.name)
    return it, sent


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)], ids=["back", "ahead"])
def test_a_clock_that_is_set_neither_stops_nor_doubles_the_ticks(
    scheduler: tuple[Any, list[str]], monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    it, sent = scheduler
    passed, set_by = 0.0, timedelta()
    monkeypatch.setattr(beat, "time", SimpleNamespace(monotonic=lambda: passed))
    monkeypatch.setattr(Celery, "now", lambda _: datetime(2026, 11, 22, tzinfo=UTC) + set_by)
    monkeypatch.setattr("celery.schedules.BaseSchedule.now", lambda self: self.app.now())
    while passed < 301:
        passed += max(it.tick(), 0.01)
        if passed > 100:
            set_by = jump
    assert len(sent) == 10


def test_beat_keeps_no_file() -> None:
    assert celeryconfig.beat_scheduler == "tasks.beat:Scheduler"
    assert "expires" not in str(celeryconfig.beat_schedule), "it would compare the clocks of two machines"
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(("error", "traceback"), [(OSError("gone"), False), (KeyError("x"), True)])
def test_beat_says_in_one_line_that_the_broker_is_away(
    error: Exception, traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    it = beat.Scheduler(app=Celery(set_as_current=False), lazy=True)

    def fail(*_: object, **__: object) -> None:
        raise error

    entry: Any = it._maybe_entry("tick", {"task": "not.one.of.ours", "schedule": 30.0})
    it.send_task = fail
    it.apply_entry(entry)
    (record,) = caplog.records
    assert record.getMessage().startswith("Couldn't apply scheduled task tick: ")
    assert bool(record.exc_info) is traceback
