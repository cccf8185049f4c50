"""Seconds and peak memory of the facts of the morning report, from generated tables.

    python benchmarks/morning_report.py [--documents 50000] [--fields 12]

Eight nights of so many documents, each with so many fields; none has a report, so that all are read from their tables.
The audit, which reads every record, and the pictures of twelve fields are not in it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from msgspec import structs

from pipeline.ledger.audit import audit
from pipeline.models import to_json
from pipeline.night.night import Night
from pipeline.report.gather import gather
from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LAST, NIGHTS = date(2026, 11, 22), 8


def peak() -> int:
    """MiB that this process has had at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def measure(folder: str) -> None:
    """Make the report in this process, and print what it took."""
    from tests.support.reports import at

    night, run_date = Night.of(Settings.from_env({}, store_url=folder)), LAST.isoformat()
    counts = structs.replace(audit(night.store, run_date, quick=True), received=1, done=1)
    before, started = peak(), time.perf_counter()
    report = gather(night, run_date, at("2026-11-23T07:00"), audit=counts)
    seconds = time.perf_counter() - started
    documents = sum(one.value for one in report.kinds)
    print(
        f"{documents} documents: {seconds:.2f} s, peak {peak()} MiB ({before} MiB before), "
        f"report.json {len(to_json(report)) / 1000:.0f} kB"
    )


def main() -> None:
    from tests.support.reports import write_tables

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--fields", type=int, default=12)
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        night = Night.of(Settings.from_env({}, store_url=folder))
        for back in range(NIGHTS):
            run_date = (LAST - timedelta(days=back)).isoformat()
            write_tables(night.store, run_date, given.documents, each=given.fields, seed=back)
        command = [sys.executable, __file__, "--measure", folder]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    main()
