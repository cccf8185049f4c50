"""Messages and commands that an intruder with a login to RabbitMQ sends to a real worker."""

import json
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.conftest import ROOT
from tests.support.command import nightshift
from tests.support.night import CELERY, Night, night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit

KEY, NEW = "an-old-key-" * 3, "a-new-key-" * 4
SIGNED = {"NIGHTSHIFT_SIGNING_KEY": KEY}


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    with night(rabbit, tmp_path) as it:
        yield it


def forge(nights: Night, queue: str, task: str, *args: Any, **options: Any) -> None:
    """Put a message into a step's queue, as only a knowledge of Celery's protocol requires."""
    headers = {"task": f"nightshift.{task}", "id": str(uuid.uuid4()), "lang": "py"} | options.pop(
        "headers", {}
    )
    kwargs, kind = options.pop("kwargs", {}), options.pop("content_type", "application/json")
    body = json.dumps([args, kwargs, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    properties = pika.BasicProperties(content_type=kind, delivery_mode=2, headers=headers)
    with nights.channel() as channel:
        channel.basic_publish("", queue, options.pop("body", body), properties, mandatory=True)


def celery(nights: Night, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["env", f"--chdir={ROOT}", CELERY, "-A", "tasks", *args],
        env={**os.environ, **nights.env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def codes(nights: Night) -> list[str]:
    done = nightshift("dead", "list", "--json", **nights.env)
    return [one["code"] for one in json.loads(done.stdout)["letters"]]


def test_forged_steps_are_dead_lettered_at_once(nights: Night) -> None:
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    forge(nights, "callback", "callback", "t")
    forge(nights, "callback", "callback", "t", kwargs={"run_date": "../.."})
    forge(nights, "callback", "callback", "../../receipts", kwargs={"run_date": "2026-11-22", "first": 3})
    forge(nights, "ocr", "ocr", "t", kwargs={"first": 1, "last": 2**40})
    forge(nights, "ocr", "ocr", "t", headers={"tries": 1, "outages": 9})
    forge(nights, "ocr", "ocr", "t", "u")
    forge(nights, "ocr", "shell", "t")
    forge(nights, "ocr", "ocr", content_type="application/x-python-serialize", body=b"\x80\x04N.")
    forge(nights, "ocr", "ocr", content_type="application/x-yaml", body=b"!!python/object:os.system {}")
    wait_for(lambda: nights.depth("dead") == 9, "all to be dead-lettered", 20)
    assert codes(nights) == ["not_ours"] * 9
    lines = [line for line in worker.text().splitlines() if "dead-lettered a message" in line]
    assert len(lines) == 9
    assert "Traceback" not in worker.text()
    assert "requeueing" not in worker.text()
    nights.publish(nights.documents(1))
    nights.settle(1)


def test_a_step_without_a_signature_is_refused_and_its_document_is_not(nights: Night) -> None:
    nights.window("closed")
    nights.env |= SIGNED
    (known,) = nights.documents(1)
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    nights.publish([known])
    wait_for(lambda: nights.depth("ocr") == 1, "the document to wait")

    forge(nights, "ocr", "ocr", known["task_id"])
    forge(nights, "callback", "callback", known["task_id"], kwargs={"run_date": "2026-11-22"})
    forge(nights, "housekeeping", "tick", headers={"signature": "0" * 64})
    nights.window("open")
    nights.settle(1)
    wait_for(lambda: nights.depth("dead") == 3, "the forged ones to be refused")
    assert codes(nights) == ["bad_signature"] * 3
    assert worker.text().count("bad_signature") == 3
    nights.tick()
    assert nightshift("dead", "redrive", "--all", **nights.env).returncode == 0
    wait_for(lambda: worker.text().count("bad_signature") == 6, "them to be refused again")
    wait_for(lambda: nights.depth("dead") == 3, "each to be dead-lettered once")
    assert "requeueing" not in worker.text()
    record = nights.records()[known["task_id"]]
    assert record.status == "done"


@pytest.mark.long
def test_a_key_is_changed_without_losing_what_waits(nights: Night) -> None:
    nights.window("closed")
    nights.env |= SIGNED
    old = nights.ready(nights.worker("old", "-c", "1"))
    nights.publish(nights.documents(2))
    wait_for(lambda: nights.depth("ocr") == 2, "the documents to wait")
    old.stop()
    nights.env["NIGHTSHIFT_SIGNING_KEY"] = f"{NEW},{KEY}"
    nights.ready(nights.worker("new", "-c", "1"))
    nights.window("open")
    nights.settle(2)
    assert nights.depth("dead") == 0


@pytest.mark.long
def test_turning_signatures_on_refuses_what_waits_and_repair_sends_it_again(nights: Night) -> None:
    nights.window("closed")
    plain = nights.ready(nights.worker("plain", "-c", "1"))
    nights.publish(nights.documents(1))
    wait_for(lambda: nights.depth("ocr") == 1, "the document to wait")
    plain.stop()
    nights.env |= SIGNED
    nights.ready(nights.worker("signed", "-c", "1"))
    nights.window("open")
    wait_for(lambda: codes(nights) == ["bad_signature"], "the unsigned message to be refused")
    assert len(nights.pending()) == 1, "the document is as it was"
    assert nightshift("audit", "today", "--repair", **nights.env).returncode == 0
    nights.settle(1)


@pytest.mark.parametrize(
    "allowed", ["all", *(pytest.param(less, marks=pytest.mark.long) for less in ("read", "off"))]
)
def test_what_changes_a_worker_is_refused(nights: Night, allowed: str) -> None:
    nights.env["NIGHTSHIFT_REMOTE_CONTROL"] = allowed
    nights.env["NIGHTSHIFT_CALLBACK_SECRET"] = "peppercorn"
    nights.env["NIGHTSHIFT_BROKER_URL"] += ";" + nights.env["NIGHTSHIFT_BROKER_URL"].replace(
        "guest:guest", "guest:peppercorn"
    )
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    it = [
        f"--destination=w1@{socket.gethostname()}",
        f"--timeout={2 if allowed == 'off' else 10}",
    ]  # one reply is all
    seen = [celery(nights, "inspect", what, *it, "--json").stdout for what in ("ping", "stats", "active")]
    assert all(worker.name in reply for reply in seen) == (allowed != "off")
    seen += [celery(nights, "inspect", what, *it).stdout for what in ("conf", "report")]
    assert not any("peppercorn" in reply for reply in seen)
    if allowed == "read":
        for command in (
            ["cancel_consumer", "ingest"],
            ["add_consumer", "other"],
            ["rate_limit", "nightshift.ocr", "1/h"],
            ["time_limit", "nightshift.ocr", "1"],
            ["revoke", "x"],
            ["pool_restart"],
            ["pool_shrink", "1"],
            ["disable_events"],
        ):
            assert "is refused" in celery(nights, "control", *it, *command).stdout, command
    celery(nights, "control", *it, "shutdown")
    if allowed == "all":
        worker.main.wait(60)
        return
    nights.publish(nights.documents(1))
    nights.settle(1)
    assert worker.main.poll() is None


def test_no_worker_listens_to_events(nights: Night) -> None:
    nights.ready(nights.worker("w1", "-c", "1"))
    queues = nights.rabbit.ctl("-p", nights.vhost, "list_queues", "name").split()
    assert "ingest" in queues
    assert not [name for name in queues if name.startswith("celeryev")], "an event could start a task"
