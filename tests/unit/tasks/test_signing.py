"""Which messages are signed, and that a change of anything that decides makes a signature invalid."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tasks import signing
from tasks.app import app
from tasks.incoming import NotOurs, check

KEY, OTHER = "k" * 32, "o" * 32
KNOWN = {"nightshift.ocr", "nightshift.ner", "nightshift.tick"}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    signing.keys.cache_clear()
    yield
    signing.keys.cache_clear()


def with_keys(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("NIGHTSHIFT_SIGNING_KEY", keys)
    signing.keys.cache_clear()


def sent(name: str = "nightshift.ocr", args: tuple[Any, ...] = ("t1",), **headers: Any) -> Any:
    """A message as Celery publishes it, after its signal."""
    kwargs = {"first": 1, "last": 8} if args else {}
    made = app.amqp.as_task_v2("m1", name, args=args, kwargs=kwargs)
    made.headers.update({"trace_id": "tr", "lane": 5, "tries": 1, **headers} if args else {})
    signing._sign(headers=made.headers, body=made.body)
    return SimpleNamespace(
        body=json.dumps(made.body).encode(),
        content_type="application/json",
        headers=made.headers,
        properties={},
        delivery_info={},
    )


@pytest.mark.parametrize("keys", [KEY, f"{KEY},{OTHER}", f"{OTHER},{KEY}"])
def test_what_was_signed_with_any_key_is_taken(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, KEY)
    step, tick = sent(), sent("nightshift.tick", ())
    with_keys(monkeypatch, keys)
    check(step, "ocr", KNOWN)
    check(tick, "housekeeping", KNOWN)


@pytest.mark.parametrize("keys", [KEY, f"{KEY},{OTHER}"])
@pytest.mark.parametrize("signed_with", ["", OTHER + "x"])
def test_what_was_not_is_refused(signed_with: str, keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, signed_with)
    message = sent()
    with_keys(monkeypatch, keys)
    with pytest.raises(NotOurs, match="bad_signature"):
        check(message, "ocr", KNOWN)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task", "nightshift.ner"),
        ("id", "m2"),
        ("trace_id", "other"),
        ("lane", 4),
        ("tries", 0),
        ("outages", 1),
        ("generation", 1),
        ("pages", 1),
        ("turn", 2),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("signature", None),
        ("signature", ""),
        ("signature", "0" * 64),
    ],
)
def test_a_changed_header_is_noticed(name: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, KEY)
    message = sent()
    message.headers[name] = value
    with pytest.raises(NotOurs, match="bad_signature"):
        check(message, "ocr", KNOWN)


@pytest.mark.parametrize(("old", "new"), [(b"t1", b"t2"), (b'"first": 1', b'"first": 2'), (b"8", b"9")])
def test_changed_arguments_are_noticed(old: bytes, new: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, KEY)
    message = sent()
    assert old in message.body
    message.body = message.body.replace(old, new)
    with pytest.raises(NotOurs, match="bad_signature"):
        check(message, "ocr", KNOWN)


def test_without_a_key_nothing_is_signed_and_anything_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, "")
    message = sent()
    assert "signature" not in message.headers
    check(message, "ocr", KNOWN)
    with_keys(monkeypatch, KEY)
    signed = sent()
    with_keys(monkeypatch, "")
    check(signed, "ocr", KNOWN)


def test_what_a_worker_would_not_do_is_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, KEY)
    assert "signature" not in sent(eta="2099-01-01T00:00:00").headers
