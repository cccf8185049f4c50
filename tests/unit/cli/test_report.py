"""`nightshift report`: what it prints, where the page is, and what it leaves alone."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from pipeline import clock
from pipeline.ledger import removed, timeline
from pipeline.report import due, written
from pipeline.report.text import columns
from pipeline.storage import Store, keys
from pipeline.storage.local import LocalStore
from pipeline.tables.summary import summarise
from tests.support.reports import finish, night_of, receive, sample
from tests.unit.cli.conftest import DAY, Nightshift, fail
from tests.unit.report.conftest import plain_page


@pytest.fixture(autouse=True)
def _without_a_page_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "as_html", plain_page)
    monkeypatch.setattr("pipeline.reader.start", lambda _: None)


@pytest.fixture
def night(store: LocalStore) -> Store:
    (task,) = receive(store, DAY, "one")
    finish(store, task)
    fail(store, "b")
    summarise(store, DAY)
    return store


def test_it_prints_verdict_numbers_and_what_to_do_in_80_columns(night: Store, nightshift: Nightshift) -> None:
    shown = nightshift("report").output
    lines = shown.splitlines()
    assert (
        lines[:3]
        == [
            f"Store  {night.url}",
            f"Night {DAY}",
            "All 2 ended by 2026-11-23 04:52, 68 min before close: 1 done, 0 partial, 1 failed.",
        ]
        or lines[1] == f"Night {DAY}"
    )
    assert [line.split()[-1] for line in lines if line.startswith("  ")][:5] == ["2", "1", "1", "0", "2"]
    assert f"    nightshift failed redrive --run-date {DAY} --code over_limit" in lines
    assert lines[-1] == f"Page  {night.url}/reports/run_date={DAY}/index.html"
    body = [line for line in lines if not line.startswith(("Store", "Page", "    nightshift"))]
    assert max(map(columns, body)) <= 80
    assert night.exists(keys.report(DAY, "index.html"))


def test_in_chinese(night: Store, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = nightshift("report", "--language", "zh").output
    assert "接收" in shown
    assert max(columns(line) for line in shown.splitlines()[1:-1] if "nightshift" not in line) <= 80
    assert b"<html lang=zh>" in night.get(keys.report(DAY, "index.html"))
    monkeypatch.setenv("NIGHTSHIFT_REPORT_LANGUAGE", "zh")
    assert nightshift("report").output == shown


def test_as_json_its_counts_are_those_of_the_audit(night: Store, nightshift: Nightshift) -> None:
    found = json.loads(nightshift("report", "--json").output)
    counts = json.loads(nightshift("audit", "--json").output)
    assert found == json.loads(night.get(keys.report(DAY, "report.json")))
    for name in ("received", "done", "partial", "failed", "pending", "forgotten"):
        assert found["audit"][name] == counts[name], name


def test_a_file_for_people(
    night: Store, nightshift: Nightshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, opened = tmp_path / "night.html", list[str]()
    monkeypatch.setattr("typer.launch", opened.append)
    shown = nightshift("report", DAY, "--out", page, "--open").output
    assert page.read_text().startswith("<!doctype html>")
    assert opened == [page.as_uri()]
    assert shown.splitlines()[-1] == f"Page  {page}"
    assert "can't be written" in str(nightshift("report", "--out", tmp_path / "no" / "x", code=2).exception)


def test_a_night_without_its_records_keeps_its_report(night: Store, nightshift: Nightshift) -> None:
    nightshift("report")
    before = night.get(keys.report(DAY, "report.json"))
    removed.note(night, DAY, "results", "2026-12-01")
    nightshift("report")
    assert night.get(keys.report(DAY, "report.json")) == before
    night.delete(keys.report(DAY, "report.json"))
    assert "Night" in nightshift("report").output
    assert not night.exists(keys.report(DAY, "report.json"))


def test_in_an_encrypted_store(night: Store, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", "a:" + "A" * 43 + "=")
    assert "nightshift cat KEY" in nightshift("report").output
    key = keys.report(DAY, "index.html")
    assert b"one" not in night.get(key)
    assert nightshift("cat", key).output.startswith("<!doctype html>")


def test_a_day_without_a_night(store: LocalStore, night: Store, nightshift: Nightshift) -> None:
    fail(store, "earlier", "2026-11-20")
    assert "Nothing was received." in nightshift("report", "2026-11-21").output
    for text in ("soon", "0001-01-01", "9999-12-31"):
        assert "not a valid run date" in str(nightshift("report", text, code=2).exception)


def test_no_report_of_a_night_before_the_first_or_that_has_not_begun(
    night: Store, nightshift: Nightshift
) -> None:
    later = (date.fromisoformat(night_of(night).schedule.run_date()) + timedelta(days=1)).isoformat()
    for day in ("2030-01-01", later):
        said = str(nightshift("report", day, code=2).exception)
        assert said == f"The night of {day} has not begun: there is nothing to report yet."
        assert not night.exists(keys.report(day, "index.html"))
    said = str(nightshift("report", "2026-11-01", code=2).exception)
    assert said == f"{night.url} has no night of 2026-11-01: the first is {DAY}."
    assert not night.exists(keys.report("2026-11-01", "index.html"))


def test_no_report_of_a_store_without_a_night(store: LocalStore, nightshift: Nightshift) -> None:
    store.root.mkdir()
    assert "there is none yet" in str(nightshift("report", "2026-11-01", code=2).exception)


def test_the_last_night_may_be_an_empty_one(night: Store, nightshift: Nightshift) -> None:
    closed = due.last_closed(night_of(night), clock.utc())
    assert closed is not None
    assert f"Night {DAY}" in nightshift("report").output
    timeline.write(night, closed, structs.replace(sample("2026-11-23T02:10"), backlog_documents=0))
    shown = nightshift("report").output
    assert f"Night {closed}" in shown
    assert "Nothing was received." in shown


def test_folders_that_nightshift_did_not_make_are_no_nights(night: Store, nightshift: Nightshift) -> None:
    for prefix in (keys.REPORTS, keys.TIMELINE, keys.RESULTS, f"{keys.SUMMARY}documents/"):
        night.put(f"{prefix}run_date=0/x", b"x")
        night.put(f"{prefix}run_date=unknown/x", b"x")
    assert f"Night {DAY}" in nightshift("report").output


def test_the_first_night_may_be_an_empty_one(store: LocalStore, nightshift: Nightshift) -> None:
    closed = due.last_closed(night_of(store), clock.utc())
    assert closed is not None
    timeline.write(store, closed, sample("2026-11-23T02:10"))
    assert f"Night {closed}" in nightshift("report").output
