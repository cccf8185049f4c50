"""`make restore-check`: a backup in the middle of a night, restored into empty servers, as docs/how-to/backup.md says.

RabbitMQ and the S3 server that made it are gone by then; the audit and the records say whether anything is missing.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3

from pipeline.errors import NotFound
from pipeline.storage import Store
from tests.support.command import page
from tests.support.night import Night, night, shade
from tests.support.servers.rabbit import Rabbit, start_rabbit
from tests.support.servers.swift import Swift, start_swift
from tests.upgrade.old import HERE
from tests.upgrade.rolling import folder_of

BUCKET, DOCUMENTS = "night", 40
PATIENCE = 1200.0  # seconds


def main() -> int:
    """Run it and print what came of it; exit code 1 where a document is missing."""
    with tempfile.TemporaryDirectory(prefix="nightshift-restore-") as place:
        work = Path(place)
        inbox = [page(work / "inbox" / f"{n}.png", shade(n)) for n in range(DOCUMENTS)]
        vhost, day = _begin(work, inbox)
        found = _restore(work, vhost, day)
    print(json.dumps(found, indent=1))
    return 0 if found["adds_up"] and found["done"] == DOCUMENTS else 1


def _begin(work: Path, inbox: list[Path]) -> tuple[str, str]:
    """Half a night, of which a backup is made while it runs; then its servers are gone."""
    with ExitStack() as stack:
        rabbit, env = _servers(stack, work, "first")
        it = stack.enter_context(_night(rabbit, work, "first", env))
        HERE.worker(it, "w1")
        HERE.nightshift(it, "submit", inbox[0].parent)
        _wait(lambda: len(it.ended()) >= DOCUMENTS // 4)
        it.window("closed")  # however quick the worker is, the others wait
        rabbit.ctl("export_definitions", str(work / "definitions.json"))
        passes = [_copy(it.store, work / "backup"), _copy(it.store, work / "backup")]
        print(
            f"backup: {passes[0]} objects, then {passes[1]} new or changed; {len(it.ended())} documents had ended"
        )
        return it.vhost, next(iter(it.records().values())).run_date


def _restore(work: Path, vhost: str, day: str) -> dict[str, Any]:
    """Start empty servers, import and upload, repair, and process what is pending."""
    with ExitStack() as stack:
        rabbit, env = _servers(stack, work, "second")
        rabbit.ctl("import_definitions", str(work / "definitions.json"))
        queues = len(rabbit.ctl("list_queues", "-p", vhost, "name").split())
        it = stack.enter_context(_night(rabbit, work, "second", env))
        it.vhost = vhost
        it.env["NIGHTSHIFT_BROKER_URL"] = it._url(rabbit.port)
        for path in (path for path in (work / "backup").rglob("*") if path.is_file()):
            it.store.put(str(path.relative_to(work / "backup")), path.read_bytes())
        before = _audited(it, day)
        it.window("open")
        HERE.worker(it, "w2")
        _audited(it, day, "--repair")
        _wait(lambda: len(it.ended()) >= DOCUMENTS and not it.pending())
        HERE.nightshift(it, "summarise", day)
        after = _audited(it, day)
        kept = ("received", "done", "failed", "pending", "adds_up")
        gaps = sorted({gap["kind"] for gap in before["gaps"]})
        return {name: after[name] for name in kept} | {
            "queues_imported": queues,
            "done_in_backup": before["done"],
            "pending_in_backup": before["pending"],
            "gaps_before_repair": gaps,
        }


def _servers(stack: ExitStack, work: Path, name: str) -> tuple[Rabbit, dict[str, str]]:
    rabbit = start_rabbit(folder_of(work, f"{name}-rabbit"))
    stack.callback(rabbit.kill)
    swift: Swift = start_swift(folder_of(work, f"{name}-swift"))
    stack.callback(swift.stop)
    os.environ |= swift.environ
    boto3.session.Session().client("s3").create_bucket(Bucket=BUCKET)
    url = {"NIGHTSHIFT_STORE_URL": f"s3://{BUCKET}/store", "NIGHTSHIFT_S3_ENDPOINT": swift.endpoint}
    return rabbit, url


def _night(rabbit: Rabbit, work: Path, name: str, env: dict[str, str]) -> Any:
    sources = {"NIGHTSHIFT_ALLOWED_SOURCES": (work / "inbox").as_uri(), "NIGHTSHIFT_FAKE_SECONDS": "0.3"}
    return night(rabbit, folder_of(work, f"{name}-night"), 0, **env, **sources)


def _copy(store: Store, target: Path) -> int:
    """One pass of a copy, object by object, that deletes nothing; returns how many were new or had changed."""
    changed = 0
    for key in store.list(""):
        try:
            path, data = target / key, store.get(key)
        except NotFound:  # the night goes on
            continue
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            changed += 1
    return changed


def _audited(it: Night, day: str, *options: str) -> dict[str, Any]:
    """What the audit says, whatever its exit code."""
    found: dict[str, Any] = json.loads(HERE.nightshift(it, "audit", day, "--json", *options, codes=(0, 4)))
    return found


def _wait(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("documents have not ended in time")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
