"""Who sent a raw message first: RabbitMQ's word, or a signature."""

from types import SimpleNamespace
from typing import Any

import pytest

from tasks import sender, signing

BODY = b'{"task_id": "t"}'


def message(headers: dict[str, Any] | None = None, user: str = "") -> Any:
    return SimpleNamespace(headers=headers, properties={"user_id": user} if user else {})


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "keys", lambda: ("k" * 32,))


def test_without_a_key_only_a_worker_may_name_another_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "keys", tuple)
    named = sender.headers("scanner", BODY)
    assert named == {"sender": "scanner"}
    assert sender.of(message(named, "worker"), BODY, "worker") == "scanner"
    assert sender.of(message(named, "portal"), BODY, "worker") == "portal"
    assert sender.of(message(named), BODY, "worker") == ""
    assert sender.of(message(None, "portal"), BODY, "worker") == "portal"
    assert sender.kept(named) == {}


@pytest.mark.usefixtures("key")
def test_a_signature_proves_the_sender_of_this_body_and_not_of_another() -> None:
    named = sender.headers("scanner", BODY)
    assert sender.kept(named | {"reason": "r"}) == named
    assert sender.of(message(named), BODY, "worker") == "scanner"
    assert sender.of(message(named), b"other", "worker") == ""
    assert sender.of(message(named | {"sender": "portal"}, "evil"), BODY, "worker") == "evil"
    assert sender.of(message({"sender": 5, "sender_signature": 7}, "evil"), BODY, "worker") == "evil"
    assert sender.headers("", BODY) == {}
