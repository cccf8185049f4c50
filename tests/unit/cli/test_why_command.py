"""`nightshift why` as it is printed: 80 columns, choices, JSON, and what is not found. The broker is replaced."""

import json

import pytest

from pipeline.ledger import claims, pending
from pipeline.models import Task
from pipeline.night.why.model import AtBroker
from pipeline.storage.local import LocalStore
from tasks import seen
from tests.unit.cli.conftest import DAY, Nightshift, fail

SUBMITTED = "2026-11-22T12:00:00.000+00:00"


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = AtBroker(trouble="RabbitMQ at amqp://a.example does not answer.")
    monkeypatch.setattr(seen, "seen", lambda *_, **__: gone)
    monkeypatch.setenv("NIGHTSHIFT_WINDOW", "never")


def wait(store: LocalStore, task_id: str) -> None:
    claims.claim(store, task_id, "ab" * 6, DAY)
    pending.mark(
        store,
        Task(
            task_id=task_id,
            sha256="ab" * 32,
            source=f"file:///inbox/{task_id}.png",
            media_type="image/png",
            pages=1,
            submitted_at=SUBMITTED,
        ),
    )


def test_it_says_where_a_document_is_in_80_columns(store: LocalStore, nightshift: Nightshift) -> None:
    wait(store, "invoice-0423")
    shown = nightshift("why", "invoice-0423").output
    assert max(map(len, shown.splitlines())) <= 80 + len(store.url)
    assert "Task      invoice-0423\n          Waits for the window, which only opens by hand.\n" in shown
    assert "Command   nightshift window open --until 03:00\n" in shown
    assert "Broker    RabbitMQ at amqp://a.example does not answer." in shown
    assert "Sun 2026-11-22 12:00 UTC  received for the night of 2026-11-22" in shown
    assert nightshift("why", "invoice-0").output == shown, "the beginning is enough"
    assert "An older record" not in shown, "it has none"
    said = json.loads(nightshift("why", "invoice-0423", "--json").output)
    assert (said["state"], said["queue"], said["broker"][:8]) == ("window_closed", "ocr", "RabbitMQ")


def test_several_matches_are_a_choice(store: LocalStore, nightshift: Nightshift) -> None:
    wait(store, "invoice-0423")
    wait(store, "invoice-0424")
    done = nightshift("why", "invoice", code=2)
    assert "invoice-0423" in done.output
    assert "invoice-0424" in done.output
    assert str(done.exception) == '2 documents match "invoice": give the id of one of them.'
    assert "TASK is empty" in str(nightshift("why", " ", code=2).exception)
    listed = json.loads(nightshift("why", "invoice", "--json", code=2).stdout)
    assert [one["task_id"] for one in listed["matches"]] == ["invoice-0423", "invoice-0424"]


def test_a_file_name_finds_a_failure(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "scan-1")
    for wanted in ("scan-1.pdf", "inbox/scan-1.pdf"):
        shown = nightshift("why", wanted, "--days", 10_000).output
        assert "Failed in the night of 2026-11-22 (over_limit)." in shown
        assert "nightshift failed redrive --task-id scan-1" in shown


def test_what_was_never_received(store: LocalStore, nightshift: Nightshift) -> None:
    wait(store, "invoice-0423")
    said = str(nightshift("why", "invoice-0432", code=1).exception)
    assert said == (
        '"invoice-0432" was never received here, or not in the last 14 days (--days). RabbitMQ could not be asked for '
        "messages that are not accepted yet. Similar ids: invoice-0423."
    )
