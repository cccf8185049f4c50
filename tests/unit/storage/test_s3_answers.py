"""What errors of S3-compatible servers mean; no server is asked."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import botocore.exceptions as boto_errors
import pytest
from botocore.parsers import ResponseParserError
from urllib3.exceptions import SSLError as URLLib3SSLError

from pipeline import clock
from pipeline.errors import NotFound, PipelineError, RunError, StoreUnavailable
from pipeline.settings import Settings
from pipeline.storage import s3
from pipeline.storage.s3_answers import clock_difference, fault_of, wrong_by

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (403, "RequestTimeTooSkewed", "clock"),
        (403, "SignatureDoesNotMatch", "credentials"),
        (403, "InvalidAccessKeyId", "credentials"),
        (400, "ExpiredToken", "credentials"),
        (400, "InvalidToken", "credentials"),
        (400, "TokenRefreshRequired", "credentials"),
        (401, "", "credentials"),
        (407, "", "credentials"),
        (403, "AccessDenied", "access"),
        (403, "", "access"),
        (403, "403", "access"),
        (404, "NoSuchBucket", "bucket"),
        (404, "NoSuchKey", "key"),
        (404, "404", "key"),
        (429, "TooManyRequests", "overload"),
        (429, "", "overload"),
        (400, "ThrottlingException", "overload"),
        (503, "SlowDown", "overload"),
        (400, "RequestTimeout", "overload"),
        (500, "InternalError", "overload"),
        (400, "KMS.DisabledException", "setup"),
        (301, "PermanentRedirect", "setup"),
        (400, "KeyTooLongError", "other"),
        (400, "SecurityTokenExpired", "credentials"),  # from here on: codes of other servers
        (403, "InvalidAccessKeyId.Inactive", "credentials"),
        (400, "QpsLimitExceeded", "overload"),
        (400, "TooManyKeys", "other"),
    ],
)
def test_an_answer_says_who_is_at_fault(status: int, code: str, fault: str) -> None:
    assert fault_of(code, status) == fault


def test_a_clock_is_compared_with_the_date_of_an_answer() -> None:
    def ahead(minutes: float) -> timedelta | None:
        return clock_difference(format_datetime(NOW - timedelta(minutes=minutes), usegmt=True), NOW)

    assert ahead(4) is None
    assert ahead(-4) is None
    assert wrong_by(ahead(20) or timedelta()) == "20 min ahead of"
    assert wrong_by(ahead(-180) or timedelta()) == "3.0 h behind"
    assert clock_difference("", NOW) is None
    assert clock_difference("yesterday", NOW) is None


class Refusing:
    """A client whose answer is always this error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_object(self, **_: Any) -> None:
        raise self.error


def answer(code: str, status: int, date: datetime | None = None) -> boto_errors.ClientError:
    headers = {"date": format_datetime(date, usegmt=True)} if date else {}
    return boto_errors.ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}},
        "GetObject",
    )


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (answer("RequestTimeTooSkewed", 403), RunError, "this machine's clock differs from the server's"),
        (answer("AccessDenied", 403, NOW - timedelta(minutes=20)), RunError, "clock is 20 min ahead of"),
        (answer("SignatureDoesNotMatch", 403, NOW + timedelta(hours=9)), RunError, "clock is 9.0 h behind"),
        (answer("ExpiredToken", 400, NOW), RunError, "has expired; renew it"),
        (answer("AccessDenied", 403, NOW), RunError, "refuses access to a/b .AccessDenied."),
        (answer("429", 429), StoreUnavailable, "overloaded"),
        (answer("NoSuchKey", 404), NotFound, "a/b not found"),
        (answer("NoSuchBucket", 404), RunError, "bucket inbox does not exist"),
        (boto_errors.NoCredentialsError(), RunError, "No credentials"),
        (boto_errors.ProfileNotFound(profile="x"), RunError, "No credentials"),
        (
            boto_errors.SSLError(endpoint_url="x", error=URLLib3SSLError(ssl.SSLError(1, "[SSL] e"))),
            StoreUnavailable,
            "TLS with the store s3://inbox failed: the handshake ended",
        ),
        (ResponseParserError("<html>"), StoreUnavailable, "does not answer"),
    ],
)
def test_an_error_of_a_bucket_is_explained(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[PipelineError], sentence: str
) -> None:
    store = s3.S3Store("inbox", "", Settings())
    monkeypatch.setitem(store.__dict__, "_client", Refusing(error))
    clock.take_from(lambda: NOW)
    try:
        with pytest.raises(kind, match=sentence):
            store.get("a/b")
    finally:
        clock.take_from(None)


def test_a_wrong_clock_is_named_before_the_server_refuses_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=9), usegmt=True)
    monkeypatch.setattr(s3, "_warned_at", float("-inf"))
    store = s3.S3Store("inbox", "", Settings())
    for status in (403, 200, 200):  # an error names the clock itself
        store._compare_clocks(SimpleNamespace(status_code=status, headers={"Date": date}))
        assert bool(caplog.records) == (status == 200)
    assert [r.getMessage() for r in caplog.records] == [
        "this machine's clock is 9 min behind the clock of s3://inbox: set it (NTP)"
    ]
