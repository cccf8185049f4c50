"""Status, summary and audit of a night whose records were written straight into a folder: seconds and peak memory.

    python benchmarks/scale_records [--documents 1000000] [--folder DIR] [--json FILE]

One-page documents of four lines and two entities, each with a receipt of its own, as raw messages have; their bytes are
not kept, and there are no claims. A million takes about 10 GB of disk. Each step is a process of its own. The folder is
temporary unless it is named: then it is kept, and what is in it is not written again.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from morning_report import _Plain  # noqa: E402
from scale import Cost, show  # noqa: E402
from summarise import result  # noqa: E402

from pipeline import clock  # noqa: E402
from pipeline.ledger import digests, receipts  # noqa: E402
from pipeline.models import Task  # noqa: E402
from pipeline.night.night import Night  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.storage import keys  # noqa: E402

STEPS = ("recount", "status", "summarise", "quick audit", "audit")
_LINES, _ENTITIES = 4, 2


def write(folder: Path, day: str, number: int) -> None:
    """The receipt and the record of one document."""
    put, made = _Plain(folder), result(number)
    task = Task(task_id=f"t{number:07}", sha256=made.sha256, source=f"s3://scans/{number:07}.jpg")
    receipt = receipts.write(put, day, [task], new=True)  # type: ignore[arg-type]
    (page,) = made.pages
    lines = page.lines[:_LINES]
    record = structs.replace(
        made,
        task_id=task.task_id,
        source=task.source,
        run_date=day,
        receipt=receipt,
        pages=(structs.replace(page, lines=lines, text="\n".join(line.text for line in lines)),),
        entities=made.entities[:_ENTITIES],
        done_at=clock.now(),
    )
    put.put(keys.result(day, task.task_id), digests.encode(record))


def measure(step: str, folder: Path, count: int) -> Cost:
    """One step in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks" / "scale.py"), "--step", step]
    where = ["--store", folder.as_uri(), "--inbox", str(folder), "--documents", str(count)]
    done = subprocess.run([*command, *where], check=True, stdout=subprocess.PIPE, text=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Cost)


def main() -> None:
    """Write the records, do the steps, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a folder that is kept, and used again")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "scale-records.json")
    given: Any = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nothing is left
    with tempfile.TemporaryDirectory(prefix="nightshift-scale-") as temporary:
        folder = given.folder or Path(temporary)
        night = Night.of(Settings.from_env({}, store_url=str(folder), window="always"))
        day, count = night.schedule.run_date(), given.documents
        known = sum(1 for _ in night.store.list(keys.results(day)))
        for number in range(known, count):
            write(folder, day, number)
            if not number % 10_000:
                print(f"  {number} of {count} written", file=sys.stderr, flush=True)
        costs = []
        for step in STEPS:
            costs.append(measure(step, folder, count))
            print(
                f"  {step}: {costs[-1].cpu:.1f} s of processor time, {costs[-1].mib:.0f} MiB", file=sys.stderr
            )
    show([costs], STEPS)
    given.json.parent.mkdir(exist_ok=True)
    given.json.write_text(json.dumps(msgspec.to_builtins(costs), indent=1) + "\n")


if __name__ == "__main__":
    main()
