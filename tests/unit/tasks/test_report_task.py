"""The task that beat sends for the morning report."""

import logging
from typing import Any

import pytest

import celeryconfig
from pipeline.errors import BrokerUnavailable, RunError, StoreUnavailable
from pipeline.night.dead import Letter
from pipeline.report import delivery, due
from tasks import dead, housekeeping
from tasks.app import app
from tasks.base import log
from tests.support.flows import raiser


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_reported", float("-inf"))
    monkeypatch.setattr(housekeeping, "flow", lambda: app)
    monkeypatch.setattr(app, "night", None, raising=False)


def test_beat_sends_it_apart_from_the_ticks() -> None:
    entry: Any = celeryconfig.beat_schedule["report"]
    assert entry["task"] == housekeeping.report.name
    assert entry["options"] == {"queue": "housekeeping"}


def test_it_writes_then_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    monkeypatch.setattr(due, "write_due", lambda *_: did.append("write"))
    monkeypatch.setattr(delivery, "send_due", lambda *_: did.append("send"))
    housekeeping.report()
    housekeeping.report()
    assert did == ["write", "send"], "one that follows at once has nothing to do"


@pytest.mark.parametrize(
    ("error", "level"),
    [(StoreUnavailable("Gone."), logging.WARNING), (RunError("Denied."), logging.ERROR)],
)
def test_what_fails_is_one_line(
    error: Exception, level: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, log.name)
    monkeypatch.setattr(due, "write_due", raiser(error))
    housekeeping.report()
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (level, None)


def test_only_letters_that_belong_to_no_document_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [
        Letter(id="1", code="not_ours", reason="It was sent by another.", ours=False),
        Letter(id="2", code="over_limit", reason="Too large.", ours=True, task_id="a"),
        Letter(id="3", code="bad_message", reason="No id.", ours=True),
    ]

    def sweep(_: Any, remove: Any, **__: Any) -> None:
        assert not any(remove(dead.Found(letter, b"", {})) for letter in letters), "all of them stay"

    monkeypatch.setattr(dead, "sweep", sweep)
    assert [(one.code, one.count) for one in housekeeping._strangers(app)] == [
        ("bad_message", 1),
        ("not_ours", 1),
    ]
    monkeypatch.setattr(dead, "sweep", raiser(BrokerUnavailable("Gone.")))
    assert housekeeping._strangers(app) == []
