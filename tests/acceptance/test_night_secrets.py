"""What nobody should find in a worker's log, however much it says: texts, signatures, tokens, keys."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.remote.signing import SIGNATURE_HEADER
from pipeline.storage import keys
from tests.support.command import grey, page
from tests.support.night import night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.swift import Swift

TEXT, TOKEN, SIGNATURE, KEY = "colour 123456 peppercorn", "nutmeg", "cardamom", "turmeric"


class _Host(BaseHTTPRequestHandler):
    """Gives one page, and takes callbacks."""

    page: bytes
    posted: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, self.headers[SIGNATURE_HEADER]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    _Host.page, _Host.posted = page(tmp_path / "a.png", grey(1)).read_bytes(), []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_at_debug_a_worker_says_nothing_secret(
    rabbit: Rabbit, s3: Swift, bucket: str, host: str, tmp_path: Path
) -> None:
    env = {
        **s3.environ,
        "NIGHTSHIFT_STORE_URL": f"s3://{bucket}",
        "NIGHTSHIFT_ALLOWED_SOURCES": host,
        "NIGHTSHIFT_ALLOWED_CALLBACKS": host,
        "NIGHTSHIFT_ALLOW_PRIVATE_HOSTS": "true",
        "NIGHTSHIFT_CALLBACK_SECRET": KEY,
    }
    callback = f"{host}/hook?token={TOKEN}#{TOKEN}"
    text = {"task_id": "note", "task_type": "nlp", "text": TEXT, "callback_url": callback}
    signed = {
        "task_id": "scan",
        "task_type": "document",
        "image_url": f"{host}/a.png?X-Amz-Signature={SIGNATURE}",
    }
    refused = {
        "task_id": "no",
        "task_type": "document",
        "image_url": f"https://u:{SIGNATURE}@h/a?x={SIGNATURE}",
    }
    broken = f'{{"task_id": "cut", "text": "{TEXT}'.encode()
    with night(rabbit, tmp_path, **env) as it:
        worker = it.ready(it.worker("w1", "-l", "DEBUG"))
        messages = [json.dumps(one).encode() for one in (text, signed, refused)] + [broken]
        it.publish(messages)
        it.settle(4, 120)
        wait_for(lambda: _Host.posted, "the callback")
        assert _Host.posted[0][0] == f"/hook?token={TOKEN}"
        log = worker.text()
        worker.stop()
        hidden = ["peppercorn", TOKEN, SIGNATURE, KEY]
        hidden += [base64.b64encode(body).decode()[:40] for body in messages]
        hidden += [_Host.posted[0][1].rpartition("=")[2], "AWS4-HMAC-SHA256"]
        for secret in hidden:
            assert secret not in log, log[max(0, log.index(secret) - 300) :][:600]
        assert "step ner" in log or "succeeded in" in log, "it says something"
        for key in it.store.list(""):
            data = it.store.get(key)
            assert SIGNATURE.encode() not in data, key
            assert TOKEN.encode() not in data or key == keys.callback_url("note"), key
