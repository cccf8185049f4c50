"""Overhead of the night on top of the models: a real RabbitMQ, real workers, everything on this machine.

    python benchmarks/night.py overhead [--documents 1000]       ms per document with engines that do nothing
    python benchmarks/night.py speed [DATA] [--rounds 3] [--copies 4]   documents/s against `nightshift run`
    python benchmarks/night.py submit [--documents 10000]        seconds to submit small documents
    python benchmarks/night.py tenants [--documents 1000]        delay of 10 pages behind 50,000 of another tenant

`overhead`: one-page images through accept, ingest, ocr, ner and result; from the opening of the window with a
full backlog until the last marker is deleted. `speed`: the same with real models on receipts, each in several
copies with different bytes, two processes on either side, including the time to load models; the workers
themselves are already running, as they are all day. `tenants`: PDFs of 50 pages of one tenant are in the backlog when
another tenant sends ten; engines that do nothing; from the opening of the window until the ten are done.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # both sides use bytecode, as when installed
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

from pipeline.messages import TURNS  # noqa: E402
from tasks.lanes import of_turn  # noqa: E402
from tests.support.command import pages  # noqa: E402
from tests.support.night import Night, night  # noqa: E402
from tests.support.servers import wait_for  # noqa: E402
from tests.support.servers.rabbit import start_rabbit  # noqa: E402

NIGHTSHIFT = str(Path(sys.executable).parent / "nightshift")
REAL = {"NIGHTSHIFT_OCR_ENGINE": "rapidocr", "NIGHTSHIFT_NER_ENGINE": "lac"}
MINUTE = 60.0
PAGES = 50


@contextmanager
def place(**env: str) -> Iterator[Night]:
    """A broker, a closed window and an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rabbit").mkdir()
        rabbit = start_rabbit(Path(folder) / "rabbit")
        try:
            with night(rabbit, Path(folder), NIGHTSHIFT_WINDOW="never", **env) as it:
                yield it
        finally:
            rabbit.kill()


def drained(it: Night, lane: str, count: int) -> float:
    """Seconds from the opening of the window, with `count` messages in `lane`, to the last document's end."""
    wait_for(lambda: it.depth(lane) == count, f"{lane} to fill", 20 * MINUTE)
    started = time.perf_counter()
    it.window("open")
    wait_for(lambda: not any(it.store.list("pending/")), "all to end", 20 * MINUTE)
    seconds = time.perf_counter() - started
    assert len(it.ended()) == count
    assert not any(it.store.list("failed/"))
    return seconds


def overhead(count: int) -> None:
    with place() as it:
        it.publish(it.documents(count))
        started = time.perf_counter()
        it.worker("w1", "-c", "2")
        wait_for(lambda: it.depth("ocr") == count, "all to be ingested", 20 * MINUTE)
        taken = time.perf_counter() - started
        seconds = drained(it, "ocr", count)
        print(
            f"{count} documents, engines that do nothing, 2 processes: {1000 * taken / count:.1f} ms per document "
            f"to accept and ingest (including the worker's start), {1000 * seconds / count:.1f} ms per document "
            "for ocr, ner and result"
        )


def speed(data: Path, rounds: int, copies: int) -> None:
    ratios = []
    for _ in range(rounds):
        with place(**REAL) as it:
            pages = []
            for path in sorted((data / "sroie" / "img").glob("*.jpg")):
                for n in range(copies):
                    pages.append(it.inbox / f"{n}-{path.name}")
                    pages[-1].write_bytes(path.read_bytes() + bytes([n]))  # after the image's end
            it.ready(it.worker("w1", "-c", "2"))
            submitted = [NIGHTSHIFT, "submit", str(it.inbox), "--json"]
            subprocess.run(submitted, env={**os.environ, **it.env}, check=True, stdout=subprocess.DEVNULL)
            ours = drained(it, "ocr", len(pages))
            out = ["--out", str(it.folder / "run"), "--workers", "2", "--show", "0"]
            started = time.perf_counter()
            subprocess.run(
                [NIGHTSHIFT, "run", *map(str, pages), *out],
                env={**os.environ, **REAL},
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            run = time.perf_counter() - started
        ratios.append(run / ours)
        print(
            f"night {len(pages) / ours:.2f} documents/s   nightshift run {len(pages) / run:.2f} documents/s   "
            f"ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(f"{len(pages)} documents, 2 processes: median ratio {statistics.median(ratios):.3f}")


def submit(count: int) -> None:
    with place() as it:
        it.documents(count)
        for what in ("new", "all known"):
            started = time.perf_counter()
            command = [NIGHTSHIFT, "submit", str(it.inbox), "--json"]
            subprocess.run(
                command,
                env={**os.environ, **it.env},
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            seconds = time.perf_counter() - started
            print(
                f"submit, {count} small documents, {what}: {seconds:.1f} s ({1000 * seconds / count:.1f} ms each)"
            )
        assert sum(1 for _ in it.store.list("pending/")) == count


def tenants(count: int) -> None:
    with place() as it:
        path = pages(it.inbox / "many.pdf", [(n, 100, 100) for n in range(PAGES)])
        many = []
        for n in range(count):
            copy = it.inbox / f"{n}.pdf"
            copy.write_bytes(path.read_bytes() + b"%%%d" % n)
            many.append(it.document(f"many_{n:05}", copy, tenant="many"))
        it.ready(it.worker())
        it.publish(many)
        waiting = [of_turn("ocr", turn) for turn in range(1, TURNS + 1)]
        messages = count * math.ceil(PAGES / it.settings.spread_pages)
        wait_for(lambda: sum(map(it.depth, waiting)) == messages, "the many to be ingested", 60 * MINUTE)
        it.publish(it.documents(10, "few", tenant="few"))
        wait_for(lambda: sum(map(it.depth, waiting)) == messages + 10, "the few to be ingested", MINUTE)
        started = time.perf_counter()
        it.window("open")
        wait_for(lambda: sum(name.startswith("few") for name in it.ended()) == 10, "the few", 60 * MINUTE)
        seconds = time.perf_counter() - started
        time.sleep(MINUTE)  # a rate over all turns
        read = it.pages_read().total()
        rate = read / (time.perf_counter() - started)
        print(
            f"10 pages behind {count * PAGES} of another tenant: done {seconds:.1f} s after the window opened; "
            f"{rate:.1f} pages/s, so all take about {count * PAGES / rate / MINUTE:.0f} min"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("overhead", "speed", "submit", "tenants"))
    parser.add_argument("data", nargs="?", default=os.environ.get("NIGHTSHIFT_DATA", "data"), type=Path)
    parser.add_argument("--documents", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.what == "speed":
        speed(arguments.data.resolve(), arguments.rounds, arguments.copies)
    elif arguments.what == "overhead":
        overhead(arguments.documents or 1000)
    elif arguments.what == "tenants":
        tenants(arguments.documents or 1000)
    else:
        submit(arguments.documents or 10000)


if __name__ == "__main__":
    main()
