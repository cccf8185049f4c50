"""Seconds and peak memory of `nightshift summarise` over many generated results.

Each has one page of 40 lines and 12 entities, about as many as a receipt.

    python benchmarks/summarise.py [--results 100000]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline import clock
from pipeline.ledger import records
from pipeline.models import DocumentResult, Entity, ModelInfo, Page, TextLine
from pipeline.storage import keys
from pipeline.storage.local import LocalStore

DAY = "2026-11-22"
LINES, ENTITIES = 40, 12


def result(number: int) -> DocumentResult:
    lines, start = [], 0
    for n in range(LINES):
        top = 30.0 * n
        box = ((40.0, top), (600.0, top), (600.0, top + 24), (40.0, top + 24))
        text = f"line {n} of document {number:06}"
        lines.append(TextLine(text=text, box=box, confidence=0.98, start=start))
        start += len(text) + 1
    entities = tuple(
        Entity(
            page=1,
            type=("DATE", "MONEY", "ORG")[n % 3],
            text=lines[n].text[:7],
            value=f"{number}.{n:02}",
            currency="EUR" if n % 3 == 1 else None,
            confidence=0.9,
            start=lines[n].start,
            end=lines[n].start + 7,
            boxes=(lines[n].box,),
            engine="patterns",
        )
        for n in range(ENTITIES)
    )
    info = ModelInfo(engine="rapidocr", name="made-up", digest="0123456789abcdef")
    return DocumentResult(
        task_id=f"document-{number:06}",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        source=f"/scans/{number:06}.jpg",
        status="done",
        run_date=DAY,
        media_type="image/jpeg",
        pages=(
            Page(
                number=1,
                width=640,
                height=1280,
                text="\n".join(line.text for line in lines),
                lines=tuple(lines),
            ),
        ),
        entities=entities,
        ocr=info,
        ner=info,
        language="en",
        seconds={"ocr": 0.5, "ner": 0.01},
        first_seen=clock.now(),
        done_at=clock.now(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--results", type=int, default=100_000)
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        for number in range(arguments.results):
            records.finish(store, result(number))
        size = sum(path.stat().st_size for path in Path(folder, keys.results(DAY)).iterdir())
        command: list[str | Path] = [Path(sys.executable).parent / "nightshift", "summarise", DAY]
        started = time.perf_counter()
        subprocess.run(command, check=True, env={**os.environ, "NIGHTSHIFT_STORE_URL": folder})
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        tables = sum(path.stat().st_size for path in Path(folder, keys.SUMMARY).rglob("*.parquet"))
        print(
            f"{arguments.results} results of {size / arguments.results / 1024:.1f} KiB: {seconds:.1f} s, "
            f"peak {peak:.0f} MiB, tables of {tables / 2**20:.0f} MiB"
        )


if __name__ == "__main__":
    main()
