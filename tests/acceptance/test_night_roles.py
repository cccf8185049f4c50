"""A night in which each process has the RabbitMQ user of its role, and what a command says without the right."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pika
import pytest

from pipeline.storage import keys
from tests.support import roles
from tests.support.command import nightshift, page
from tests.support.night import RAW, Night, Process
from tests.support.servers import free_port, wait_for
from tests.support.servers.rabbit import Rabbit


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    it = Night(rabbit, tmp_path, {}, vhost=roles.VHOST)
    roles.import_definitions(rabbit, tmp_path)
    try:
        yield it
    except BaseException:
        it.explain()
        raise
    finally:
        it.end()


def as_role(nights: Night, role: str) -> dict[str, str]:
    return {**nights.env, "NIGHTSHIFT_BROKER_URL": roles.url(nights.rabbit, role)}


def publish_as_producer(nights: Night, *bodies: bytes) -> None:
    with pika.BlockingConnection(pika.URLParameters(roles.url(nights.rabbit, "producer"))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for body in bodies:
            channel.basic_publish("nightshift", "task_type.document", body, mandatory=True)


@pytest.mark.long
def test_everybody_does_the_own_work_with_the_own_rights(nights: Night) -> None:
    operator, monitor = as_role(nights, "operator"), as_role(nights, "monitor")
    publish_as_producer(nights, *(json.dumps(one).encode() for one in nights.documents(2)), b"nonsense")
    done = nightshift("submit", str(page(nights.folder / "own.png", (1, 2, 3))), **operator)
    assert done.returncode == 0, done.stderr
    bad = nights.inbox / "bad.png"
    bad.write_bytes(bytes(range(256)))
    publish_as_producer(nights, json.dumps(nights.document("bad", bad)).encode())

    nights.env = as_role(nights, "worker")
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    nights.beat()
    port = free_port()
    flower = nights._start(
        "flower", "flower", f"--port={port}", NIGHTSHIFT_BROKER_URL=monitor["NIGHTSHIFT_BROKER_URL"]
    )
    nights.settle(4)
    shown = json.loads(nightshift("status", "--json", **operator).stdout)
    assert (shown["broker"], len(shown["workers"]), shown["unknown_dead_letters"]) == ("up", 1, 0)
    wait_for(lambda: worker.name in _workers_of(port), "Flower to hear of the worker")
    publish_as_producer(nights, json.dumps(nights.documents(3)[2]).encode())
    nights.settle(5)
    wait_for(lambda: "ocr_00002" in _asked(port, "/tasks/datatable" + _TABLE), "Flower to hear of a task")

    assert nightshift("failed", "redrive", "--task-id", "bad", **operator).returncode == 0
    nights.settle(5)
    letters = json.loads(nightshift("dead", "list", "--json", **operator).stdout)["letters"]
    assert {"bad_message", "unsupported_type"} == {one["code"] for one in letters}
    assert nightshift("dead", "redrive", "--code", "bad_message", **operator).returncode == 0
    wait_for(lambda: nights.depth("dead") == 2, "the message to be refused again")
    assert nightshift("dead", "discard", "--all", **operator).returncode == 0
    assert nightshift("audit", "--repair", **operator).returncode == 0
    assert nightshift("window", "show", **operator).returncode == 0

    shown = json.loads(nightshift("status", "--json", **monitor).stdout)
    assert (shown["broker"], shown["workers"], shown["queues"]["dead"]) == ("up", None, 0)
    for process in nights.processes:
        assert process is flower or "ACCESS_REFUSED" not in process.text(), process.tail()
        assert "Traceback" not in process.text(), process.tail()
        assert process.main.poll() is None


_TABLE = "?draw=1&start=0&length=50&search[value]=&order[0][column]=0&order[0][dir]=asc"


def _asked(port: int, path: str) -> str:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())
    return ""


def _workers_of(port: int) -> str:
    return _asked(port, "/metrics")


@pytest.mark.parametrize(
    ("command", "role", "right"),
    [
        (["submit", "{inbox}"], "producer", 'no write permission for exchange "nightshift.probe"'),
        (["submit", "{inbox}"], "monitor", 'no write permission for exchange "nightshift.probe"'),
        (["dead", "list"], "monitor", 'no read permission for queue "dead"'),
        # 4.3 asks for the right to declare before that to read
        (["dead", "discard", "--all"], "producer", 'no (read|configure) permission for queue "dead"'),
        (["audit", "today", "--repair"], "monitor", 'no write permission for exchange "nightshift.probe"'),
    ],
)
def test_a_command_without_the_right_says_so_and_changes_nothing(
    nights: Night, command: list[str], role: str, right: str
) -> None:
    page(nights.inbox / "a.png", (1, 2, 3))
    nights.store.put(keys.control("there"), b"")
    publish_as_producer(nights, b"nonsense")
    nights.publish([b"x"], "nightshift.dead", "")
    arguments = [part.format(inbox=nights.inbox) for part in command]
    done = nightshift(*arguments, **as_role(nights, role))
    assert done.returncode == 1, done.stdout
    assert re.search(f'the user "nightshift-{role}" has {right}', done.stderr)
    assert len(done.stderr.strip().splitlines()) <= 3
    assert "Traceback" not in done.stderr
    assert (nights.depth("dead"), nights.depth(RAW), nights.pending()) == (1, 1, [])


@pytest.mark.parametrize("role", ["producer", "operator", "monitor"])
@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_a_worker_or_beat_with_the_wrong_user_ends_with_one_line(nights: Night, kind: str, role: str) -> None:
    nights.env = as_role(nights, role)
    process = _ended(nights.worker() if kind == "worker" else nights.beat())
    (line,) = [line for line in process.text().splitlines() if " CRITICAL " in line]
    assert f'the user "nightshift-{role}" has no ' in line
    assert "Traceback" not in process.text()


def test_a_missing_queue_that_may_not_be_declared_is_named(nights: Night) -> None:
    with nights.channel() as channel:
        channel.queue_delete("ocr")
    nights.store.put(keys.control("there"), b"")
    done = nightshift("status", **as_role(nights, "operator"))
    assert done.returncode == 1
    assert 'has no queue "ocr", and the user "nightshift-operator" may not declare it' in done.stderr


def _ended(process: Process) -> Process:
    with suppress(subprocess.TimeoutExpired):
        process.main.wait(60)
    assert process.main.returncode == 1, process.tail()
    return process
