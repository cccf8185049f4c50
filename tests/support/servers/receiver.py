"""A submitting system's HTTP server, which receives callbacks."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Post(NamedTuple):
    """One request."""

    body: bytes
    headers: dict[str, str]


def calling(url: str) -> dict[str, str]:
    """Settings of a night that may call back."""
    return {
        "NIGHTSHIFT_ALLOWED_CALLBACKS": url,
        "NIGHTSHIFT_ALLOW_PRIVATE_HOSTS": "true",
        "NIGHTSHIFT_CALLBACK_SECRET": "a shared secret",
    }


@contextmanager
def receiver(statuses: list[int]) -> Iterator[tuple[str, list[Post]]]:
    """A server that answers with `statuses` in turn: its URL, and what it got."""
    received: list[Post] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(Post(body, dict(self.headers.items())))
            self.send_response(statuses[len(received) - 1])
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
