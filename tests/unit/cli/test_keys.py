"""`keys new`, `list`, `rotate`, and `cat`: what they print, and their exit codes."""

import json

import pytest

from pipeline.encryption.keyring import new_line
from pipeline.errors import PipelineError
from pipeline.ledger import forgetting
from pipeline.ledger.forgetting import Plan
from pipeline.models import Task
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, keys
from pipeline.storage.local import LocalStore
from tests.unit.cli.conftest import Nightshift

OLD, NEW = new_line("old"), new_line("new")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", f"{NEW},{OLD}")


@pytest.fixture
def old(store: LocalStore) -> EncryptedStore:
    return EncryptedStore.around(store, Settings(encryption_keys=OLD))


def test_a_new_key_can_be_used_as_it_is_printed(
    nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = nightshift("keys", "new").output.strip()
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", line)
    assert nightshift("settings").exit_code == 0
    assert json.loads(nightshift("keys", "new", "--id", "a", "--json").output)["key"].startswith("a:")
    assert "is not a valid key id" in str(nightshift("keys", "new", "--id", "a b", code=2).exception)


def test_rotation_and_what_is_left(old: EncryptedStore, nightshift: Nightshift) -> None:
    old.put("ocr/a", b"{}")
    old.put(keys.pending("t"), b"{}")
    old.put("discarded/a", b"")
    before = nightshift("keys", "list").output
    assert [line.split()[:2] for line in before.splitlines() if "crypt" in line] == [
        ["empty", "1"],
        ["old", "2"],
        ["new", "0"],
    ]
    shown = nightshift("keys", "rotate", code=3).output
    assert "1 encrypted with the first key, 2 were already, 1 of tasks that have not ended." in shown
    old.delete(keys.pending("t"))
    again = json.loads(nightshift("keys", "rotate", "--json").output)
    assert (again["counts"], again["remaining"]) == ({"current": 4}, 0)
    listed = json.loads(nightshift("keys", "list", "--json").output)
    assert (listed["objects"], listed["keys"]) == ({"new": 3, "empty": 1}, ["new", "old"])


def test_no_rotation_while_documents_are_forgotten(old: EncryptedStore, nightshift: Nightshift) -> None:
    old.put("ocr/a", b"{}")
    forgetting.note(old, Plan(run="r", at="", actor="somebody"))
    before = {key: old.inner.get(key) for key in old.list("")}
    assert "Documents are being forgotten" in str(nightshift("keys", "rotate", code=1).exception)
    assert {key: old.inner.get(key) for key in old.list("")} == before
    forgetting.end(old, Plan(run="r", at="", actor="somebody"))
    nightshift("keys", "rotate")


def test_problems_are_listed(
    old: EncryptedStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(22):
        old.put(f"ocr/{n}", b"{}")
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", NEW)
    shown = nightshift("keys", "rotate", code=3).output
    assert shown.count("which is not in NIGHTSHIFT_ENCRYPTION_KEYS") == 20
    assert "… and more: --json lists the first 22." in shown
    assert "not in NIGHTSHIFT_ENCRYPTION_KEYS" in nightshift("keys", "list").output
    monkeypatch.delenv("NIGHTSHIFT_ENCRYPTION_KEYS")
    assert "no key to rotate to" in str(nightshift("keys", "rotate", code=2).exception)


def test_one_object_is_decrypted(old: EncryptedStore, nightshift: Nightshift) -> None:
    old.put("results/a", b"\xff{}")
    assert nightshift("cat", "results/a").stdout_bytes == b"\xff{}"
    assert json.loads(nightshift("cat", "results/a", "--json").output)["base64"] == "/3t9"
    assert "not found" in str(nightshift("cat", "results/b", code=1).exception)


@pytest.mark.parametrize("key", ["", "results/", "/etc/passwd", "../../x"])
def test_what_is_no_key_is_a_usage_error(old: EncryptedStore, nightshift: Nightshift, key: str) -> None:
    old.put("results/a", b"{}")
    assert f'"{key}" is not the key of an object' in str(nightshift("cat", key, code=2).exception)


def test_bad_keys_are_reported_by_every_command(
    nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = NEW.partition(":")[2]
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", secret)
    for command in ("status", "audit", "keys list", "run x"):
        error = nightshift(*command.split(), code=2).exception
        assert isinstance(error, PipelineError)
        assert "key 1 is not a key: expected id:key" in error.message
    shown = nightshift("settings", "--all", code=2)
    assert "key 1 is not a key" in shown.output
    assert secret[:8] not in shown.output
    monkeypatch.setenv("NIGHTSHIFT_ENCRYPTION_KEYS", NEW)
    shown = nightshift("settings", "--json")
    assert secret[:8] not in shown.output
    assert "(set)" in shown.output


def test_a_task_is_not_at_fault_for_a_missing_key(
    old: EncryptedStore, nightshift: Nightshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.put(keys.pending("t"), b"{}")
    monkeypatch.delenv("NIGHTSHIFT_ENCRYPTION_KEYS")
    error = nightshift("cat", keys.pending("t"), code=1).exception
    assert 'is encrypted with the key "old", which is not in' in str(error)
    assert Task.__name__ not in str(error)
