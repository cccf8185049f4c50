"""TLS with a real S3 server behind a TLS proxy: who is refused, and what is said."""

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceUnavailable, StoreUnavailable, UsageError
from pipeline.remote.fetch import fetch
from pipeline.remote.policy import SourcePolicy
from pipeline.settings import Settings
from pipeline.steps.verdict import verdict
from pipeline.storage import open_store
from tests.support.certificates import Authority
from tests.support.command import grey, nightshift, page
from tests.support.servers.swift import Swift
from tests.support.servers.tls_proxy import tls_proxy


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def settings(port: int, authority: Authority, host: str = "127.0.0.1", **more: Any) -> Settings:
    return Settings(
        s3_endpoint=f"https://{host}:{port}", **{"s3_ca": str(authority.ca), "require_tls": True, **more}
    )


def test_a_store_by_tls_with_a_client_certificate(s3: Swift, bucket: str, authority: Authority) -> None:
    mine = authority.issue(name="nightshift")
    own = {"s3_cert": str(mine.cert), "s3_key": str(mine.key)}
    with tls_proxy(authority.server(authority.issue("127.0.0.1"), asks=True), s3.port) as port:
        ours = settings(port, authority, **own)
        store = open_store(f"s3://{bucket}", ours)
        store.put("a", b"document")
        assert store.get("a") == b"document"
        assert list(store.list("")) == ["a"]
        assert fetch(f"s3://{bucket}/a", SourcePolicy.sources(f"s3://{bucket}"), ours) == b"document"


CASES = {
    "wrong host": "its certificate was issued for another name",
    "unknown issuer": "not trusted here; add the authority to the file NIGHTSHIFT_S3_CA",
    "expired": "its certificate has expired: renew it",
    "no client certificate": "set NIGHTSHIFT_S3_CERT and NIGHTSHIFT_S3_KEY",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refusal_is_an_outage_of_the_store(
    s3: Swift, bucket: str, authority: Authority, tmp_path: Path, case: str, newest: ssl.TLSVersion
) -> None:
    ends = timedelta(days=-1 if case == "expired" else 1)
    context = authority.server(authority.issue("127.0.0.1", ends=ends), asks=case == "no client certificate")
    context.maximum_version = newest
    known = Authority(tmp_path, "stranger") if case == "unknown issuer" else authority
    with tls_proxy(context, s3.port) as port:
        ours = settings(port, known, "localhost" if case == "wrong host" else "127.0.0.1")
        with pytest.raises(StoreUnavailable) as caught:
            open_store(f"s3://{bucket}", ours).put("a", bytes(100_000))
        assert CASES[case] in caught.value.message
        assert verdict(caught.value).action == "wait", "no document is at fault"
        with pytest.raises(SourceUnavailable) as refused:
            fetch(f"s3://{bucket}/a", SourcePolicy.sources(f"s3://{bucket}"), ours)
        assert f"the source s3://{bucket}" in refused.value.message.lower()
        assert CASES[case] in refused.value.message


def test_commands_say_why(s3: Swift, bucket: str, authority: Authority, tmp_path: Path) -> None:
    with tls_proxy(authority.server(authority.issue("other.example")), s3.port) as port:
        env = {
            **s3.environ,
            "NIGHTSHIFT_S3_ENDPOINT": f"https://127.0.0.1:{port}",
            "NIGHTSHIFT_S3_CA": str(authority.ca),
            "NIGHTSHIFT_STORE_URL": f"s3://{bucket}",
        }
        for command in (["run", page(tmp_path / "a.png", grey(1))], ["audit"]):
            done = nightshift(*command, **env)
            assert done.returncode == 1, done.stderr
            assert f"TLS with the store s3://{bucket} failed: its certificate was issued for" in done.stderr


def test_an_endpoint_of_boto3_must_have_tls_too(s3: Swift, bucket: str) -> None:
    with pytest.raises(UsageError, match="an endpoint without TLS in boto3's configuration"):
        open_store(f"s3://{bucket}", Settings(require_tls=True))
