"""The report is posted and mailed over real sockets: signed, by TLS, once, without a password in any message."""

import email
import email.policy
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from pipeline import clock
from pipeline.ledger import reported
from pipeline.models import to_json
from pipeline.night.night import Night
from pipeline.remote.signing import SIGNATURE_HEADER, verify
from pipeline.report import delivery, due
from pipeline.report.delivery import Sent
from pipeline.storage import Store, keys
from pipeline.storage.memory import MemoryStore
from pipeline.storage.objects import read_or_none
from pipeline.tables.summary import summarise
from tests.support.certificates import Authority
from tests.support.reports import at, finish, night_of, paper, receive
from tests.support.servers import free_port

DAY = "2026-11-22"
SECRET, PASSWORD = "callback-secret", "hush:h/ush"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    times = [at("2026-11-23T06:40")]
    monkeypatch.setattr(clock, "_source", lambda: times[0])
    return times


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pipeline.report.written.as_html", lambda report, _: f"<!doctype html><p>{report.run_date}夜</p>"
    )


@pytest.fixture
def store() -> Store:
    store = MemoryStore("delivery")
    (task,) = receive(store, DAY, "one", data=paper())
    finish(store, task)
    summarise(store, DAY)
    assert due.write_due(night_of(store), clock.utc()) == DAY
    return store


def sent(store: Store) -> Sent:
    found = read_or_none(store, keys.report(DAY, reported.SENT), Sent)
    assert found
    return found


Posts = list[tuple[dict[str, str], bytes]]


@contextmanager
def receiver(status: Callable[[], int] = lambda: 200) -> Iterator[tuple[str, Posts]]:
    posts: Posts = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status())
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/reports", posts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def posting(store: Store, url: str, **more: str) -> Night:
    known = {"report_url": url, "callback_secret": SECRET, "allow_private_hosts": "true"} | more
    return night_of(store, **known)


def test_it_is_posted_once_signed_and_without_pictures(store: Store) -> None:
    with receiver() as (url, posts):
        assert delivery.send_due(posting(store, url), clock.utc()) == 1
        assert delivery.send_due(posting(store, url), clock.utc() + timedelta(hours=1)) == 0
    ((headers, body),) = posts
    assert verify(body, headers[SIGNATURE_HEADER], SECRET, clock.utc().timestamp())
    said = json.loads(body)
    assert said["run_date"] == DAY
    assert said["audit"]["received"] == 1
    assert [one["picture"] for one in said["looks"] + said["documents"]] == ["", ""]
    kept = json.loads(store.get(keys.report(DAY, "report.json")))
    assert any(one["picture"] for one in kept["documents"])
    assert sent(store).url.sent


def test_a_receiver_that_fails_is_tried_again_for_a_day(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([503, 404, 200])
    with receiver(lambda: next(answers)) as (url, posts):
        night, begun = posting(store, url), clock.utc()
        assert delivery.send_due(night, begun) == 0
        assert delivery.send_due(night, begun + delivery.PAUSE / 2) == 0
        assert len(posts) == 1, "not before the pause is over"
        assert delivery.send_due(night, begun + delivery.PAUSE) == 0
        assert delivery.send_due(night, begun + 2 * delivery.PAUSE) == 1
        assert sent(store).url.attempts == 3
    assert [record.levelno for record in caplog.records if "was not sent" in record.message] == [
        logging.WARNING,
        logging.ERROR,
    ]


def test_nothing_is_sent_of_a_night_long_ago_or_without_a_report(store: Store) -> None:
    with receiver() as (url, posts):
        late = at("2026-11-23T06:00") + delivery.GIVEN + timedelta(minutes=1)
        assert delivery.send_due(posting(store, url), late - timedelta(minutes=2)) == 1
        assert delivery.send_due(posting(MemoryStore("empty"), url), clock.utc()) == 0
        assert len(posts) == 1
        store.delete(keys.report(DAY, reported.SENT))
        assert delivery.send_due(posting(store, url), late) == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [({"callback_secret": ""}, "signed"), ({"allow_private_hosts": "false"}, "not public")],
)
def test_what_the_policy_refuses_is_not_posted(store: Store, more: dict[str, str], code: str) -> None:
    with receiver() as (url, posts):
        assert delivery.send_due(posting(store, url, **more), clock.utc()) == 0
    assert posts == []
    assert code in sent(store).url.error


class Inbox:
    """A handler of a mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return self.answer


logins: list[bytes] = []


def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    logins.append(data.login)
    return AuthResult(
        handled=False, success=(data.login, data.password) == (b"night@example.org", PASSWORD.encode())
    )


@contextmanager
def mail_server(**options: Any) -> Iterator[tuple[int, Inbox]]:
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port, inbox
    finally:
        controller.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def mailing(store: Store, url: str, **more: str) -> Night:
    return night_of(store, **({"report_mail": "ops@example.org, boss@example.org", "smtp_url": url} | more))


USER = "night%40example.org:hush%3Ah%2Fush@"


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_it_is_mailed_by_tls_with_a_login(store: Store, authority: Authority, scheme: str) -> None:
    context = authority.server(authority.issue("localhost"))
    options = (
        {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    )
    with mail_server(authenticator=authenticate, auth_require_tls=scheme == "smtp", **options) as (
        port,
        inbox,
    ):
        night = mailing(
            store,
            f"{scheme}://{USER}localhost:{port}",
            http_ca=str(authority.ca),
            require_tls="true",
            report_language="zh",
        )
        assert delivery.send_due(night, clock.utc()) == 1
        assert delivery.send_due(night, clock.utc() + timedelta(hours=1)) == 0
    assert logins.pop() == b"night@example.org"
    (envelope,) = inbox.envelopes
    assert envelope.rcpt_tos == ["ops@example.org", "boss@example.org"]
    assert envelope.mail_from == "night@example.org"
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["Subject"].startswith(f"Nightshift {DAY}: 全部 1 份已读完")
    text, page = mail.iter_parts()
    assert "接收" in text.get_content()
    assert page.get_filename() == f"nightshift-{DAY}.html"
    assert page.get_content_type() == "text/html"
    assert "夜" in page.get_content()


def test_a_server_on_this_machine_may_do_without_tls_unless_it_is_required(store: Store) -> None:
    with mail_server() as (port, inbox):
        url = f"smtp://127.0.0.1:{port}?from=night@example.org"
        assert delivery.send_due(mailing(store, url, require_tls="true"), clock.utc()) == 0
        assert "offers no STARTTLS" in sent(store).mail.error
        assert delivery.send_due(mailing(store, url), clock.utc() + delivery.PAUSE) == 1
        assert len(inbox.envelopes) == 1


def test_a_password_is_never_sent_without_tls(store: Store) -> None:
    with mail_server(authenticator=authenticate, auth_require_tls=False) as (port, inbox):
        assert delivery.send_due(mailing(store, f"smtp://{USER}127.0.0.1:{port}"), clock.utc()) == 0
        assert inbox.envelopes == []


def test_no_error_says_the_password(
    store: Store, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    context = authority.server(authority.issue("localhost"))
    wrong = "night%40example.org:wrong-hush@"
    with mail_server(ssl_context=context, authenticator=authenticate, auth_require_tls=False) as (
        port,
        _,
    ):
        url = f"smtps://{wrong}localhost:{port}"
        assert delivery.send_due(mailing(store, url, http_ca=str(authority.ca)), clock.utc()) == 0
        assert "refuses the login" in sent(store).mail.error
        assert delivery.send_due(mailing(store, url), clock.utc() + delivery.PAUSE) == 0
        assert "NIGHTSHIFT_HTTP_CA" in sent(store).mail.error
    url = f"smtps://{wrong}localhost:{port}"
    assert delivery.send_due(mailing(store, url), clock.utc() + 2 * delivery.PAUSE) == 0
    assert "does not answer" in sent(store).mail.error
    assert "hush" not in caplog.text + to_json(sent(store)).decode()
    assert "hush" not in repr(mailing(store, url).settings)


def test_addresses_that_are_refused(store: Store) -> None:
    with mail_server() as (port, inbox):
        inbox.answer = "550 no such mailbox"
        url = f"smtp://127.0.0.1:{port}?from=night@example.org"
        assert delivery.send_due(mailing(store, url), clock.utc()) == 0
        assert "does not accept the mail (550)" in sent(store).mail.error
