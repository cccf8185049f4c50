"""A night with encryption keys: what of its documents can be read in RabbitMQ and in the store."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.encryption.keyring import new_line
from pipeline.submission import envelope
from tests.support.command import nightshift
from tests.support.night import RAW, Night, night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit

NAME = "Marigold Quillfeather"


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    keys = {"NIGHTSHIFT_ENCRYPTION_KEYS": new_line("k1"), "NIGHTSHIFT_ENCRYPTION_REQUIRED": "true"}
    with night(rabbit, tmp_path, **keys) as it:
        yield it


def test_nothing_readable_is_left_in_the_queues_or_the_store(nights: Night) -> None:
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    secret = {"task_id": "secret", "task_type": "nlp", "text": f"{NAME} owes 5 EUR"}
    outside = nights.document("outside", nights.inbox.parent / f"{NAME}.png")
    broken = f"\0 {NAME}".encode() + b"\xff"
    with nights.channel() as channel:
        nights.send(channel, envelope.seal(json.dumps(secret).encode(), nights.settings))
        nights.send(channel, json.dumps(outside).encode())
        nights.send(channel, broken)
    records = nights.settle(3)
    assert records["secret"].status == "done"
    assert NAME in records["secret"].pages[0].text
    refused = sorted(record.error.code for record in records.values() if record.error)
    assert refused == ["bad_message", "source_refused"]

    files = [path for path in Path(nights.settings.store_url).rglob("*") if path.is_file()]
    assert [path for path in files if b"Quillfeather" in path.read_bytes()] == []
    letters = nights.dead(2)
    assert {headers["code"] for headers, _ in letters} == {"source_refused", "bad_message"}
    assert "Quillfeather" not in str(letters)

    worker.stop()
    shown = json.loads(nightshift("dead", "list", "--code", "source_refused", "--json", **nights.env).stdout)
    assert "Quillfeather" in shown["letters"][0]["reason"]
    done = nightshift("dead", "redrive", "--code", "bad_message", "--json", **nights.env)
    assert json.loads(done.stdout) == {"redriven": 1, "refused": []}
    wait_for(lambda: nights.depth(RAW) == 1, "the message in its queue")
    with nights.channel() as channel:
        assert channel.basic_get(RAW)[2] == broken
