"""The server of metrics: whom it answers, and how many at once."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.telemetry import http
from pipeline.telemetry.http import Answer, Server
from tests.support.scraped import get
from tests.support.servers import free_port


@pytest.fixture
def server() -> Iterator[Server]:
    def broken() -> Answer:
        raise RuntimeError("a file of metrics is damaged")

    made = Server(
        ("127.0.0.1", free_port()),
        {"/healthz": lambda: Answer(200, b"ok\n"), "/metrics": broken},
        frozenset({"worker.example.org"}),
    )
    made.in_thread()
    yield made
    made.shutdown()
    made.server_close()


def test_pages_hosts_and_methods(server: Server) -> None:
    port = server.server_port
    assert get(port, "/healthz") == (200, "ok\n")
    assert get(port, "/healthz?x=1", "localhost:1")[0] == 200
    assert get(port, "/healthz", "worker.example.org")[0] == 200
    status, text = get(port, "/healthz", "evil.example.org")
    assert (status, "NIGHTSHIFT_METRICS_HOSTS" in text) == (403, True)
    assert get(port, "/../etc/passwd")[0] == 404
    for method in ("POST", "PUT", "DELETE", "HEAD"):
        assert get(port, "/healthz", method=method)[0] == 501
    status, text = get(port, "/metrics")
    assert (status, "damaged" in text) == (503, False)


def test_many_scrapes_at_once_are_all_answered(server: Server) -> None:
    def slow() -> Answer:
        time.sleep(0.05)
        return Answer(200, b"ok\n")

    server.pages = {"/metrics": slow}
    with ThreadPoolExecutor(60) as pool:
        assert set(pool.map(lambda _: get(server.server_port), range(120))) == {(200, "ok\n")}


def test_clients_that_say_nothing_hold_nobody_up_for_long(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONGEST", 1.0)
    mute = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(2 * http.MOST)]
    stop = threading.Event()

    def drip() -> None:  # each byte would restart a time limit for silence
        while not stop.wait(0.2):
            for one in mute:
                try:
                    one.send(b"G")
                except OSError:
                    return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert get(server.server_port, "/healthz") == (200, "ok\n")
    finally:
        stop.set()
        dripping.join()
        for one in mute:
            one.close()
