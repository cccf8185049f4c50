"""Seconds and peak memory of the morning report, audit and page included, on a night that was made up.

    python benchmarks/morning_report.py [--documents 50000] [--fields 12] [--receipts 1]

Eight nights of so many documents, each with so many fields; none has a report, so that all are read from their tables.
The last one has its receipts, of so many documents each (1: raw messages), and its records of about 8 kB, in a folder
on this machine. Processor time of one process, as other programs matter less for it. The audit from tables is that of
the report; `nightshift audit --quick` reads every record.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pyarrow.parquet as pq  # noqa: E402

from pipeline.ledger import digests, receipts  # noqa: E402
from pipeline.ledger.audit import audit  # noqa: E402
from pipeline.models import Failure, Task, to_json  # noqa: E402
from pipeline.night.night import Night  # noqa: E402
from pipeline.report.gather import gather  # noqa: E402
from pipeline.report.written import as_html  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.storage import keys  # noqa: E402
from tests.support.reports import at, result, write_table, write_tables  # noqa: E402

LAST, NIGHTS = date(2026, 11, 22), 8
TEXTS = tuple(f"Line {n}: a text as it is on a receipt" for n in range(30))


def add_records(folder: Path, documents: int, each: int) -> None:
    """Receipts and records of the last night, as its tables have them; these get their digests."""
    night, run_date = Night.of(Settings.from_env({}, store_url=str(folder))), LAST.isoformat()
    table = pq.read_table(folder / keys.summary("documents", run_date), partitioning=None)
    rows = table.select(["task_id", "sha256", "source", "status"]).to_pylist()
    tasks = [Task(task_id=row["task_id"], sha256=row["sha256"], source=row["source"]) for row in rows]
    put = _Plain(folder)
    receipt: list[str] = []
    for start in range(0, documents, each):
        part = tasks[start : start + each]
        receipt += [receipts.write(put, run_date, part)] * len(part)  # type: ignore[arg-type]
    sums = []
    for row, named in zip(rows, receipt, strict=True):
        failed = row["status"] == "failed"
        record = result(
            row["task_id"],
            row["sha256"],
            source=row["source"],
            status=row["status"],
            receipt=named,
            texts=TEXTS,
            error=Failure(code="unreadable", message="No.") if failed else None,
        )
        data = digests.encode(record)
        sums.append(data[-66:-2].decode())
        put.put((keys.failed if failed else keys.result)(run_date, row["task_id"]), data)
        if row["status"] == "partial":
            put.put(keys.partial(run_date, row["task_id"]), b"")
    columns: dict[str, Any] = {name: table[name].combine_chunks() for name in table.column_names}
    write_table(night.store, "documents", run_date, columns | {"receipt": receipt, "digest": sums})


class _Plain:
    """Writes files as a store in a folder does, without waiting for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, data: bytes) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def list(self, prefix: str) -> Iterator[str]:
        del prefix
        return iter(())


def peak() -> int:
    """MiB that this process has had at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def took(what: str) -> Iterator[None]:
    """Print the processor time of something, and how long it was."""
    began, cpu = time.perf_counter(), _cpu()
    yield
    print(f"{what}: {_cpu() - cpu:.2f} s of processor time, {time.perf_counter() - began:.2f} s", flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(folder: str) -> None:
    """Make the report in this process, and print what it took."""
    night, run_date = Night.of(Settings.from_env({}, store_url=folder)), LAST.isoformat()
    before = peak()
    with took("report"):
        with took("  facts, with the audit from tables"):
            report = gather(night, run_date, at("2026-11-23T07:00"))
        with took("  page"):
            page = as_html(report, "en")
    documents, line = sum(one.value for one in report.kinds), report.audit
    print(
        f"{documents} documents, {line.received} = {line.done} + {line.partial} + {line.failed} + {line.pending}, "
        f"{sum(line.discrepancies.values())} discrepancies: peak {peak()} MiB ({before} MiB before), "
        f"report.json {len(to_json(report)) / 1000:.0f} kB, page {len(page) / 1000:.0f} kB"
    )


def measure_audits(folder: str) -> None:
    """The audits alone, in this process."""
    night, run_date = Night.of(Settings.from_env({}, store_url=folder)), LAST.isoformat()
    audits: dict[str, Callable[[], Any]] = {
        "from tables": lambda: audit(night.store, run_date, by_tables=True),
        "quick": lambda: audit(night.store, run_date, quick=True),
    }
    for name, make in audits.items():
        with took(f"audit, {name}"):
            found = make()
        print(f"  {found.received} received, {len(found.gaps)} discrepancies, peak {peak()} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--fields", type=int, default=12)
    parser.add_argument("--receipts", type=int, default=1, help="documents of each receipt")
    parser.add_argument("--store", default="", help="a folder that is kept, and used again")
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        {"report": measure, "audits": measure_audits}[given.measure](given.store)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(given.store or temporary)
        if not (folder / keys.SUMMARY).exists():
            night = Night.of(Settings.from_env({}, store_url=str(folder)))
            for back in range(NIGHTS):
                run_date = (LAST - timedelta(days=back)).isoformat()
                write_tables(night.store, run_date, given.documents, each=given.fields, seed=back)
            add_records(folder, given.documents, given.receipts)
        for what in ("report", "audits"):
            command = [sys.executable, __file__, "--measure", what, "--store", str(folder)]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    main()
