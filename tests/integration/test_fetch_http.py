"""Fetching and posting over real sockets; all host names are invented and resolve to the loopback interface."""

import gzip
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, unquote

import boto3
import pytest
from msgspec import structs

from pipeline import clock
from pipeline.errors import (
    NotFound,
    OverLimit,
    PermanentError,
    RunError,
    SourceUnavailable,
    TransientError,
)
from pipeline.remote import fetch as module
from pipeline.remote import http as exchange
from pipeline.remote.fetch import fetch, post
from pipeline.remote.policy import SourcePolicy, source_policy
from pipeline.remote.signing import SIGNATURE_HEADER, sign, verify
from pipeline.settings import Settings
from tests.support.certificates import Authority
from tests.support.servers import free_port
from tests.support.servers.swift import Swift

SETTINGS = Settings(max_bytes=100_000)
MIB = 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, *chunks: bytes, seconds: float = 0) -> None:
        """Send in chunks, without a length."""
        self.raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            time.sleep(seconds)

    def raw(self, *lines: str, body: bytes = b"") -> None:
        """Send exactly this, then close the connection."""
        self.close_connection = True
        self.wfile.write("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.seen.append(("GET", self.path, dict(self.headers), b""))
        if path == "/in/hello":
            self.answer(200, b"hello")
        elif path == "/in/status":
            self.answer(int(query))
        elif path == "/in/to":
            self.answer(302, Location=unquote(query))
        elif path == "/in/hops":
            hops = int(query)
            self.answer(307, Location=f"hops?{hops - 1}") if hops else self.answer(200, b"arrived")
        elif path == "/in/large":
            self.answer(200, bytes(100_001))
        elif path == "/in/endless":
            try:
                self.stream(*[bytes(MIB)] * 100_000)
            except OSError:
                self.seen.append(("CUT", self.path, {}, b""))
        elif path == "/in/bomb":
            self.answer(200, gzip.compress(bytes(200 * MIB), 1), Content_Encoding="gzip")
        elif path == "/in/zipped":
            self.answer(200, gzip.compress(b"unzipped"), Content_Encoding="gzip")
        elif path == "/in/drip":
            self.stream(*[b"x"] * 100, seconds=0.1)
        elif path == "/in/drip-headers":
            self.close_connection = True
            for _ in range(100):
                self.wfile.write(b"H")
                time.sleep(0.1)
        elif path == "/in/silent":
            time.sleep(2)
        elif path == "/in/cut" or path.startswith("/inbox/"):
            status, *headers = unquote(query or path.removeprefix("/inbox/")).split("|")
            *headers, body = headers
            self.raw(f"HTTP/1.1 {status} X", *headers, body=body.replace("~", "\r\n").encode())
        elif path == "/in/garbage":
            self.close_connection = True
            self.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        else:
            self.answer(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(("POST", self.path, dict(self.headers), body))
        query = self.path.partition("?")[2]
        self.answer(int(query or 204), Location="/in/elsewhere")

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except OSError:
            pass  # the client hung up, as some tests want
        finally:
            request.close()


@contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[int]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.context = context
        Handler.seen.clear()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def base() -> Iterator[str]:
    with served() as port:
        yield f"http://127.0.0.1:{port}/in"


@pytest.fixture
def policy(base: str) -> SourcePolicy:
    return SourcePolicy.sources(base, allow_private=True)


def test_a_page_is_read(base: str, policy: SourcePolicy) -> None:
    assert fetch(f"{base}/hello?a=1", policy, SETTINGS) == b"hello"
    _, path, headers, _ = Handler.seen[0]
    assert path == "/in/hello?a=1"
    assert headers["Host"] == base.split("/")[2]
    assert headers["User-Agent"].startswith("nightshift/")


def test_a_private_host_is_refused_before_anything_is_sent(base: str) -> None:
    with pytest.raises(PermanentError, match="is not public") as caught:
        fetch(f"{base}/hello", SourcePolicy.sources(base), SETTINGS)
    assert caught.value.code == "source_refused"
    with pytest.raises(PermanentError) as caught:
        post(f"{base}/hook", b"{}", {}, SourcePolicy.callbacks(base))
    assert caught.value.code == "callback_refused"
    assert Handler.seen == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_waited_for(base: str, policy: SourcePolicy, status: int) -> None:
    kind = TransientError if status == 500 else SourceUnavailable  # 500 may be due to the one document
    with pytest.raises(kind, match=f"answered {status}") as caught:
        fetch(f"{base}/status?{status}", policy, SETTINGS)
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [401, 407, 511])
def test_a_login_that_is_missing_is_no_fault_of_a_document(
    base: str, policy: SourcePolicy, status: int
) -> None:
    with pytest.raises(RunError, match=f"asks for a login: its server, or a proxy, answered {status}"):
        fetch(f"{base}/status?{status}", policy, SETTINGS)
    callbacks = SourcePolicy.callbacks(base, allow_private=True)
    with pytest.raises(TransientError, match="asks for a login") as caught:
        post(f"{base}/hook?{status}", b"{}", {}, callbacks)
    assert caught.value.code == "callback_unavailable"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "not_found"),
        (410, "not_found"),
        (403, "source_forbidden"),
        (400, "source_unreadable"),
        (202, "source_unreadable"),
        (304, "source_unreadable"),
    ],
)
def test_a_refusing_server_is_permanent(base: str, policy: SourcePolicy, status: int, code: str) -> None:
    with pytest.raises(PermanentError, match=f"answered {status}") as caught:
        fetch(f"{base}/status?{status}", policy, SETTINGS)
    assert caught.value.code == code


def test_three_redirects_are_followed_and_not_four(base: str, policy: SourcePolicy) -> None:
    assert fetch(f"{base}/hops?3", policy, SETTINGS) == b"arrived"
    with pytest.raises(PermanentError, match="Too many redirects"):
        fetch(f"{base}/hops?4", policy, SETTINGS)


@pytest.mark.parametrize(
    "target",
    [
        "/out",
        "http://127.0.0.1:1/in/a",
        "http://evil.example/in/",
        "//evil.example/in",
        "ftp://a/in",
        "http://[",
        "\\",
        "/in/%2e%2e/out",
    ],
)
def test_a_redirect_is_checked_like_any_url(base: str, policy: SourcePolicy, target: str) -> None:
    with pytest.raises(PermanentError) as caught:
        fetch(f"{base}/to?{quote(target)}", policy, SETTINGS)
    assert caught.value.code == "source_refused"
    assert len(Handler.seen) == 1


def test_a_redirect_never_leads_to_a_file_or_bucket(base: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"local")
    policy = SourcePolicy.sources(f"{base},file://{tmp_path},s3://inbox", allow_private=True)
    for target in (f"file://{tmp_path}/a", "s3://inbox/a"):
        with pytest.raises(PermanentError, match="redirect may only lead to https"):
            fetch(f"{base}/to?{quote(target)}", policy, SETTINGS)


def test_no_more_than_the_limit_is_read(base: str, policy: SourcePolicy) -> None:
    for page in ("large", "endless", "bomb"):
        start = time.monotonic()
        with pytest.raises(OverLimit, match="NIGHTSHIFT_MAX_BYTES"):
            fetch(f"{base}/{page}", policy, SETTINGS)
        assert time.monotonic() - start < 5
    assert fetch(f"{base}/zipped", policy, SETTINGS) == b"unzipped"


def test_a_slow_or_silent_peer_is_disconnected(
    base: str, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WHOLE_SECONDS", 0.5)
    for page in ("drip", "drip-headers", "silent"):
        start = time.monotonic()
        with pytest.raises(TransientError, match="took too long"):
            fetch(f"{base}/{page}", policy, SETTINGS)
        assert time.monotonic() - start < 1.5
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


def test_a_silent_peer_hits_the_read_timeout(
    base: str, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "READ_SECONDS", 0.2)
    with pytest.raises(TransientError, match="closed the connection"):
        fetch(f"{base}/silent", policy, SETTINGS)


CUT = [
    ("206|Content-Length: 4|only", "sent only a part of it"),
    ("206|Content-Length: 4|Content-Range: bytes 0-3/10|only", "sent only a part of it"),
    ("200|Content-Length: 10|only", "closed the connection"),
    ("200|Content-Length: -4|only", "an invalid length"),
    ("200|Content-Length: +4|only", "an invalid length"),
    ("200|Content-Length: four|only", "an invalid length"),
    ("200|Content-Length:|only", "an invalid length"),
    ("200|Content-Length: 4|Transfer-Encoding: chunked|4~only~0~~", "in chunks and with a length"),
    ("200|Transfer-Encoding: gzip, chunked|4~only~0~~", "a transfer encoding other than chunked"),
    ("200|Transfer-Encoding: chunked|4~only~", "closed the connection"),
    ("200|Transfer-Encoding: chunked|9~only", "closed the connection"),
    ("200|Transfer-Encoding: chunked|-1~only", "closed the connection"),
    ("200|Transfer-Encoding: chunked|-2~only", "closed the connection"),
    ("200|Transfer-Encoding: chunked|only~0~~", "closed the connection"),
    ("200|X: y|only", "does not say how long it is"),
]


@pytest.mark.parametrize(("answer", "said"), CUT)
def test_what_was_cut_off_is_no_document(base: str, policy: SourcePolicy, answer: str, said: str) -> None:
    with pytest.raises(TransientError, match=said) as caught:
        fetch(f"{base}/cut?{quote(answer)}", policy, SETTINGS)
    assert caught.value.code == "source_unavailable"


@pytest.mark.parametrize(
    "answer",
    [
        "200|Content-Length: 4|only",
        "200|Content-Length: 4, 4|only",
        "200|Transfer-Encoding: Chunked|4~only~0~~",
    ],
)
def test_what_is_whole_is_a_document(base: str, policy: SourcePolicy, answer: str) -> None:
    assert fetch(f"{base}/cut?{quote(answer)}", policy, SETTINGS) == b"only"


@pytest.mark.parametrize("answer", [answer for answer, _ in CUT])
def test_an_object_that_was_cut_off_is_no_document(
    base: str, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    settings = Settings(s3_endpoint=base.removesuffix("/in"), s3_region="us-east-1", max_bytes=100_000)
    with pytest.raises(TransientError, match="can't be read as a whole: its server"):
        fetch(f"s3://inbox/{answer}", SourcePolicy.sources("s3://inbox"), settings)


def test_a_broken_answer_is_transient(base: str, policy: SourcePolicy) -> None:
    with pytest.raises(TransientError, match="closed the connection") as caught:
        fetch(f"{base}/garbage", policy, SETTINGS)
    assert caught.value.code == "source_unavailable"


def test_an_unavailable_server_is_transient() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(SourceUnavailable, match="can't be reached"):
        fetch(url, SourcePolicy.sources(url, allow_private=True), SETTINGS)
    with pytest.raises(TransientError, match="can't be reached") as caught:
        post(url, b"{}", {}, SourcePolicy.callbacks(url, allow_private=True))
    assert type(caught.value) is TransientError, "it is abandoned in the end, and listed"


def test_a_callback_is_posted_signed(base: str) -> None:
    policy = SourcePolicy.callbacks(base, allow_private=True)
    body = json.dumps({"task_id": "a", "status": "done"}).encode()
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: sign(body, "s", int(time.time()))}
    assert post(f"{base}/hook", body, headers, policy) == 204
    _, path, got, received = Handler.seen[0]
    assert (path, received, got["Content-Type"]) == ("/in/hook", body, "application/json")
    assert verify(received, got[SIGNATURE_HEADER], "s", time.time())


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (500, TransientError, "callback_unavailable"),
        (429, TransientError, "callback_unavailable"),
        (404, NotFound, "not_found"),
        (403, PermanentError, "callback_forbidden"),
        (302, PermanentError, "callback_failed"),
    ],
)
def test_a_receiver_that_refuses_the_callback(
    base: str, status: int, kind: type[Exception], code: str
) -> None:
    policy = SourcePolicy.callbacks(base, allow_private=True)
    with pytest.raises(kind, match=f"answered {status}") as caught:
        post(f"{base}/hook?{status}", b"{}", {}, policy)
    assert getattr(caught.value, "code", "") == code
    assert len(Handler.seen) == 1


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A fake name server: answers in turn, then repeats the last one."""
    book: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        answers = book.get(host)
        if answers:
            host = answers.pop(0) if len(answers) > 1 else answers[0]
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return book


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def tls(authority: Authority) -> Iterator[int]:
    """An HTTPS server whose certificate is for scans.example.org."""
    with served(authority.server(authority.issue("scans.example.org"))) as port:
        yield port


def trusting(authority: Authority, port: int, host: str = "scans.example.org", **more: Any) -> SourcePolicy:
    """The policy for documents of this host, whose certificate the authority has issued."""
    settings = Settings(
        allowed_sources=f"https://{host}:{port}",
        allowed_callbacks=f"https://{host}:{port}",
        allow_private_hosts=True,
        **{"http_ca": str(authority.ca), **more},
    )
    return source_policy(settings)


def test_https_is_checked_against_the_name_and_pinned_to_the_address(
    tls: int, authority: Authority, names: dict[str, list[str]]
) -> None:
    names["scans.example.org"] = ["127.0.0.1", "192.0.2.1"]  # a second lookup would return the wrong address
    url = f"https://scans.example.org:{tls}/in/hello"
    assert fetch(url, trusting(authority, tls), SETTINGS) == b"hello"
    assert Handler.seen[0][2]["Host"] == f"scans.example.org:{tls}"
    assert names["scans.example.org"] == ["192.0.2.1"]


def test_a_slow_peer_is_disconnected_under_tls_too(
    tls: int, authority: Authority, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WHOLE_SECONDS", 0.5)
    names["scans.example.org"] = ["127.0.0.1"]
    for page in ("drip", "silent"):
        with pytest.raises(TransientError, match="took too long"):
            fetch(f"https://scans.example.org:{tls}/in/{page}", trusting(authority, tls), SETTINGS)


def test_a_proxy_of_the_environment_is_not_used(
    base: str, policy: SourcePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert fetch(f"{base}/hello", policy, SETTINGS) == b"hello"


def test_a_second_address_is_tried(tls: int, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = trusting(authority, tls)
    monkeypatch.setattr("pipeline.remote.policy.resolve_public", lambda *_, **__: ["::1", "127.0.0.1"])
    assert fetch(f"https://scans.example.org:{tls}/in/hello", policy, SETTINGS) == b"hello"


class Refused(NamedTuple):
    """How the server is certified, what the client has, and what is said."""

    certified: dict[str, Any]
    trusted: bool
    asks: bool
    said: str


REFUSED = {
    "wrong host": Refused({}, True, False, "issued for another name"),
    "unknown issuer": Refused(
        {}, False, False, "not trusted here; add the authority to the file NIGHTSHIFT_HTTP_CA"
    ),
    "expired": Refused({"ends": timedelta(days=-1)}, True, False, "has expired: renew it"),
    "no client certificate": Refused(
        {}, True, True, "asks for a client certificate: set NIGHTSHIFT_HTTP_CERT and NIGHTSHIFT_HTTP_KEY"
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refusal_says_what_to_do_and_fails_no_document(
    authority: Authority, names: dict[str, list[str]], tmp_path: Path, case: str, newest: ssl.TLSVersion
) -> None:
    certified, trusted, asks, said = REFUSED[case]
    host = "other.example.org" if case == "wrong host" else "scans.example.org"
    names["scans.example.org"] = ["127.0.0.1"]
    context = authority.server(authority.issue(host, **certified), asks=asks)
    context.maximum_version = newest
    known = authority if trusted else Authority(tmp_path, "stranger")
    with served(context) as port:
        policy = trusting(known, port)
        url = f"https://scans.example.org:{port}/in/hello"
        with pytest.raises(SourceUnavailable) as caught:
            fetch(url, policy, SETTINGS)
        assert caught.value.message.startswith(f"TLS with scans.example.org:{port} failed: ")
        assert said in caught.value.message
        with pytest.raises(TransientError) as caught_post:
            post(url, b"{}", {}, structs.replace(policy, kind="callback"))
        assert said in caught_post.value.message
        assert caught_post.value.code == "callback_unavailable"
    assert Handler.seen == []


def test_a_client_certificate_is_sent(authority: Authority, names: dict[str, list[str]]) -> None:
    names["scans.example.org"] = ["127.0.0.1"]
    mine = authority.issue(name="nightshift")
    own = {"http_cert": str(mine.cert), "http_key": str(mine.key)}
    with served(authority.server(authority.issue("scans.example.org"), asks=True)) as port:
        url = f"https://scans.example.org:{port}/in/hello"
        assert fetch(url, trusting(authority, port, **own), SETTINGS) == b"hello"


def test_a_renewed_authority_is_read_without_a_restart(
    tls: int, authority: Authority, names: dict[str, list[str]], tmp_path: Path
) -> None:
    names["scans.example.org"] = ["127.0.0.1"]
    url, policy = f"https://scans.example.org:{tls}/in/hello", trusting(authority, tls)
    good = authority.ca.read_bytes()
    authority.ca.write_bytes(Authority(tmp_path, "stranger").ca.read_bytes())
    os.utime(authority.ca, (1, 1))
    with pytest.raises(SourceUnavailable):
        fetch(url, policy, SETTINGS)
    authority.ca.write_bytes(good)
    assert fetch(url, policy, SETTINGS) == b"hello"


def test_objects_are_read(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.session.Session().client("s3")
    client.put_object(Bucket=bucket, Key="in/a b?c#d%2F.jpg", Body=b"object")
    client.put_object(Bucket=bucket, Key="in/large", Body=bytes(100_001))
    client.put_object(Bucket=bucket, Key="out/a", Body=b"")
    policy = SourcePolicy.sources(f"s3://{bucket}/in,s3://no-such-bucket")
    settings = Settings.from_env({}, max_bytes=100_000)
    assert fetch(f"s3://{bucket}/in/a b?c#d%2F.jpg", policy, settings) == b"object"
    with pytest.raises(OverLimit):
        fetch(f"s3://{bucket}/in/large", policy, settings)
    for url, code in (
        (f"s3://{bucket}/in/none", "not_found"),
        (f"s3://{bucket}/in/", "source_unreadable"),
        (f"s3://{bucket}/out/a", "source_refused"),
    ):
        with pytest.raises(PermanentError) as caught:
            fetch(url, policy, settings)
        assert caught.value.code == code
    with pytest.raises(RunError, match="bucket no-such-bucket does not exist"):
        fetch("s3://no-such-bucket/a", policy, settings)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(RunError, match=r"source s3://.* refuses access"):
        fetch(f"s3://{bucket}/in/large", policy, settings)


def test_a_wrong_clock_is_named(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=20)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: ahead)
    clock.take_from(lambda: ahead)
    try:
        with pytest.raises(RunError, match="clock is 20 min ahead of the server's: set the clock"):
            fetch(f"s3://{bucket}/a", SourcePolicy.sources(f"s3://{bucket}"), Settings.from_env())
    finally:
        clock.take_from(None)


def test_an_unavailable_bucket_server_is_waited_for(s3: Swift) -> None:
    settings = Settings(s3_endpoint=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SourceUnavailable, match="does not answer"):  # not an outage of Nightshift's own store
        fetch("s3://inbox/a", SourcePolicy.sources("s3://inbox"), settings)
