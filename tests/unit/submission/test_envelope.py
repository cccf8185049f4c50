"""Encrypted messages: opened, refused, or left to wait for their key."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.encryption.keyring import new_line
from pipeline.encryption.sealed import CHUNK
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.submission.contract import MAX_BODY, BadMessage
from pipeline.submission.envelope import MessageLocked, opened, seal

KEYS = Settings(encryption_keys=new_line("k1"))
BODY = json.dumps({"task_id": "n1", "task_type": "nlp", "text": "Ada Example, born 3 November 1971"}).encode()


def test_a_message_comes_back_as_it_was() -> None:
    sealed = seal(BODY, KEYS)
    assert list(json.loads(sealed)) == ["encrypted"]
    assert b"Ada Example" not in sealed
    assert opened(sealed, KEYS) == opened(b" " + sealed + b"\n", KEYS) == BODY
    for body in (b"", b"\xff no JSON", b"x" * CHUNK):
        assert opened(seal(body, KEYS), KEYS) == body or len(seal(body, KEYS)) > MAX_BODY


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        b"",
        b"\xff",
        b"[]",
        b'"encrypted"',
        b'{"encrypted": 1}',
        b'{"encrypted": "x", "task_id": "a"}',
        b"[" * 9000,
    ],
)
def test_any_other_body_stays_as_it_is(body: bytes) -> None:
    assert opened(body, KEYS) == body


@pytest.mark.parametrize("text", ["", "no base64", "é", base64.b64encode(b"x").decode(), "AAAA"])
def test_what_is_not_encrypted_is_refused(text: str) -> None:
    with pytest.raises(BadMessage, match="encrypted is not an encrypted message"):
        opened(json.dumps({"encrypted": text}).encode(), KEYS)


def test_the_example_in_the_documentation_encrypts() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/messages.md").read_text()
    code = re.search(r"## Encrypted messages\n.*?```python\n(.*?)```", page, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    message = json.loads(BODY)
    assert json.loads(opened(names["encrypted"](message, KEYS.encryption_keys), KEYS)) == message


def test_an_object_of_the_store_is_no_message() -> None:
    from pipeline.storage import EncryptedStore
    from pipeline.storage.memory import MemoryStore

    inner = MemoryStore("test")
    EncryptedStore.around(inner, KEYS).put("results/a", BODY)
    moved = json.dumps({"encrypted": base64.b64encode(inner.get("results/a")).decode()}).encode()
    with pytest.raises(BadMessage):
        opened(moved, KEYS)


@pytest.mark.parametrize("settings", [Settings(), Settings(encryption_keys=new_line("k2"))])
def test_without_its_key_it_can_be_redriven_later(settings: Settings) -> None:
    with pytest.raises(
        MessageLocked, match=r'with the key "k1", which is not in .*: add that key, then run'
    ) as error:
        opened(seal(BODY, KEYS), settings)
    assert error.value.code == "message_locked"


def test_a_producer_needs_a_key() -> None:
    with pytest.raises(UsageError, match="no key to encrypt messages with"):
        seal(BODY, Settings())
