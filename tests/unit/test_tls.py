"""Files of TLS that can't be used are named by their setting; what errors mean."""

import ssl
from pathlib import Path

import pytest
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as Wrapped
from urllib3.util.ssl_match_hostname import CertificateError

from pipeline import tls
from pipeline.errors import UsageError
from pipeline.settings import Settings
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def said(**files: object) -> str:
    settings = Settings.from_env({}, **{f"broker_{name}": str(path) for name, path in files.items()})
    with pytest.raises(UsageError) as caught:
        tls.context(tls.Files.of(settings, "broker"))
    return caught.value.message


def test_chain_and_name_are_checked_from_version_1_2_on(authority: Authority) -> None:
    mine = authority.issue(name="me")
    for files in (
        tls.Files("http"),
        tls.Files("broker", str(authority.ca), str(mine.cert), str(mine.key)),
    ):
        made = tls.context(files)
        assert made.check_hostname
        assert made.verify_mode == ssl.CERT_REQUIRED
        assert made.minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_key_may_be_in_the_file_of_the_certificate(authority: Authority, tmp_path: Path) -> None:
    mine = authority.issue(name="me")
    both = tmp_path / "both.pem"
    both.write_bytes(mine.cert.read_bytes() + mine.key.read_bytes())
    tls.context(tls.Files("broker", cert=str(both)))


def test_a_changed_file_is_read_again(authority: Authority, tmp_path: Path) -> None:
    files = tls.Files("broker", ca=str(authority.ca))
    first = tls.context(files)
    assert tls.context(files) is first
    authority.ca.write_bytes(Authority(tmp_path, "next").ca.read_bytes())
    assert tls.context(files) is not first


def test_a_file_that_cannot_be_used_is_named_by_its_setting(authority: Authority, tmp_path: Path) -> None:
    mine, other = authority.issue(name="me"), authority.issue(name="other")
    locked = authority.issue(name="locked", password=b"secret")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    gone = tmp_path / "gone.pem"
    assert said(ca=gone) == (
        f'Invalid setting NIGHTSHIFT_BROKER_CA="{gone}": expected a readable PEM file; No such file or directory.'
    )
    assert "Is a directory" in said(ca=tmp_path)
    assert "expected a PEM file with certificates of authorities" in said(ca=text)
    assert said(key=mine.key) == "Set NIGHTSHIFT_BROKER_CERT together with NIGHTSHIFT_BROKER_KEY."
    assert "NIGHTSHIFT_BROKER_CERT=" in said(cert=text, key=mine.key)
    assert "expected a PEM file with a private key" in said(cert=mine.cert, key=text)
    assert "NIGHTSHIFT_BROKER_CERT=" in said(cert=mine.cert), "it has no key"
    assert "the key of the certificate in NIGHTSHIFT_BROKER_CERT" in said(cert=mine.cert, key=other.key)
    assert "expected a key without a password" in said(cert=locked.cert, key=locked.key)


def reason(word: str) -> ssl.SSLError:
    error = ssl.SSLError(1, word)
    error.reason = word
    return error


@pytest.mark.parametrize(
    ("error", "sentence", "lasting"),
    [
        (reason("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "set NIGHTSHIFT_HTTP_CERT", True),
        (reason("SSLV3_ALERT_HANDSHAKE_FAILURE"), "set NIGHTSHIFT_HTTP_CERT", True),
        (reason("WRONG_VERSION_NUMBER"), "does not speak TLS there", False),
        (reason("TLSV1_ALERT_PROTOCOL_VERSION"), "TLS 1.2 or later is required", True),
        (reason("BAD_DECRYPT"), "the handshake ended with bad decrypt", False),
    ],
)
def test_what_a_handshake_failed_of(error: ssl.SSLError, sentence: str, lasting: bool) -> None:
    wrapped = MaxRetryError(None, "/a?sig=secret", Wrapped(error))  # type: ignore[arg-type]
    for found in (error, wrapped):
        refusal = tls.refusal(found, "a.example", tls.Files("http"))
        assert refusal is not None
        assert sentence in refusal.sentence
        assert refusal.lasting is lasting
        assert "secret" not in refusal.sentence


def test_a_name_that_botocore_has_compared_itself() -> None:
    refusal = tls.refusal(Wrapped(CertificateError("127.0.0.1 is not localhost")), "it", tls.Files("s3"))
    assert refusal is not None
    assert "its certificate was issued for another name" in refusal.sentence


def test_a_rejected_client_certificate_is_named() -> None:
    files = tls.Files("s3", cert="a.crt")
    for word in (
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    ):
        refusal = tls.refusal(reason(word), "it", files)
        assert refusal is not None
        assert "it rejects the client certificate in NIGHTSHIFT_S3_CERT" in refusal.sentence


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), ssl.SSLEOFError(8, "EOF")])
def test_other_errors_are_not_of_tls(error: OSError) -> None:
    assert tls.refusal(error, "it", tls.Files("http")) is None
