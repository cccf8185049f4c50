"""`audit`, `summarise`, `window`, `callbacks list`, as far as they need no broker."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline import scratch
from pipeline.cli import seen
from pipeline.cli.window import opening
from pipeline.errors import BrokerRefused, NotFound
from pipeline.ledger import receipts
from pipeline.models import Failure, Task, to_json
from pipeline.night.brake import LIMIT, Brake
from pipeline.night.status import WindowState
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.unit.cli.conftest import DAY, Nightshift, fail


def test_audit_takes_the_last_night_and_names_it(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "a", "2026-11-21")
    fail(store, "b")
    shown = nightshift("audit").output
    assert shown == nightshift("audit", DAY).output == nightshift("audit", "last").output
    assert shown.splitlines()[1:] == [
        f"{DAY}: received 1 = 0 done + 0 partial + 1 failed + 0 pending",
        "Audit passed; content hashes of 1 document compared.",
        "Bytes of 1 document read (1 B): as they were received.",
    ]
    assert "Bytes" not in nightshift("audit", "--quick").output
    assert "No documents were received" in nightshift("audit", "today").output
    receipts.write(store, DAY, [Task(task_id="lost", sha256="ab" * 32, source="x")])
    shown = nightshift("audit", code=4).output
    assert "1 discrepancy" in shown
    assert "+ 1 missing" in shown
    report = json.loads(nightshift("audit", "--json", code=4).output)
    assert (report["adds_up"], [gap["task_id"] for gap in report["gaps"]]) == (False, ["lost"])


def test_audit_of_a_store_without_nights(store: LocalStore, nightshift: Nightshift) -> None:
    store.root.mkdir()
    for command in ("audit", "summarise"):
        assert "no results, failures or receipts" in str(nightshift(command, code=1).exception)


def test_summarise_takes_the_last_night_and_names_it(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "a", "2026-11-21")
    fail(store, "b")
    assert nightshift("summarise").output.splitlines()[:2] == [f"Store  {store.url}", f"Night  {DAY}"]
    figures = json.loads(nightshift("summarise", "2026-11-21", "--json").output)
    assert (figures["run_date"], figures["rows"]["documents"], figures["store"]) == (
        "2026-11-21",
        1,
        store.url,
    )


def test_undelivered_callbacks(store: LocalStore, nightshift: Nightshift) -> None:
    reason = Failure(code="refused", message="https://archive.example/callback answered 404: check the URL.")
    store.put(keys.undelivered(DAY, "a"), to_json(reason))
    shown = nightshift("callbacks", "list").output
    assert "1 undelivered" in shown
    assert "nightshift callbacks resend" in shown
    assert "delivered or is in progress" in nightshift("callbacks", "list", "--run-date", "today").output
    assert "Name the callbacks" in str(nightshift("callbacks", "resend", code=2).exception)


MORNING = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("is_open", "spec", "opens", "closes", "line"),
    [
        (True, "always", None, None, "open at all times (always)"),
        (False, "never", None, None, "closed until opened by hand (never)"),
        (True, "22:00-06:00", MORNING, MORNING, "open (22:00-06:00), closes Sun 2026-11-22 06:00 UTC"),
        (False, "22:00-06:00", MORNING, None, "closed (22:00-06:00), opens Sun 2026-11-22 06:00 UTC"),
    ],
)
def test_the_window_in_one_line(
    is_open: bool, spec: str, opens: datetime | None, closes: datetime | None, line: str
) -> None:
    state = WindowState(open=is_open, spec=spec, timezone="UTC", next_open=opens, next_close=closes)
    assert opening(state, ZoneInfo("UTC")) == line


def test_a_window_without_schedule_says_what_follows(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.root.mkdir()
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "always")
    shown = nightshift("window").output
    assert "open at all times" in shown
    assert "After that  open at all times" in nightshift("window", "close", "--until", "03:00").output
    assert "nightshift window clear" in nightshift("window").output
    assert nightshift("window", "clear").output.splitlines()[1:] == shown.splitlines()[1:]
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "never")
    shown = nightshift("window").output
    assert "closed until opened by hand" in shown
    assert "After that  closed until" in nightshift("window", "open", "--until", "03:00").output
    assert "never" not in shown.replace("(never)", ""), "no moment called never"


def test_a_paused_step_is_shown_and_released(store: LocalStore, nightshift: Nightshift) -> None:
    store.root.mkdir()
    assert "No step is paused" in nightshift("brake", "show").output
    assert "Step ingest is not paused" in str(nightshift("brake", "release", "ingest", code=2).exception)
    brake = Brake(store)
    for _ in range(LIMIT):
        brake.failed("ingest", NotFound("file:///inbox/a.png not found."))
    shown = nightshift("brake", "show").output
    assert "ingest: paused for 0 min, as documents in a row fail (not_found)" in shown
    assert "for example: file:///inbox/a.png not found." in shown
    assert json.loads(nightshift("brake", "show", "--json").output)["paused"][0]["code"] == "not_found"
    assert (
        "fail with not_found are recorded as failed until" in nightshift("brake", "release", "ingest").output
    )
    assert "ingest: released by hand" in nightshift("brake", "show").output


def test_what_people_do_is_listed(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "a")
    nightshift("window", "open", "--until", "03:00")
    nightshift("window", "clear")
    nightshift("failed", "discard", "--task-id", "a", "--reason", "of Mr Mueller")
    listed = json.loads(nightshift("actions", "--json").output)
    assert [entry["action"] for entry in listed["actions"]] == [
        "window.open",
        "window.clear",
        "failed.discard",
    ]
    assert listed["actions"][2]["detail"] == {"failures": "1"}
    assert "Mueller" not in json.dumps(listed)
    one = json.loads(nightshift("actions", "--json", "--task-id", "a").output)["actions"]
    assert [entry["action"] for entry in one] == ["failed.discard"]
    assert "window.clear" in nightshift("actions", "--since", "yesterday").output
    (first, *_) = store.list("actions/")
    store.delete(first)
    assert "is missing" in nightshift("actions", code=4).output


def test_nothing_is_recorded_that_was_not_done(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "a")
    nightshift("brake", "release", "ocr", code=2)
    assert "No actions" in nightshift("actions").output


def test_status_leaves_out_what_a_monitor_may_not_ask(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(store, "a")

    def refuse(_: object) -> None:
        raise BrokerRefused("no permission")

    monkeypatch.setattr(seen, "_queues", lambda _: {"ocr": 2, "dead": 1})
    monkeypatch.setattr(seen, "_workers", refuse)
    monkeypatch.setattr(seen, "_unknown_letters", refuse)
    shown = nightshift("status", code=7).output
    assert "Dead       1 message; this RabbitMQ user may not read them" in shown
    assert "Workers    not shown: this RabbitMQ user may not ask them" in shown
    found = json.loads(nightshift("status", "--json", code=7).output)
    assert (found["broker"], found["workers"], found["unknown_dead_letters"]) == ("up", None, None)


@pytest.mark.parametrize("command", [("audit", DAY), ("forget", "--task-id", "a", "--dry-run")])
def test_temporary_files_are_where_the_setting_says(
    nightshift: Nightshift,
    store: LocalStore,
    tmp_path: Path,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.put(keys.control("x"), b"")
    monkeypatch.setattr(scratch, "_own", None)  # as in a process that has just started
    monkeypatch.setenv("NIGHTSHIFT_TEMP_DIR", str(tmp_path / "missing"))
    assert str(tmp_path / "missing") in str(nightshift(*command, code=2).exception)
