"""Five machines: one worker's cable is cut while it works, and another worker's machine loses its power.

Each is a host of its own (`tests.support.hosts`): broker, S3, beat and two workers. Packets of a cut host are dropped,
so its connections hang instead of failing.
"""

import io
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from PIL import Image

from pipeline.models import to_json
from pipeline.night.window import Override
from pipeline.storage import keys
from tests.support.command import nightshift
from tests.support.hosts import Host, Network, network
from tests.support.night import Night, night, shade
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit, start_rabbit
from tests.support.servers.swift import Swift, start_swift

HEARTBEAT = 5
"""Seconds; the broker counts a connection as dead after two to two and a half. Ours is 10."""
GRACE = 2.0
FIRST, SECOND = 10, 6
"""Documents before and after the partition."""
CLOSES, KNOWN = 20, 5
"""Seconds until the window closes, and in which workers certainly read that: they look every second."""
BUCKET = "hosts"


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as it:
        yield it


@pytest.fixture
def servers(net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Rabbit, Swift]]:
    """Broker and store, each on its host; this process may use them, too."""
    broker, store = net.host("broker"), net.host("store")
    for name in ("rabbit", "swift"):
        (tmp_path / name).mkdir()
    with ThreadPoolExecutor() as both:
        more = f"heartbeat = {HEARTBEAT}\n"
        first = both.submit(
            start_rabbit, tmp_path / "rabbit", host=broker.address, inside=broker.inside, options=more
        )
        second = both.submit(start_swift, tmp_path / "swift", store.address, store.inside)
    rabbit, swift = first.result(), second.result()
    for name, value in swift.environ.items():
        monkeypatch.setenv(name, value)
    boto3.session.Session().client("s3").create_bucket(Bucket=BUCKET)
    yield rabbit, swift
    swift.stop()
    if rabbit.process is not None:
        rabbit.process.kill()
        rabbit.process.wait()


def test_a_worker_is_cut_off_and_another_loses_its_power(
    net: Network, servers: tuple[Rabbit, Swift], tmp_path: Path
) -> None:
    rabbit, swift = servers
    env = {
        **swift.environ,
        "NIGHTSHIFT_STORE_URL": f"s3://{BUCKET}/store",
        "NIGHTSHIFT_ALLOWED_SOURCES": f"s3://{BUCKET}/inbox/",
        "NIGHTSHIFT_WINDOW": "never",
        "NIGHTSHIFT_CLOSE_GRACE": f"{GRACE:.0f}",
        "NIGHTSHIFT_FAKE_SECONDS": "3",
    }
    with night(rabbit, tmp_path, **env) as it:
        w1, w2 = _start(it, net)
        it.publish(_documents(it, FIRST, "first"))
        wait_for(lambda: it.depth("ocr") == FIRST, "the documents to be accepted", 240)
        it.window("open")
        wait_for(lambda: _working(it, "w1") and _working(it, "w2"), "both workers to work", 180)
        ends = datetime.now(UTC) + timedelta(seconds=CLOSES)
        it.store.put(keys.control("window"), to_json(Override("open", ends.isoformat())))
        time.sleep(KNOWN)  # until both have read that
        wait_for(lambda: _in_progress(it, "w1"), "work that only another delivery saves", CLOSES)

        net.cut(w1)
        cut = time.monotonic()
        held = w1.processes("spawn_main")
        done = len(it.ended())
        assert held
        assert datetime.now(UTC) < ends, "the window closes while the worker is cut off"
        wait_for(lambda: datetime.now(UTC) >= ends, "the window to close")
        closed = time.monotonic()
        wait_for(
            lambda: not held & w1.processes("spawn_main"), "the cut-off worker to give up its models", 30
        )
        gone = time.monotonic() - closed
        assert gone <= GRACE + 5
        it.window("open")
        it.settle(FIRST, 240)
        redelivered = time.monotonic() - cut

        net.heal(w1)
        healed = time.monotonic()
        wait_for(lambda: it.consumers("ocr") == 2, "the worker to consume again", 60)
        normal = time.monotonic() - healed

        it.publish(_documents(it, SECOND, "second"))
        wait_for(lambda: len(it.ended()) >= FIRST + 2, "work to go on", 120)
        w2.kill()
        killed = time.monotonic()
        it.settle(FIRST + SECOND, 240)
        taken_over = time.monotonic() - killed

        assert set(it.ended().values()) == {1}
        assert {record.status for record in it.records().values()} == {"done"}
        assert it.depth("dead") == 0
        audit = nightshift("audit", it.flow.schedule.run_date(), "--json", **it.env)
        assert audit.returncode == 0, audit.stdout + audit.stderr
        counts = json.loads(audit.stdout)
        print(
            f"models gone {gone:.1f} s after close; all {FIRST - done} left done {redelivered:.1f} s after the cut; "
            f"normal {normal:.1f} s after it healed; all done {taken_over:.1f} s after the power cut; audit {counts}"
        )


def _start(it: Night, net: Network) -> tuple[Host, Host]:
    """Two workers and beat, each on a host of its own."""
    hosts = {name: net.host(name) for name in ("w1", "w2", "beat")}
    it.places = {name: host.inside for name, host in hosts.items()}
    workers = [
        it.worker(name, "-c", "1", NIGHTSHIFT_TEMP_DIR=str(_folder(it.folder / f"tmp-{name}")))
        for name in ("w1", "w2")
    ]
    it.beat()
    wait_for(lambda: all(" ready." in worker.text() for worker in workers), "the workers to be ready", 240)
    return hosts["w1"], hosts["w2"]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _working(it: Night, name: str) -> bool:
    return bool(_in_progress(it, name))


def _in_progress(it: Night, name: str) -> set[str]:
    """OCR that a worker has received and not ended, by Celery's ids."""
    log = (it.folder / f"{name}.log").read_text(errors="replace")
    received, ended = (
        set(re.findall(rf"Task nightshift\.ocr\[([0-9a-f-]+)\] {word}", log))
        for word in ("received", "succeeded")
    )
    return received - ended


def _documents(it: Night, count: int, prefix: str) -> list[dict[str, str]]:
    """Pages in the bucket, each of a colour of its own, and a message for each."""
    s3 = boto3.session.Session().client("s3")
    messages = []
    for n in range(count):
        png = io.BytesIO()
        Image.new("RGB", (64, 64), shade(n + 100 * (prefix == "second"))).save(png, "PNG")
        key = f"inbox/{prefix}_{n}.png"
        s3.put_object(Bucket=BUCKET, Key=key, Body=png.getvalue())
        messages.append(
            {"task_id": f"{prefix}_{n:03}", "task_type": "document", "image_url": f"s3://{BUCKET}/{key}"}
        )
    return messages
