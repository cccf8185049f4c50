"""`nightshift forget`, by the command: after `nightshift run`, and in a night with a real broker and workers."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.support.command import GREEN, grey, nightshift, page, run
from tests.support.night import Night, night
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    with night(rabbit, tmp_path) as it:
        yield it


def forget(*args: object, **env: str) -> dict[str, Any]:
    done = nightshift("forget", *args, "--yes", "--json", **env)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"code": done.returncode}


def test_a_document_of_a_run(tmp_path: Path) -> None:
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    inbox.mkdir()
    for number in (1, 2, 3):
        page(inbox / f"scan-{number}.png", grey(number))
    page(inbox / "bad-4.png", GREEN)
    code, figures = run(inbox, "--out", out, "-j", 2)
    assert (code, figures["done"], figures["failed"]) == (3, 3, 1)
    sha256 = hashlib.sha256((inbox / "scan-2.png").read_bytes()).hexdigest()
    done = forget("--sha256", sha256, "--no-broker", "--store", out)
    assert (done["code"], done["tasks"], done["documents"], done["hits"]) == (0, 1, 1, 0)
    store = LocalStore(out)
    assert not any(sha256 in key or b"scan-2" in store.get(key) for key in store.list(""))
    audit = nightshift("audit", figures["run_date"], "--store", out)
    assert audit.returncode == 0, audit.stdout
    assert "received 4 = 2 done + 0 partial + 1 failed + 0 pending + 1 forgotten" in audit.stdout
    code, figures = run(inbox, "--out", out, "-j", 2)
    assert (code, figures["done"]) == (3, 1), "its source is still there: it is a new document"
    audit = nightshift("audit", figures["run_date"], "--store", out)
    assert audit.returncode == 0, audit.stdout
    assert "received 5 = 3 done + 0 partial + 1 failed + 0 pending + 1 forgotten" in audit.stdout


def test_in_a_night_with_its_dead_letters_and_messages(nights: Night) -> None:
    worker = nights.ready(nights.worker("w1", "-c", "1"))
    page(nights.inbox / "good.png", grey(1))
    (nights.inbox / "bad.png").write_bytes(bytes(range(256)) * 4)
    with nights.channel() as channel:
        nights.send(channel, nights.document("patient-1", nights.inbox / "bad.png"))
        nights.send(channel, nights.document("patient-2", nights.inbox / "bad.png"))
        nights.send(channel, nights.document("patient-3", nights.inbox / "good.png"))
    nights.settle(3)
    wait_for(lambda: nights.depth("dead") == 2, "two dead letters")
    done = forget("--task-id", "patient-1", **nights.env)
    assert (done["code"], done["dead_letters"], done["hits"]) == (0, 1, 0)
    assert nights.depth("dead") == 1
    worker.stop()

    nights.ready(nights.worker("w2", "-c", "1", NIGHTSHIFT_WINDOW="never"))
    page(nights.inbox / "wait.png", grey(2))
    with nights.channel() as channel:
        nights.send(channel, nights.document("patient-4", nights.inbox / "wait.png"))
    wait_for(lambda: nights.depth("ocr") == 1, "a document that waits for the window")
    done = forget("--task-id", "patient-4", **nights.env)
    assert (done["code"], done["working"], done["hits"]) == (0, True, 0)
    nights.ready(nights.worker("w3", "-c", "1"))
    wait_for(lambda: nights.depth("ocr") == 0, "its message to be handled")
    nights.settle(2)
    found = {
        keys.task_id_of(key) for prefix in (keys.RESULTS, keys.FAILED) for key in nights.store.list(prefix)
    }
    assert found == {"patient-2", "patient-3"}
    assert nightshift("audit", "today", **nights.env).returncode == 0
