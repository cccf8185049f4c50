"""`nightshift forget` as it is typed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import BrokerUnavailable, OverLimit
from pipeline.ledger import claims, forgetting, pending, receipts, records
from pipeline.models import Task
from pipeline.night import forget
from pipeline.night.dead import Letter
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables.summary import summarise
from tasks import client
from tasks.dead import Found, Swept
from tasks.routing import DEAD_LETTERS
from tests.unit.cli.conftest import DAY, Nightshift, fail


@pytest.fixture(autouse=True)
def _broker(monkeypatch: pytest.MonkeyPatch) -> None:
    def sweep(*_: object, **__: object) -> Swept:
        raise BrokerUnavailable("RabbitMQ at amqp://h does not answer.")

    monkeypatch.setattr(client, "sweep_dead", sweep)
    monkeypatch.setattr(client, "celery", lambda: None)


def letters(monkeypatch: pytest.MonkeyPatch, *found: Found, complete: bool = True) -> list[bool]:
    """A broker with these dead letters, or more that are not read; which of them were removed."""
    removed: list[bool] = []

    def sweep(_: object, remove: Callable[[Found], bool], **limits: float) -> Swept:
        removed.extend(map(remove, found))
        assert limits["most"] >= DEAD_LETTERS
        return Swept(len(removed), sum(removed), complete=complete)

    monkeypatch.setattr(client, "sweep_dead", sweep)
    return removed


def letter(task_id: str, body: bytes = b"{}", *, ours: bool = True) -> Found:
    return Found(Letter(id="0", code="x", reason="", ours=ours, task_id=task_id), body, {})


def shown(nightshift: Nightshift, *args: object, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(nightshift("forget", *args, "--json", code=code).output)
    return found


def test_a_document_is_forgotten(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(store, "mueller-1")
    fail(store, "other-2")
    summarise(store, DAY)
    removed = letters(
        monkeypatch,
        letter("mueller-1"),
        letter("other-2"),
        letter("", b'{"task_id": "mueller-1", "text": "of Mr Mueller"}', ours=False),
        letter("", b"no JSON", ours=False),
    )
    done = shown(nightshift, "--task-id", "mueller-1", "--yes", "--reason", "art. 17")
    assert removed == [True, False, True, False]
    assert (done["complete"], done["tasks"], done["documents"], done["dead_letters"]) == (True, 1, 1, 2)
    assert (done["hits"], done["versions"], done["rows"], done["receipts"]) == (0, "none", 1, 1)
    assert done["search"]["objects"] == done["searched"] > 5
    assert f"{DAY}: received 2 = 0 done + 0 partial + 1 failed + 0 pending + 1 forgotten" in (
        said := nightshift("audit").output
    )
    assert "1 receipt rewritten" in said
    (report,) = store.list(f"{keys.FORGOTTEN}runs/")
    assert json.loads(store.get(report))["reason"] == "art. 17"
    (action,) = json.loads(nightshift("actions", "--json", "--task-id", "mueller-1").output)["actions"]
    assert action["action"] == "forget"
    assert not any(b"mueller" in store.get(key) or "mueller" in key for key in store.list(""))
    again = nightshift("forget", "--task-id", "mueller-1", "--yes").output
    assert "Forgotten before" in again
    assert shown(nightshift, "--task-id", "mueller-1", "--yes")["tasks"] == 0


def test_a_queue_with_more_dead_letters_than_were_read_is_no_complete_work(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(store, "mueller-1")
    letters(monkeypatch, letter("mueller-1"), complete=False)
    done = shown(nightshift, "--task-id", "mueller-1", "--yes", code=3)
    assert (done["complete"], done["dead_letters"]) == (False, 1)
    assert "the queue has more" in done["broker"]


def test_the_dead_letter_of_a_task_that_was_submitted_again_meanwhile_stays(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(store, "mueller-1")
    fail(store, "mueller-2")
    removed: list[bool] = []

    def sweep(_: object, remove: Callable[[Found], bool], **__: object) -> Swept:
        claims.take(store, "mueller-1", "0123456789ab", DAY)  # this command was paused for long
        fail(store, "mueller-1")
        raw = letter("", b'{"task_id": "mueller-1"}', ours=False)
        removed.extend(map(remove, [letter("mueller-1"), raw, letter("mueller-2")]))
        return Swept(3, sum(removed), complete=True)

    monkeypatch.setattr(client, "sweep_dead", sweep)
    done = shown(nightshift, "--older-than", 1, "--yes", "--no-verify")
    assert (removed, done["tasks"], done["dead_letters"]) == ([False, False, True], 2, 1)


def test_a_dry_run_deletes_nothing(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "mueller-1")
    before = {key: store.get(key) for key in store.list("")}
    assert "mueller-1" in nightshift("forget", "--task-id", "mueller-1", "--dry-run").output
    assert shown(nightshift, "--task-id", "mueller-1", "--dry-run")["tasks"] == ["mueller-1"]
    store.delete(keys.control("pseudonyms"))
    assert {key: store.get(key) for key in store.list("")} == before


def test_it_asks_first(store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(store, "mueller-1")
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert "forget  mueller-1" in nightshift("forget", "--task-id", "mueller-1", code=130).output
    assert store.exists(keys.failed(DAY, "mueller-1"))
    nightshift("forget", "--task-id", "mueller-1", "--json", code=2)


def test_without_a_broker_it_is_incomplete_unless_there_is_none(
    store: LocalStore, nightshift: Nightshift
) -> None:
    fail(store, "mueller-1")
    fail(store, "mueller-2")
    said = nightshift("forget", "--task-id", "mueller-1", "--yes", code=3).output
    assert "Dead letters may be left: RabbitMQ" in said.replace("\n", " ")
    assert "0 hits" in said
    nightshift("forget", "--task-id", "mueller-2", "--yes", "--no-broker")


def test_what_is_found_afterwards_is_named(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "mueller-1")
    store.put("notes/mine.txt", b"Call about mueller-1 on Monday")
    done = nightshift("forget", "--task-id", "mueller-1", "--yes", "--no-broker", code=3)
    assert "1 hits" in done.output
    assert "notes/mine.txt" in done.output


def test_the_search_can_be_left_out(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "mueller-1")
    said = nightshift("forget", "--task-id", "mueller-1", "--yes", "--no-broker", "--no-verify").output
    assert "The store was not searched." in said


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), 2),
        (("--sha256", "ABC"), 2),
        (("--task-id", "nobody"), 1),
        (("--tenant", "nobody"), 1),
        (("--older-than", "99999"), 1),
        (("--older-than", "0"), 2),
    ],
)
def test_wrong_arguments(store: LocalStore, nightshift: Nightshift, args: tuple[str, ...], code: int) -> None:
    fail(store, "mueller-1")
    nightshift("forget", "--yes", *args, code=code)
    assert store.exists(keys.failed(DAY, "mueller-1"))


def test_old_nights(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "old-1", "2020-01-01")
    fail(store, "new-2", "2999-01-01")
    assert shown(nightshift, "--older-than", "30", "--yes", "--no-broker")["tasks"] == 1
    assert store.exists(keys.failed("2999-01-01", "new-2"))


def test_an_interrupted_one_is_finished_by_the_next(
    store: LocalStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(store, "mueller-1")
    with monkeypatch.context() as patch:
        patch.setattr(forget, "_redact", lambda *_: 1 / 0)
        with pytest.raises(AssertionError):
            nightshift("forget", "--task-id", "mueller-1", "--yes", "--no-broker")
    assert list(forgetting.plans(store))
    assert "0 pending" in nightshift("audit", DAY).output
    refused = nightshift("forget", "--task-id", "mueller-1", "--yes", code=1)
    assert "are being forgotten by" in str(refused.exception)
    assert shown(nightshift, "--resume")["resumed"] == 1
    assert "Nothing was left" in nightshift("forget", "--resume").output
    assert not list(forgetting.plans(store))
    assert not any(b"mueller" in store.get(key) or "mueller" in key for key in store.list(""))


@pytest.mark.parametrize("named", [True, False])
def test_a_document_that_is_inside_another_one_is_not_gone(
    store: LocalStore, nightshift: Nightshift, named: bool
) -> None:
    outer, alone = fail_as(store, "/inbox/all.pdf", named), fail_as(store, "/inbox/alone.pdf", named)
    inner = fail_as(store, "/inbox/all.pdf!patient.pdf", named)
    summarise(store, DAY)
    assert shown(nightshift, "--task-id", inner, "--dry-run")["containers"] == [outer]
    said = nightshift("forget", "--task-id", inner, "--yes", "--no-broker", code=3).output
    assert f"forget them too: {outer}." in " ".join(said.split())
    assert "0 hits" in said
    nightshift("forget", "--task-id", alone, "--yes", "--no-broker")
    nightshift("forget", "--task-id", outer, "--yes", "--no-broker")


def test_documents_that_go_with_the_one_around_them_are_gone(
    store: LocalStore, nightshift: Nightshift
) -> None:
    fail_as(store, "/inbox/all.pdf")
    fail_as(store, "/inbox/all.pdf!patient.pdf")
    nightshift("forget", "--older-than", "1", "--yes", "--no-broker")
    assert not list(store.list(keys.DOCUMENTS))


def fail_as(store: LocalStore, source: str, named: bool = True) -> str:
    """A document of `nightshift run` that failed; its task id."""
    sha256 = pending.store_document(store, source.encode())
    task = Task(task_id=pending.task_id_for(source, sha256, named=named), sha256=sha256, source=source)
    receipts.write(store, DAY, [task])
    records.fail(store, task, OverLimit("It has too many pages."), run_date=DAY, settings_digest="")
    return task.task_id


def test_more_days_than_the_calendar_has_are_a_usage_error(store: LocalStore, nightshift: Nightshift) -> None:
    fail(store, "mueller-1")
    assert "--older-than" in nightshift("forget", "--older-than", "800000", code=2).output
    assert "Nothing to forget" in str(nightshift("forget", "--older-than", "100000", code=1).exception)
