"""`nightshift failed`, as far as it needs no broker."""

import json

import pytest

from pipeline.errors import OverLimit
from pipeline.ledger import records
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.unit.cli.conftest import DAY, Nightshift, fail

LONG = "contract_2026_scan_0001_pdf-0123456789abcdef0123456789abcdef"


def test_nothing_failed(store: LocalStore, nightshift: Nightshift) -> None:
    store.root.mkdir()
    assert nightshift("failed", "list").output == f"Store  {store.url} (empty)\nNothing failed.\n"


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_lists_show_whole_ids_and_whole_reasons(
    columns: str, store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    task = fail(store, LONG)
    for args in ([], ["--code", "over_limit"], ["--run-date", DAY, "--code", "over_limit"]):
        shown = nightshift("failed", "list", *args).output
        words = shown.split()
        assert LONG in words
        assert "split it [or raise the limit]." in " ".join(words) or columns == "120"
        assert "…" not in shown
        assert "nightshift failed show" in shown
        assert "status" in words[-1]
    assert task.source in nightshift("failed", "show", LONG).output.split()


def test_show_takes_a_unique_prefix(store: LocalStore, nightshift: Nightshift) -> None:
    for name in ("scan-1", "scan-10", "scan-2", "letter"):
        fail(store, name)
    error = OverLimit("x")
    records.fail(store, fail(store, "scan-3", "2026-11-23"), error, run_date=DAY, settings_digest="")
    for prefix, whole in (("let", "letter"), ("scan-1", "scan-1"), ("scan-2", "scan-2")):
        found = json.loads(nightshift("failed", "show", prefix, "--json").output)
        assert [one["task_id"] for one in found["failures"]] == [whole]
        assert found["store"] == store.url
    both = json.loads(nightshift("failed", "show", "scan-3", "--json").output)
    assert len(both["failures"]) == 2, "one id, failed in two nights, is not ambiguous"
    said = str(nightshift("failed", "show", "scan", code=2).exception)
    assert said == "4 failed tasks begin with scan: scan-1, scan-10, scan-2, scan-3; type more of the id."
    night = nightshift("failed", "show", "scan", "--run-date", "2026-11-23").output
    assert "scan-3" in night, "one night's only"
    assert "No failure of nobody" in str(nightshift("failed", "show", "nobody", code=1).exception)


def test_discard_by_date_words_and_filters(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "old", "2026-11-21")
    fail(store, "new", "2026-11-22")
    assert "Name the failures" in str(nightshift("failed", "discard", code=2).exception)
    shown = nightshift("failed", "discard", "--run-date", "last", "--reason", "duplicate").output
    assert shown.splitlines() == [f"Store  {store.url}", "1 discarded."]
    groups = json.loads(nightshift("failed", "list", "--json").output)["groups"]
    assert {g["code"]: g["task_id"] for g in groups} == {"discarded": "new", "over_limit": "old"}
    assert json.loads(nightshift("failed", "discard", "--all", "--json").output)["discarded"] == 1
    assert len(list(store.list(keys.FAILED))) == 2
