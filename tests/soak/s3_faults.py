"""An HTTP proxy before an S3 server that fails the way such servers do."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"
_CODES = {500: "InternalError", 503: "SlowDown", 403: "ExpiredToken", 429: "TooManyRequests"}


@dataclass(frozen=True)
class Mood:
    """How requests are answered: a `share` of them, from 0 to 1, with a fault.

    `status`: the answer, without asking the server. `lost`: the server does what was asked, and the answer gets lost.
    `torn`: the answer ends in the middle. `delay`: seconds before each answer.
    """

    share: float = 0.0
    status: int = 0
    lost: bool = False
    torn: bool = False
    delay: float = 0.0


class S3Proxy:
    """Forwards to the server on `target` of this host, and counts the requests by method."""

    def __init__(self, target: int, seed: str) -> None:
        self.target, self.mood = target, Mood()
        self.requests: Counter[str] = Counter()
        self.faults = 0
        self._rng, self._lock = random.Random(seed), threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="s3-proxy", daemon=True).start()

    def draw(self, method: str) -> Mood:
        """What happens to one request."""
        with self._lock:
            self.requests[method] += 1
            mood = self.mood
            hit = self._rng.random() < mood.share
            self.faults += hit
            return mood if hit else Mood(delay=mood.delay)

    def stop(self) -> None:
        """End; open connections end with their threads."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that were killed in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    proxy: ClassVar[S3Proxy]

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mood = self.proxy.draw(self.command)
        time.sleep(mood.delay)
        if mood.status:
            code = _CODES.get(mood.status, "Error")
            self._answer(mood.status, {"Content-Type": "application/xml"}, _ERROR.format(code, code).encode())
            return
        try:
            status, headers, data = self._ask(body)
        except OSError:
            self.close_connection = True
            return
        if mood.lost:
            self.close_connection = True
            return
        self._answer(status, headers, data, torn=mood.torn)

    def _ask(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        server = http.client.HTTPConnection("127.0.0.1", self.proxy.target, timeout=60)
        try:
            headers = {n: v for n, v in self.headers.items() if n.lower() not in ("expect", "connection")}
            server.request(self.command, self.path, body or None, headers)
            answer = server.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            server.close()

    def _answer(self, status: int, headers: Mapping[str, str], data: bytes, *, torn: bool = False) -> None:
        with suppress(OSError):
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            size = headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", size or str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if torn else data)
            if torn:
                self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - names of the base class

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: thousands of requests a minute."""
