"""FAKE PaddleX server: it reads nothing, and misbehaves as it is asked to. For tests of its client only."""

import base64
import http.server
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

LINE = "Seen by a fake"
TEST_LINE = "Nightshift 0123456789"
BOX = [[10, 10], [200, 10], [200, 40], [10, 40]]

Reply = Callable[["Handler"], None]


def lines(
    texts: Sequence[str] = (LINE,), boxes: object = (BOX,), scores: Sequence[float] = (0.99,)
) -> dict[str, Any]:
    pruned = {"rec_texts": texts, "rec_scores": scores, "rec_polys": boxes, "dt_polys": boxes}
    return {
        "logId": "x",
        "errorCode": 0,
        "errorMsg": "Success",
        "result": {"ocrResults": [{"prunedResult": pruned}]},
    }


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers health as PaddleX does, the client's test page with `probe`, and other pages with the next reply."""

    owner: "FakeOcr"

    def do_GET(self) -> None:
        self.owner.asked.append("health")
        self.owner.health(self)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        image = cv2.imdecode(np.frombuffer(base64.b64decode(body["file"]), np.uint8), cv2.IMREAD_COLOR)
        self.owner.headers.append(dict(self.headers.items()))
        self.owner.bodies.append(body)
        if image.shape == (96, 480, 3):
            self.owner.asked.append("probe")
            self.owner.probe(self)
        else:
            self.owner.asked.append("page")
            replies = self.owner.replies
            (replies.pop(0) if len(replies) > 1 else replies[0])(self)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def says(body: object, status: int = 200, **headers: str) -> Reply:
    """Answer with JSON, or with text as it is."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return lambda handler: handler.send(status, data, {k.replace("_", "-"): v for k, v in headers.items()})


def resets(handler: Handler) -> None:
    """End the connection without an answer, as a process that dies."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hangs(handler: Handler) -> None:
    """Say nothing until the server is stopped."""
    handler.owner.stopped.wait(30)


def endless(handler: Handler) -> None:
    """Send JSON without an end."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" " * 2**20)


def twice(reply: Reply) -> Reply:
    """This reply also to the next request, with which the client looks whether the server lives; then it is back."""

    def again(handler: Handler) -> None:
        handler.owner.probe = READS
        reply(handler)

    def first(handler: Handler) -> None:
        handler.owner.probe = again
        reply(handler)

    return first


GOOD = says(lines())
NOTHING = says(lines([], [], []))
READS = says(lines([TEST_LINE]))


class FakeOcr:
    """What the server does, and what it was asked."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [GOOD]
        self.probe: Reply = READS
        self.health: Reply = says({"logId": "x", "errorCode": 0, "errorMsg": "Healthy"})
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.stopped = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def fake_ocr(port: int = 0) -> Iterator[FakeOcr]:
    """Serve until the block ends."""
    it = FakeOcr()
    handler = type("Bound", (Handler,), {"owner": it})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that left
    it.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield it
    finally:
        it.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
