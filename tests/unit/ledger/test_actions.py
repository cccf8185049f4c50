"""The log of actions: what is in it, and what is noticed of tampering."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline import clock
from pipeline.ledger import actions, pseudonyms
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.storage.memory import MemoryStore

NOW = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    moments = iter(NOW + timedelta(seconds=n) for n in range(100))
    monkeypatch.setattr(clock, "_source", lambda: next(moments))
    return MemoryStore("actions")


def logged(store: MemoryStore) -> list[actions.Action]:
    return [entry.action for entry in actions.entries(store) if entry.action]


def problems(store: MemoryStore) -> list[str]:
    return list(actions.problems(store, actions.entries(store)))


def test_an_entry_says_who_did_what(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/bin/nightshift", "window", "open", "--until", "03:00"])
    monkeypatch.setattr(actions, "_user", lambda: "ops@host")
    actions.record(store, "window.open", detail={"until": "x"})
    monkeypatch.setenv("NIGHTSHIFT_ACTOR", "alice")
    actions.record(store, "brake.release", subject="step ocr")
    first, second = logged(store)
    assert (first.actor, first.user, first.command) == ("ops@host", "ops@host", "nightshift window")
    assert (first.at, first.action, first.detail) == (
        "2026-11-22T23:59:59.000+00:00",
        "window.open",
        {"until": "x"},
    )
    assert (second.actor, second.user, second.subject) == ("alice", "ops@host", "step ocr")


def test_arguments_are_not_recorded(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["nightshift", "/scans/mueller.pdf"])
    actions.record(store, "x")
    assert logged(store)[0].command == "nightshift"


def test_entries_of_two_days_are_a_chain(store: MemoryStore) -> None:
    written = [actions.record(store, name) for name in "abc"]
    assert len({key.split("/")[1] for key in written}) == 2
    assert [action.previous for action in logged(store)] == ["", *written[:2]]
    assert [action.action for action in logged(store)] == ["a", "b", "c"]
    assert len(actions.entries(store, "2026-11-23")) < 3
    assert problems(store) == []


def test_a_deleted_entry_shows(store: MemoryStore) -> None:
    written = [actions.record(store, name) for name in "abc"]
    store.delete(written[1])
    assert problems(store) == [f"{written[1]} is missing: {written[2]} names it as the one before."]


def test_a_changed_entry_shows(store: MemoryStore) -> None:
    written = [actions.record(store, name) for name in "ab"]
    store.put(written[0], store.get(written[0]).replace(b'"a"', b'"z"'))
    assert "was changed" in problems(store)[0]
    store.put(written[0], b"{")
    assert any(one.startswith(f"{written[0]} is damaged") for one in problems(store))


def test_a_task_is_named_by_a_pseudonym(store: MemoryStore) -> None:
    name = actions.of_task(store, "patient mueller")
    assert name == actions.of_task(store, "patient mueller") != actions.of_task(store, "patient meier")
    assert "mueller" not in name
    other = MemoryStore("other")
    assert pseudonyms.of(other, "a") != pseudonyms.of(store, "a")
    assert len(store.get(keys.control("pseudonyms"))) == 32


def test_settings_at_a_start_have_no_secrets(store: MemoryStore) -> None:
    settings = Settings.from_env({}, callback_secret="hush", broker_url="amqp://u:hush@h", window="always")
    actions.record_settings(store, "worker", settings)
    (entry,) = logged(store)
    assert entry.action == "start.worker"
    assert entry.detail["NIGHTSHIFT_WINDOW"] == "always"
    assert entry.detail["NIGHTSHIFT_CALLBACK_SECRET"] == "(set)"
    assert "hush" not in str(entry)
    actions.record_settings(store, "worker", Settings.from_env({}, window="never"))
    assert len({entry.subject for entry in logged(store)}) == 2
