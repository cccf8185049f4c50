"""What follows from TLS connections to brokers that fail."""

import ssl
from collections.abc import Iterator

import pytest

from pipeline.errors import UsageError
from pipeline.settings import Settings
from tasks import secure


@pytest.fixture(autouse=True)
def _brokers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NIGHTSHIFT_BROKER_URL", "amqps://u:p@a//;amqps://u:p@b//")
    secure.succeeded()
    yield
    secure.succeeded()


def untrusted() -> ssl.SSLError:
    error = ssl.SSLError(1, "e")
    error.reason = "TLSV1_ALERT_UNKNOWN_CA"
    return error


def test_it_lasts_once_no_broker_of_the_list_is_trusted() -> None:
    assert isinstance(secure.refusal(untrusted(), "a:5671"), secure.NoTls)
    assert isinstance(secure.refusal(untrusted(), "a:5671"), secure.NoTls), "b may do better"
    assert isinstance(secure.refusal(untrusted(), "b:5671"), secure.Untrusted)
    secure.succeeded()
    assert isinstance(secure.refusal(untrusted(), "a:5671"), secure.NoTls)


@pytest.mark.parametrize("kind", [ConnectionResetError, BrokenPipeError, ssl.SSLEOFError])
def test_an_end_without_a_reason_is_waited_for(kind: type[OSError]) -> None:
    found = secure.refusal(kind(), "a:5671")
    assert isinstance(found, secure.NoTls)
    assert str(found) == (
        "RabbitMQ at a:5671 ended the TLS connection; if it asks for a client certificate, set NIGHTSHIFT_BROKER_CERT "
        "and NIGHTSHIFT_BROKER_KEY."
    )


def test_what_is_not_of_tls_is_left_alone() -> None:
    assert secure.refusal(ConnectionRefusedError(), "a:5671") is None


def test_a_broker_without_tls_is_refused_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    secure.refuse_plain()
    monkeypatch.setenv("NIGHTSHIFT_REQUIRE_TLS", "true")
    with pytest.raises(secure.Untrusted, match="expected amqps:// only"):
        secure.refuse_plain()
    with pytest.raises(UsageError, match="expected amqps:// only"):
        secure.check(Settings(require_tls=True))
