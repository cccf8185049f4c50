"""One OCR server: a request to it, and what its status means."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.errors import OcrUnavailable, PermanentError, PipelineError, RunError, TransientError
from pipeline.remote.body import CHUNK
from pipeline.remote.http import AnswerLost, request
from pipeline.remote.policy import SourcePolicy
from pipeline.remote.urls import Location, shown
from pipeline.served.wire import MAX_ANSWER

LONGEST_REST = 60.0
"""Maximum seconds for which a server that is overloaded is left alone, whatever it asks for."""
TOKEN = "NIGHTSHIFT_OCR_SERVER_TOKEN"  # noqa: S105 - the name of a setting

_BUSY = (429, 503)
_LOGIN = (401, 403, 407, 511)
_PASSING = (408, 425)
_TOO_LARGE = 413
_ELSEWHERE = (404, 405, 410, 501)
_OF_PROXY = (502, 504)
"""A proxy could not get an answer from the server behind it."""


class Busy(Exception):
    """The server has no room now; `seconds` until it may be asked again, `None` where it does not say."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self.seconds = seconds


class Down(Exception):
    """The server can't read any page: `reason` is an `OcrUnavailable`, or a `RunError` if a person must act."""

    def __init__(self, reason: PipelineError) -> None:
        super().__init__(reason.message)
        self.reason = reason


class Failed(Exception):
    """The server, or the page, is at fault.

    `lost`: it did not answer at all, as one that died or hangs; `by_proxy`: only a proxy says so, which may have an
    outage of its own. `reason`: what it is if the server answers other pages no better.
    """

    def __init__(
        self,
        sentence: str,
        *,
        lost: bool = False,
        by_proxy: bool = False,
        reason: PipelineError | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence, self.lost, self.by_proxy = sentence, lost, by_proxy
        self.reason = reason or OcrUnavailable(sentence)


class Server:
    """A PaddleX server at a URL, without the path of the service."""

    def __init__(self, url: str, policy: SourcePolicy, token: str = "") -> None:
        """`token`: sent as `Authorization: Bearer`; never shown."""
        self.name = shown(url)
        self._url, self._policy = url.rstrip("/"), policy
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token.strip()}"

    def post(self, body: bytes, seconds: float) -> bytes:
        """The answer to a request for a page; raises `Busy`, `Down`, `Failed`."""
        return self._ask("POST", "/ocr", body, seconds)

    def health(self, seconds: float) -> None:
        """Ask whether it is ready, which costs it nothing; raises as `post`."""
        answer = self._ask("GET", "/health", None, seconds)
        if not answer.lstrip().startswith(b"{"):
            raise Down(self.wrong("does not answer /health with JSON"))

    def _ask(self, method: str, path: str, body: bytes | None, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        try:
            with request(
                method,
                self._place(path),
                self._policy,
                until,
                headers=self._headers,
                body=body,
                read_seconds=seconds,
            ) as response:
                self._check(response.status, response.headers.get("Retry-After"))
                return self._collect(response.stream(CHUNK), until)
        except AnswerLost as error:
            raise Failed(error.message, lost=True) from error
        except TransientError as error:
            raise Down(OcrUnavailable(error.message)) from error
        except PermanentError as error:  # an address that is never allowed
            raise Down(RunError(error.message, code=error.code)) from error

    def _place(self, path: str) -> Location:
        return self._policy.match(self._url + path)[0]

    def _collect(self, chunks: Iterable[bytes], until: float) -> bytes:
        taken = bytearray()
        for chunk in chunks:
            taken += chunk
            if len(taken) > MAX_ANSWER:
                raise self.odd(f"answers with more than {MAX_ANSWER // 1024**2} MiB")
        if time.monotonic() >= until:  # an aborted answer may look complete
            raise Failed(f"The answer of {self.name} took too long.", lost=True)
        return bytes(taken)

    def wrong(self, what: str) -> RunError:
        """The error for a server that is not what it should be."""
        return RunError(
            f"The OCR server {self.name} {what}: check that NIGHTSHIFT_OCR_SERVERS names `paddlex --serve` with the "
            "OCR pipeline.",
            code="ocr_server_wrong",
        )

    def odd(self, what: str) -> Failed:
        """The failure where it answers what it should not: perhaps for this page only."""
        return Failed(f"The OCR server {self.name} {what}.", reason=self.wrong(what))

    def _check(self, status: int, retry_after: str | None) -> None:
        if status == 200:
            return
        if status in _BUSY:
            raise Busy(_seconds(retry_after))
        if status in _LOGIN:
            raise Down(
                RunError(
                    f"The OCR server {self.name} refuses access: it, or a proxy, answered {status}; set {TOKEN}.",
                    code="ocr_server_login",
                )
            )
        if status == _TOO_LARGE:
            raise Down(
                RunError(
                    f"The OCR server {self.name}, or a proxy, refuses pages of this size (413): raise its limit for "
                    "requests (nginx: client_max_body_size 64m).",
                    code="ocr_server_wrong",
                )
            )
        if status in _PASSING:
            raise Down(OcrUnavailable(f"The OCR server {self.name} answered {status}."))
        if status < 400 or status in _ELSEWHERE:
            raise Down(self.wrong(f"answers with status {status}"))
        by_proxy = status in _OF_PROXY
        raise Failed(f"The OCR server {self.name} answered {status}.", lost=by_proxy, by_proxy=by_proxy)


def _seconds(retry_after: str | None) -> float | None:
    """The header Retry-After, seconds or a date (RFC 9110, 10.2.3); `None` where it is missing or invalid."""
    text = (retry_after or "").strip()
    try:
        if text.isdecimal() and text.isascii():
            seconds = float(text)
        else:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_REST)
