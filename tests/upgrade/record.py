"""Record what earlier versions write: `python -m tests.upgrade.record`, once for each schema version.

For each of them: the store and the message of a document that is ingested and waits for OCR, and the store after that
document is done. `tests/unit/test_recorded.py` has this version continue with the first and read the second.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pipeline.storage import keys
from tests.conftest import ROOT
from tests.support.command import page
from tests.support.night import Night, night
from tests.support.servers.rabbit import Rabbit, start_rabbit
from tests.upgrade.old import Version
from tests.upgrade.rolling import folder_of

RECORDED = ROOT / "tests" / "recorded"
VERSIONS = {1: "2b9e6e3^", 2: "d44350a", 3: "0738da2^", 4: "e23f573"}
"""The last commit of each schema version; of the current one, some commit."""

_LEFT_OUT = ("actions", "counters", "control", "nights", "timeline", "ocr", "ner")
COLOUR = (17, 34, 51)


def main() -> int:
    """Record those that are named on the command line, or all."""
    wanted = [int(word) for word in sys.argv[1:]] or list(VERSIONS)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightshift-record-")))
        rabbit = start_rabbit(folder_of(work, "rabbit"))
        stack.callback(rabbit.kill)
        for number in wanted:
            _record(Version.check_out(VERSIONS[number], work / f"old-{number}"), number, rabbit, work)
            print(f"schema version {number}: recorded", flush=True)
    return 0


def _record(old: Version, number: int, rabbit: Rabbit, work: Path) -> None:
    target = RECORDED / f"v{number}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with night(rabbit, folder_of(work, f"night-{number}"), 0, NIGHTSHIFT_WINDOW="23:58-23:59") as it:
        old.nightshift(it, "submit", page(it.inbox / "page.png", COLOUR))
        old.worker(it, "by-day")
        _wait(lambda: it.depth("ocr") == 1)
        it.processes[-1].stop()
        (target / "message.json").write_text(json.dumps(_message(it, "ocr"), indent=1, default=str) + "\n")
        _copy(it, target / "waiting")
        it.env["NIGHTSHIFT_WINDOW"] = "always"
        old.worker(it, "by-night")
        _wait(lambda: not it.pending() and it.ended())
        it.processes[-1].stop()
        (day,) = {record.run_date for record in it.records().values()}
        old.nightshift(it, "summarise", day)
        _copy(it, target / "done")


def _wait(condition: Any) -> None:
    end = time.monotonic() + 300
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.5)


def _message(it: Night, queue: str) -> dict[str, Any]:
    """A message as it waits in a queue; it is returned when the channel closes."""
    with it.channel() as channel:
        method, properties, body = channel.basic_get(queue)
        return {
            "queue": queue,
            "routing_key": method.routing_key,
            "content_type": properties.content_type,
            "content_encoding": properties.content_encoding,
            "headers": properties.headers,
            "body": body.decode(),
        }


def _copy(it: Night, target: Path) -> None:
    for key in it.store.list(""):
        if key.partition("/")[0] not in _LEFT_OUT and not key.startswith(keys.REPORTS):
            path = target / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(it.store.get(key))


if __name__ == "__main__":
    sys.exit(main())
