"""Messages with any properties and headers, dead letters, and brokers that can't be used: real broker, real workers."""

import json
import struct
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pika
import pika.data
import pika.spec
import pytest

from pipeline.errors import ExitCode
from pipeline.storage import keys
from tests.support.command import nightshift
from tests.support.night import RAW, Night, night, steady
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    with night(rabbit, tmp_path) as it:
        yield it


def _table(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = b"\x01aF" + _table(inner)
    return _table(inner)


KINDS: list[dict[str, Any]] = [
    *(
        {"headers": {"compression": value}}
        for value in ("gzip", "zlib", "brotli", "x" * 3000, 7, ["x"], True)
    ),
    *({"content_encoding": value} for value in ("binary", "utf-16", "punycode", "zip", "nonsense", b"\xff")),
    *({"content_type": value} for value in ("application/x-python-serialize", "text/plain", "", b"\xff\xfe")),
    {"headers": {"task": "nightshift.ocr", "id": "1", "lang": "py"}},
    {"headers": {"task": 7, "id": None}},
    {"headers": {"eta": "2099-01-01T00:00:00", "expires": "2001-01-01T00:00:00", "retries": "x"}},
    {"headers": {"timelimit": [0, 0], "stamps": ["x"], "x-death": "no"}},
    {"headers": {"large": "x" * 100_000}},
    {"headers": _nested(50)},
    {"headers": _nested(9000)},
    {"headers": _table(b"\x01hT" + struct.pack(">Q", 2**62))},
    {"headers": _table(b"\x02\xff\xfeV")},
    {"reply_to": "nobody", "correlation_id": "c" * 200, "priority": 255, "delivery_mode": 1},
    {"timestamp": 2**63, "app_id": b"\xe9", "expiration": "60000"},
]
"""Properties that a producer, a proxy or a tracing library may set."""


@pytest.fixture
def raw_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pika send a table as it is given in bytes: it would write none of these itself."""
    encode = pika.data.encode_table

    def any_table(pieces: list[bytes], table: Any) -> int:
        if not isinstance(table, bytes):
            return int(encode(pieces, table))
        pieces.append(table)
        return len(table)

    monkeypatch.setattr(pika.data, "encode_table", any_table)


@pytest.mark.usefixtures("raw_tables")
def test_each_confirmed_message_ends_whatever_its_properties(nights: Night) -> None:
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    bomb = zlib.compress(b'{"task_id": "bomb", "text": "' + b"0" * 300_000_000)
    with nights.channel() as channel:

        def send(queue: str, body: bytes, **properties: Any) -> None:
            plain = {"delivery_mode": 2, **properties}
            channel.basic_publish("", queue, body, pika.BasicProperties(**plain), mandatory=True)

        for number, kind in enumerate(KINDS):
            message = {"task_id": f"t{number}", "task_type": "nlp", "text": f"colour {number:06}"}
            send(RAW, json.dumps(message).encode(), **kind)
        send(RAW, bomb, headers={"compression": "zlib"})
        send(RAW, b"x" * 20_000_000)
        foreign: list[dict[str, Any]] = [
            *KINDS,
            {"headers": {"task": "nightshift.ingest", "id": "1"}},
            {"content_type": "application/json", "headers": {"task": "nightshift.ocr", "id": "1"}},
        ]
        for kind in foreign:
            send("ingest", b'[["nobody"], {}, {}]', **kind)
        send("ingest", bomb, headers={"compression": "zlib"})
    records = nights.settle(len(KINDS) + 2, 90)
    assert {records[f"t{number}"].status for number in range(len(KINDS))} == {"done"}
    refused = [r for r in records.values() if r.status == "failed"]
    assert [r.error.code for r in refused if r.error] == ["bad_message"] * 2
    expected = len(refused) + len(foreign) + 1
    wait_for(lambda: nights.depth("dead") == expected, f"{expected} dead letters")
    assert worker.main.poll() is None
    assert "Traceback" not in worker.text()
    assert _peak(worker.main.pid) < 400 * 1024 * 1024, "a body was unpacked in the worker's main process"


def _peak(pid: int) -> int:
    """Most memory that a process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.long
def test_dead_letters_are_seen_by_reason_and_leave_the_queue(nights: Night) -> None:
    nights.ready(nights.worker("w1", "-c", "1"))
    bad = nights.inbox / "bad.png"
    bad.write_bytes(bytes(range(256)) * 4)
    outside = nights.inbox.parent / "outside.png"
    with nights.channel() as channel:
        nights.send(channel, nights.document("bad", bad))
        nights.send(channel, nights.document("outside", outside, tenant="bank"))
        channel.basic_publish("", "ingest", b"foreign", mandatory=True)
    nights.settle(2)

    def dead(*args: str) -> dict[str, Any]:
        done = nightshift("dead", *args, "--json", **nights.env)
        assert not done.stderr, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    wait_for(lambda: nights.depth("dead") == 3, "3 dead letters")
    letters = {one["code"]: one for one in dead("list")["letters"]}
    assert set(letters) == {"unsupported_type", "source_refused", "not_ours"}
    assert letters["source_refused"]["task_id"] == "outside"
    assert letters["not_ours"]["queue"] == "ingest"
    shown = nightshift("dead", "show", letters["not_ours"]["id"], "--body", **nights.env)
    assert shown.stdout == "foreign"
    found = json.loads(nightshift("status", "--json", **nights.env).stdout)
    assert (found["open_failures"], found["unknown_dead_letters"], found["queues"]["dead"]) == (2, 1, 3)
    for _ in range(12):
        with nights.channel() as channel:
            while channel.basic_get("dead")[0] is not None:
                pass
    dead("list")
    assert steady(lambda: nights.depth("dead")) == 3, "looking costs none, however often"

    nightshift("failed", "redrive", "--task-id", "bad", **nights.env)
    wait_for(lambda: nights.depth("dead") == 3 and not nights.pending(), "the document to fail again")
    assert nightshift("failed", "discard", "--task-id", "bad", **nights.env).returncode == 0
    wait_for(lambda: nights.depth("dead") == 2, "the notice of a discarded document to go")
    assert dead("redrive", "--code", "source_refused") == {"redriven": 1, "refused": []}
    wait_for(lambda: nights.depth("dead") == 2, "the message to be refused again")
    assert [one["task_id"] for one in dead("list", "--code", "source_refused")["letters"]] == ["outside"]
    stale = {"code": "poison", "reason": "x", "task_id": "done", "at": "2026-01-01T00:00:00+00:00"}
    with nights.channel() as channel:
        notice = b'{"task_id": "done", "step": "ocr"}'
        channel.basic_publish("nightshift.dead", "", notice, pika.BasicProperties(headers=stale))
    assert nights.depth("dead") == 3
    nights.tick()
    looked = keys.control("dead-unneeded")
    wait_for(lambda: nights.store.exists(looked), "housekeeping to see the notice of a document that is done")
    assert steady(lambda: nights.depth("dead")) == 3, "it may be newer than what the store says"
    nights.store.delete(keys.control("dead"))  # an hour later
    nights.tick()
    wait_for(lambda: nights.depth("dead") == 2, "the notice to go")
    assert dead("discard", "--all") == {"discarded": 2}
    assert nights.depth("dead") == 0
    assert json.loads(nightshift("status", "--json", **nights.env).stdout)["open_failures"] == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("vhost", "has no such virtual host"),
        ("queue", 'The queue "ocr" exists with another'),
        ("beat", "rejects the user name or password"),
    ],
)
def test_what_waiting_cannot_help_ends_with_one_line(nights: Night, change: str, said: str) -> None:
    url = nights.env["NIGHTSHIFT_BROKER_URL"]
    if change == "queue":
        with nights.channel() as channel:
            channel.queue_declare("ocr", durable=True)
    elif change == "vhost":
        url += "x"
    else:
        url = url.replace("guest:guest", "guest:hush")
    start = nights.beat if change == "beat" else nights.worker
    nights.env["NIGHTSHIFT_BROKER_URL"] = url
    process = start()
    with suppress(subprocess.TimeoutExpired):
        process.main.wait(60)
    assert process.main.returncode == 1, process.tail()
    lines = [line for line in process.text().splitlines() if " CRITICAL " in line]
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in process.text()
    assert "hush" not in process.text()


def test_a_producers_own_queue_is_used_as_it_is(nights: Night) -> None:
    arguments = {"x-queue-type": "quorum", "x-max-length": 1000, "x-message-ttl": 600_000}
    parameters = pika.URLParameters(nights.env["NIGHTSHIFT_BROKER_URL"])
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        channel.queue_declare(RAW, durable=True, arguments=arguments)
        channel.queue_declare("dead", durable=True)  # as an older version, or an operator, may have
        nights.ready(nights.worker("w1", "-c", "1"))
        text = {"task_id": "t", "task_type": "nlp", "text": "colour 123456"}
        channel.basic_publish("nightshift", "task_type.nlp", json.dumps(text).encode())
        channel.basic_publish("", RAW, b"nonsense")
        wait_for(lambda: len(nights.ended()) == 2, "both messages to end")
        wait_for(lambda: channel.basic_get("dead")[0] is not None, "a dead letter")
    assert nightshift("status", **nights.env).returncode == ExitCode.ATTENTION
