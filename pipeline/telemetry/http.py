"""A small HTTP server for metrics: a few pages, GET only, in threads of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from pipeline import listen

log = logging.getLogger("nightshift")

MOST = 16
"""Requests at a time; further connections wait."""

LONGEST = 20.0
"""Seconds that one request may take, with a client that sends or reads slowly."""


class Answer(NamedTuple):
    """What a page answers with."""

    status: int
    body: bytes
    content: str = "text/plain; charset=utf-8"


class Server(ThreadingHTTPServer):
    """Answers with `pages` by path. `hosts`: names it may be asked by, next to localhost and IP addresses.

    Raises `OSError` where the address is in use or is not one of this machine.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], pages: Mapping[str, Callable[[], Answer]], hosts: frozenset[str]
    ) -> None:
        self.pages, self.hosts = pages, hosts
        self._begun: dict[Any, float] = {}
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, as soon as there are not too many."""
        while len(self._begun) >= MOST:
            self.service_actions()
            time.sleep(0.01)
        self._begun[request] = time.monotonic()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._begun.pop(request, None)

    def service_actions(self) -> None:
        """End requests that take too long; called about twice per second."""
        late = time.monotonic() - LONGEST
        for request in [request for request, begun in list(self._begun.items()) if begun < late]:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do not print a traceback for a client that has gone."""

    def in_thread(self) -> None:
        """Serve for as long as the process lives."""
        threading.Thread(target=self.serve_forever, name="metrics-http", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version, sys_version = "nightshift", ""
    timeout = 10

    def do_GET(self) -> None:
        """Answer with a page."""
        answer = self._answer()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(answer.body)

    def _answer(self) -> Answer:
        if not listen.may_ask(self.headers.get("Host", ""), self.server.hosts):
            sentence = b"Only requests for localhost, an IP address, or a name in NIGHTSHIFT_METRICS_HOSTS.\n"
            return Answer(403, sentence)
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            return Answer(404, b"No such page: " + b", ".join(p.encode() for p in self.server.pages) + b"\n")
        try:
            return page()
        except Exception as error:
            log.warning("%s could not be made: %s: %s", self.path[:40], type(error).__name__, error)
            return Answer(503, b"The metrics could not be read; see the log.\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape every few seconds is no event."""
