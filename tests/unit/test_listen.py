"""Addresses to listen on, and who may ask there."""

import pytest

from pipeline import listen
from pipeline.errors import UsageError
from pipeline.settings import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9809", ("127.0.0.1", 9809)),
        (":9809", ("127.0.0.1", 9809)),
        ("9809", ("127.0.0.1", 9809)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("worker-1.example.org:80", ("worker-1.example.org", 80)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert listen.address(text) == expected
    Settings.from_env({"NIGHTSHIFT_METRICS_ADDRESS": text})


@pytest.mark.parametrize(
    "text", ["x", "127.0.0.1", ":0", ":65536", "a:b", "a:1:2", "host 1:80", "[::1]", "-1"]
)
def test_other_texts_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        listen.address(text)
    with pytest.raises(UsageError, match=r"METRICS_ADDRESS=.*: expected host:port, such as"):
        Settings.from_env({"NIGHTSHIFT_METRICS_ADDRESS": text})


@pytest.mark.parametrize(
    ("header", "answered"),
    [
        ("localhost", True),
        ("LOCALHOST:9809", True),
        ("127.0.0.1:9809", True),
        ("[::1]:9809", True),
        ("10.0.0.7", True),
        ("worker.example.org:9809", True),
        ("evil.example.org", False),
        ("localhost.evil.example.org", False),
        ("", False),
    ],
)
def test_a_name_of_another_site_is_not_answered(header: str, answered: bool) -> None:
    assert listen.may_ask(header, listen.names("worker.example.org, other")) == answered
    assert listen.may_ask(header, listen.names("*"))


def test_where_tls_is_required_others_are_served_only_if_hosts_are_named() -> None:
    tls = {"NIGHTSHIFT_REQUIRE_TLS": "true", "NIGHTSHIFT_BROKER_URL": "amqps://localhost"}
    Settings.from_env(tls | {"NIGHTSHIFT_METRICS_ADDRESS": ":9809"})
    elsewhere = tls | {"NIGHTSHIFT_METRICS_ADDRESS": "0.0.0.0:9809"}
    with pytest.raises(UsageError, match="NIGHTSHIFT_METRICS_HOSTS to be set"):
        Settings.from_env(elsewhere)
    Settings.from_env(elsewhere | {"NIGHTSHIFT_METRICS_HOSTS": "worker.example.org"})
