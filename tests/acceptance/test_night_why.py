"""`nightshift why` and `doctor` in a night with real processes: what they say is what is so at that moment."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import nightshift, page, pages
from tests.support.night import RAW, Night, night, shade
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit


def why(it: Night, task_id: str) -> dict[str, Any]:
    done = nightshift("why", task_id, "--json", **it.env)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["broker"] == "up"
    return said


@pytest.mark.long
def test_a_document_on_its_way(rabbit: Rabbit, tmp_path: Path) -> None:
    slow = {"NIGHTSHIFT_FAKE_SECONDS": "2", "NIGHTSHIFT_PAGE_GROUP": "1"}
    with night(rabbit, tmp_path, NIGHTSHIFT_WINDOW="never", **slow) as it:
        scan = pages(it.inbox / "scan.pdf", [shade(n) for n in range(1, 36)])
        assert nightshift("submit", str(scan), **it.env).returncode == 0
        (task_id,) = it.pending()
        said = why(it, "scan.pdf")
        assert said["task_id"] == task_id
        assert said["sentence"] == "Waits for step ingest in the queue ingest, but no worker answers."
        it.publish([it.document("raw", page(it.inbox / "raw.png", shade(20)))])
        unknown = nightshift("why", "raw", **it.env)
        assert unknown.returncode == 1
        assert "1 raw messages are not accepted yet: it may be among them." in unknown.stderr

        worker = it.ready(it.worker("w1", "-c", "1"))
        wait_for(lambda: it.depth("ocr") == 2, "both to be ingested")
        assert why(it, task_id)["sentence"] == "Waits for the window, which only opens by hand."
        checked = json.loads(nightshift("doctor", "--json", **it.env).stdout)
        levels = {one["check"]: one["level"] for one in checked["findings"]}
        well = ("broker", "broker alarm", "broker rights", "broker queues", "workers", "settings", "store")
        assert {name: levels[name] for name in well} == dict.fromkeys(well, "ok"), checked

        it.window("open")
        wait_for(lambda: any(it.store.list("ocr/")), "a page to be read")
        said = why(it, task_id)
        assert said["sentence"].startswith("Being worked on by w1@"), said
        assert said["step"] == "ocr"
        behind = why(it, "raw")
        assert behind["state"] in ("queued", "reserved"), behind

        it.window("closed")
        # a process that reads the window before the worker does hands messages back that come to it again
        wait_for(lambda: "stopped consuming" in worker.text(), "the worker to take none")
        wait_for(lambda: it.depth("ocr") == 2, "the work to be handed back", 60)
        with it.channel() as channel:
            channel.queue_purge("ocr")
        marker = it.store.get(f"pending/{task_id}.json")
        old = json.loads(marker) | {"submitted_at": "2026-11-22T12:00:00.000+00:00"}
        it.store.put(f"pending/{task_id}.json", json.dumps(old).encode())
        it.window("open")
        lost = why(it, task_id)
        assert lost["sentence"].startswith("Its message is lost: no queue has it."), lost
        assert lost["command"] == "nightshift audit --repair"
        assert nightshift("audit", "today", "--repair", **it.env).returncode == 0
        wait_for(lambda: why(it, task_id)["state"] != "lost_message", "the message to be there again")
        assert it.depth(RAW) == 0
