"""The exporter as it is started: a real RabbitMQ with the rights of a monitor, a real S3 server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
import pytest

from pipeline import clock
from pipeline.models import to_json
from pipeline.night import recount
from pipeline.night.checks import Checked
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.storage import keys, open_store
from tests.support import roles
from tests.support.scraped import get, scrape
from tests.support.servers import free_port, listens, start, wait_for
from tests.support.servers.rabbit import Rabbit

COMMAND = Path(sys.executable).parent / "nightshift"
UP = "nightshift_up"


@pytest.fixture(scope="module")
def server(rabbit: Rabbit, tmp_path_factory: pytest.TempPathFactory) -> Rabbit:
    roles.import_definitions(rabbit, tmp_path_factory.mktemp("definitions"))
    return rabbit


@contextmanager
def exporter(folder: Path, **env: str) -> Iterator[int]:
    """A running exporter; gives its port."""
    port = free_port()
    settings = {f"NIGHTSHIFT_{name}": value for name, value in env.items()}
    process = start([COMMAND, "exporter", "--listen", f"127.0.0.1:{port}"], folder / "log", settings)
    try:
        wait_for(lambda: listens(port) or process.poll() is not None, "the exporter to listen")
        assert process.poll() is None, (folder / "log").read_text()
        yield port
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def answered(port: int) -> dict[str, float]:
    return {key[1]: value for key, value in scrape(port).items() if key[0] == UP}


def send(channel: Any, hostname: str) -> None:
    event = {"type": "worker-heartbeat", "hostname": hostname, "timestamp": 0}
    channel.basic_publish("celeryev", "worker.heartbeat", json.dumps(event).encode())


@pytest.mark.long
def test_with_the_rights_of_a_monitor_everything_is_read_and_nothing_changed(
    server: Rabbit, bucket: str, tmp_path: Path
) -> None:
    url = f"s3://{bucket}/night"
    store = open_store(url, Settings.from_env())
    store.put(keys.control("tick"), to_json(Checked(clock.utc())))
    store.put(keys.failed("2026-02-28", "t"), b"{}")
    recount.recount(Night.of(Settings.from_env(store_url=url)))
    before = list(store.list(""))
    connection = pika.BlockingConnection(pika.URLParameters(roles.url(server, "worker")))
    channel = connection.channel()
    channel.confirm_delivery()
    for _ in range(3):
        channel.basic_publish("nightshift", "step.ocr", b"{}")
    channel.basic_publish("nightshift", "step.ocr-2", b"{}", mandatory=True)
    try:
        with exporter(tmp_path, BROKER_URL=roles.url(server, "monitor"), STORE_URL=url) as port:

            def all_read() -> bool:
                send(channel, "cpu@host")
                send(channel, "gpu@host")
                up = answered(port)
                return len(up) == 5 and set(up.values()) == {1.0}

            wait_for(all_read, "all parts to be read")
            found = scrape(port)
            assert found["nightshift_queue_messages", "ocr"] == 4
            assert found["nightshift_queue_messages", "inference_tasks"] >= 0
            assert found["nightshift_workers",] == 2
            assert found["nightshift_failures_open",] == 1
            assert abs(found["nightshift_clock_skew_seconds",]) < 5
            assert abs(found["nightshift_last_tick_timestamp_seconds",] - clock.utc().timestamp()) < 300
            assert get(port, "/healthz") == (200, "ok\n")
            assert get(port, host="evil.example.org")[0] == 403
            with ThreadPoolExecutor(40) as pool:
                assert set(pool.map(lambda _: get(port)[0], range(80))) == {200}

            connection.close()
            server.ctl("close_all_connections", "-p", roles.VHOST, "a test")
            connection = pika.BlockingConnection(pika.URLParameters(roles.url(server, "worker")))
            channel = connection.channel()

            def heard_again() -> bool:
                for name in ("cpu@host", "gpu@host", "new@host"):
                    send(channel, name)
                return scrape(port).get(("nightshift_workers",)) == 3

            wait_for(heard_again, "a connection instead of the lost one")
            assert set(answered(port).values()) == {1.0}
        assert list(store.list("")) == before
    finally:
        for name in ("ocr", "ocr-2"):
            channel.queue_purge(name)
        connection.close()


def test_what_does_not_answer_is_absent_and_the_rest_is_there(server: Rabbit, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    open_store(str(folder), Settings.from_env({})).put(keys.control("tick"), to_json(Checked(clock.utc())))
    nobody = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    with exporter(tmp_path, BROKER_URL=nobody, STORE_URL=str(folder)) as port:
        wait_for(lambda: len(answered(port)) == 5, "all parts to be tried")
        assert answered(port) == {"broker": 0, "workers": 0, "store": 1, "failures": 1, "backlog": 1}
        names = {key[0] for key in scrape(port)}
        assert "nightshift_window_open" in names
        assert not names & {"nightshift_queue_messages", "nightshift_workers"}
    gone = {"STORE_URL": "s3://bucket/x", "S3_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    with exporter(tmp_path, BROKER_URL=roles.url(server, "monitor"), **gone) as port:
        wait_for(lambda: answered(port).get("broker") == 1 and "store" in answered(port), "both", 90)
        assert answered(port)["store"] == 0
        names = {key[0] for key in scrape(port)}
        assert "nightshift_queue_messages" in names
        assert "nightshift_window_open" not in names


@pytest.mark.parametrize(
    ("listen", "env", "code", "said"),
    [
        ("nowhere", {}, 2, "expected host:port"),
        ("203.0.113.7:9808", {}, 1, "use another --listen"),
        ("0.0.0.0:9808", {"NIGHTSHIFT_REQUIRE_TLS": "true"}, 2, "NIGHTSHIFT_METRICS_HOSTS"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence(
    listen: str, env: dict[str, str], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    env = {"NIGHTSHIFT_BROKER_URL": "amqps://localhost", "PATH": "/usr/bin", "NIGHTSHIFT_ENV_FILE": "", **env}
    ended = subprocess.run(
        [COMMAND, "exporter", "--store", tmp_path / "store", "--listen", listen],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr.count("\n") <= 3, said in ended.stderr) == (code, True, True), (
        ended.stderr
    )
