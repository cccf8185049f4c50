"""`nightshift forecast`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.forecast.measure import Measured
from pipeline.ledger import pending
from pipeline.models import Task, to_json
from pipeline.night.pace import NOTE, Noted
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.unit.cli.conftest import Nightshift


def test_an_empty_store(store: LocalStore, nightshift: Nightshift) -> None:
    store.put("nights/x", b"")
    shown = nightshift("forecast").output
    assert "nothing is waiting" in shown
    assert "assumes 2 s per page" in " ".join(shown.split())
    found = json.loads(nightshift("forecast", "--json").output)
    assert (found["documents"], found["left_p50"], found["nights"], found["added"]) == (0, 0, 0, None)


@pytest.mark.parametrize("window", ["never", "always", "22:00-06:00"])
def test_what_waits_and_what_is_added(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch, window: str
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", window)
    pending.mark(
        store, Task(task_id="a", sha256="ab" * 32, source="x", media_type="application/pdf", pages=7)
    )
    pending.mark(store, Task(task_id="b", sha256=None, source="x"))
    shown = nightshift("forecast", "--add", "40000", "--pages", "3").output
    assert "Waiting    2 documents, 7 known pages" in shown
    assert "With 40,000 more documents of 3 pages:" in shown
    assert "Waiting    40,002 documents, 120,007 known pages" in shown
    assert ("not within a year" in shown) == (window == "never")
    found = json.loads(nightshift("forecast", "--add", "40000", "--json").output)
    assert (found["documents"], found["added"]["documents"], found["added"]["pages_each"]) == (2, 40002, None)
    assert (found["p90"] is None) == (window == "never")


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_it_fits_the_terminal(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    pending.mark(store, Task(task_id="b", sha256=None, source="x"))
    lines = nightshift("forecast", "--add", "99999999").output.splitlines()
    below = lines[next(n for n, line in enumerate(lines) if line.startswith("Waiting")) :]
    assert not [line for line in below if len(line) > int(columns)]


def test_it_says_from_what_it_is_made(store: LocalStore, nightshift: Nightshift) -> None:
    measured = Measured()
    for _ in range(50):
        measured.add(
            "ocr", 2, 3.0, seen=None, done=datetime(2026, 11, 22, tzinfo=UTC), opened=lambda a, b: 0.0
        )
    store.put(keys.control(NOTE), to_json(Noted(nights={"2026-11-22": measured})))
    pending.mark(store, Task(task_id="b", sha256=None, source="x"))
    shown = " ".join(nightshift("forecast").output.split())
    assert "Measured on 50 documents of 1 night: 1.5 s per page of one process." in shown
    assert "new documents a day, as before" in shown


@pytest.mark.parametrize("wrong", [("--add", "-1"), ("--add", "many"), ("--add", "5", "--pages", "-2")])
def test_wrong_numbers(nightshift: Nightshift, wrong: tuple[str, ...]) -> None:
    nightshift("forecast", *wrong, code=2)
