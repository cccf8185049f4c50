"""One HTTP request to a host that the policy allows, at exactly the address that was checked.

The name is resolved once, its addresses are checked (`SourcePolicy.addresses`) and the connection is
made to one of them, with the host's own name for TLS. Proxies of the environment are not used, because
the address behind one can't be checked.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import urllib3.exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection

from pipeline import tls
from pipeline.errors import PipelineError, SourceUnavailable, TransientError
from pipeline.remote.policy import SourcePolicy
from pipeline.remote.urls import Location
from pipeline.version import __version__

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MAX_ADDRESSES = 4
"""Maximum number of addresses of a host to try, one after the other."""

_NETWORK = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError)


class AnswerLost(TransientError):
    """A host was connected to, and did not answer, or not to the end."""


@contextmanager
def request(
    method: str,
    place: Location,
    policy: SourcePolicy,
    deadline: float,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    read_seconds: float | None = None,
) -> Iterator[BaseHTTPResponse]:
    """Send one request and return the response, with its body unread. Redirects are not followed.

    `deadline`: on the clock of `time.monotonic`; also aborts a response that trickles. `read_seconds`: for how long the
    host may say nothing, `READ_SECONDS` unless given. Raises `PermanentError` for an address that is not allowed,
    `TransientError` for network errors, also while the body is read; of a source that can't be connected to at all, or
    not by TLS, it is a `SourceUnavailable`; after the connection was made, an `AnswerLost`.
    """
    own = {"Host": place.authority, "User-Agent": f"nightshift/{__version__}", "Accept-Encoding": "identity"}
    code = f"{policy.kind}_unavailable"
    with closing(_connected(place, policy)) as connection:
        connection.timeout = READ_SECONDS if read_seconds is None else read_seconds
        try:
            with _cut_at(connection, deadline):
                with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):  # the answer says why
                    connection.request(
                        method,
                        place.target,
                        body=body,
                        headers={**(headers or {}), **own},
                        preload_content=False,
                    )
                with closing(connection.getresponse()) as response:
                    yield response
        except (
            *_NETWORK,
            ValueError,
        ) as error:  # the latter: a negative length of a chunk, or an invalid header
            cause = (
                error if isinstance(error, _NETWORK) else None
            )  # that of a header shows it: it may be a secret
            if refused := tls.refusal(error, place.authority, policy.tls):
                raise _unavailable(policy, refused.sentence) from cause
            if time.monotonic() >= deadline:
                raise AnswerLost(
                    f"The request to {place.authority} took too long and was aborted.", code=code
                ) from cause
            raise AnswerLost(
                f"{place.authority} closed the connection ({type(error).__name__}).", code=code
            ) from cause


def _connected(place: Location, policy: SourcePolicy) -> HTTPConnection:
    """Connect, with TLS for https; whatever fails here would fail for every document of this host."""
    try:
        return _connect(place, policy)
    except SourceUnavailable as error:  # its name is unknown
        raise _unavailable(policy, error.message) from error
    except _NETWORK as error:
        if refused := tls.refusal(error, place.authority, policy.tls):
            raise _unavailable(policy, refused.sentence) from error
        raise _unavailable(policy, f"{place.authority} can't be reached ({type(error).__name__}).") from error


def _unavailable(policy: SourcePolicy, sentence: str) -> PipelineError:
    if policy.kind == "source":
        return SourceUnavailable(sentence)
    return TransientError(sentence, code=f"{policy.kind}_unavailable")


def _connect(place: Location, policy: SourcePolicy) -> HTTPConnection:
    """Connect to the first address that answers; raises the last one's error."""
    *others, last = policy.addresses(place)[:MAX_ADDRESSES]
    for address in others:
        with suppress(OSError, urllib3.exceptions.HTTPError):
            return _connect_to(place, address, policy)
    return _connect_to(place, last, policy)


def _connect_to(place: Location, address: str, policy: SourcePolicy) -> HTTPConnection:
    connection = (
        HTTPSConnection(
            address,
            place.port,
            timeout=CONNECT_SECONDS,
            ssl_context=tls.context(policy.tls),
            server_hostname=place.host,
        )
        if place.scheme == "https"
        else HTTPConnection(address, place.port, timeout=CONNECT_SECONDS)
    )
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _cut_at(connection: HTTPConnection, deadline: float) -> Iterator[None]:
    """Shut the connection down at the deadline: a peer that sends slowly never causes a read timeout."""
    timer = threading.Timer(deadline - time.monotonic(), _shut, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # already closed
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # SSLSocket's own would continue without TLS
