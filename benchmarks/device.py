"""How busy a device is kept by the design of the device process, and by one consumer that takes a page at a time.

    python benchmarks/device.py [--latencies 0 10 50] [--pages 500] [--children 24] [--ahead 4] [--json FILE]

The device is simulated: 30 ms a batch and 30 ms a page, at most 8 pages a batch. Documents of 1 to 200 pages, split
into parts of at most 40 pages as `NIGHTSHIFT_SPREAD_PAGES` does, are drained by children that fetch, decode, scale, ask
the device process, and store each page. Each request to the store takes so many milliseconds. Children are threads
of a few processes here; `--ahead` is the number of pages that one of them reads at the same time.

Next to it, in the same run and with the same store: one consumer with prefetch 1 and a model of its own, which computes
one page at a time and stores one result per document.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

from device_pages import LENGTHS, decoded, lengths, scans  # noqa: E402

from pipeline import ocr  # noqa: E402
from pipeline.device.client import Client  # noqa: E402
from pipeline.device.counters import read_counters  # noqa: E402
from pipeline.device.launch import start  # noqa: E402
from pipeline.device.simulated import VARIABLE, FakeModels, Simulation  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.storage.memory import MemoryStore  # noqa: E402

SETTINGS = Settings(ocr_engine="fake-device")
DEVICE = Simulation(batch=0.03, image=0.03, most=8)
SPREAD, GROUP = SETTINGS.spread_pages, SETTINGS.page_group
BEFORE, AFTER = 3, 5
"""Requests to the store per part, in addition to one per page: claim, fetch, checkpoints; entities, result, marker."""


class Share(NamedTuple):
    """What one design did. `busy`: share of the drain; `filled`: share of the slots; `cpu`: milliseconds a page."""

    design: str
    latency: int
    pages: int
    seconds: float
    busy: float
    filled: float
    requests: int
    cpu_children: float
    cpu_device: float


class Slow(MemoryStore):
    """A store that takes its time, and counts."""

    def __init__(self, latency: float) -> None:
        super().__init__("slow")
        self.latency, self.requests = latency, 0

    def put(self, key: str, data: bytes) -> None:
        """Write one object, in `latency` seconds."""
        self.request()
        super().put(key, data)

    def request(self) -> None:
        """Any request."""
        self.requests += 1
        time.sleep(self.latency)


def parts(documents: Sequence[int]) -> list[int]:
    """Pages of each message."""
    return [min(SPREAD, pages - first) for pages in documents for first in range(0, pages, SPREAD)]


def children(
    address: Path,
    messages: Sequence[int],
    next_one: Any,
    ready: Any,
    done: Any,
    count: int,
    ahead: int,
    latency: float,
) -> None:
    """A process with some children, until no message is left."""
    store, client, pages = Slow(latency), Client([address], lines=count * ahead), scans()
    engine = ocr.asking(SETTINGS, client.ask)
    engine.read(decoded(pages[0]))

    def page(key: str) -> None:
        engine.read(decoded(pages[hash(key) % len(pages)]))
        store.put(key, b"{}")

    def child(number: int) -> None:
        with ThreadPoolExecutor(ahead) as pool:
            for size in taken(messages, next_one):
                for _ in range(BEFORE):
                    store.request()
                for first in range(0, size, GROUP):
                    list(pool.map(page, [f"{number}/{n}" for n in range(first, min(first + GROUP, size))]))
                for _ in range(AFTER):
                    store.request()

    threads = [threading.Thread(target=child, args=(n,)) for n in range(count)]
    ready.wait()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    done.put((store.requests, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    client.close()


def taken(messages: Sequence[int], next_one: Any) -> Iterator[int]:
    """Messages that no other child has taken, until none is left."""
    while True:
        with next_one.get_lock():
            number = next_one.value
            next_one.value += 1
        if number >= len(messages):
            return
        yield messages[number]


def shared(latency: int, documents: Sequence[int], count: int, ahead: int, processes: int) -> Share:
    """The design of the device process."""
    pages, messages = sum(documents), parts(documents)
    spawn = multiprocessing.get_context("spawn")
    next_one, done = spawn.Value("i", 0), spawn.Queue()
    ready = spawn.Barrier(processes + 1)
    with tempfile.TemporaryDirectory(prefix="ns-") as folder:
        address = Path(folder) / "device"
        device = start(address, SETTINGS, "gpu:0")
        arguments = (address, messages, next_one, ready, done, count // processes, ahead, latency / 1000)
        started = [spawn.Process(target=children, args=arguments) for _ in range(processes)]
        for process in started:
            process.start()
        ready.wait()
        begun, before, cpu = time.perf_counter(), read_counters(address), processor(device.pid)
        results = [done.get() for _ in started]
        seconds, after = time.perf_counter() - begun, read_counters(address)
        cpu = processor(device.pid) - cpu
        device.terminate()
        device.wait()
        for process in started:
            process.join()
    assert before is not None
    assert after is not None
    assert after.images - before.images == pages
    return Share(
        "device process",
        latency,
        pages,
        round(seconds, 2),
        round((after.busy - before.busy) / seconds, 3),
        round((after.images - before.images) / (after.slots - before.slots), 3),
        sum(requests for requests, _ in results),
        round(1000 * sum(used for _, used in results) / pages, 2),
        round(1000 * cpu / pages, 2),
    )


def processor(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alone(latency: int, documents: Sequence[int]) -> Share:
    """One consumer, one page at a time."""
    pages = sum(documents)
    store, models, scanned = Slow(latency / 1000), FakeModels(DEVICE), scans()
    engine = ocr.asking(SETTINGS, models.run)
    begun, cpu = time.perf_counter(), time.process_time()
    for document, size in enumerate(documents):
        store.request()
        for number in range(size):
            engine.read(decoded(scanned[number % len(scanned)]))
        store.put(str(document), b"{}")
    seconds = time.perf_counter() - begun
    return Share(
        "one page at a time",
        latency,
        pages,
        round(seconds, 2),
        round(pages * (DEVICE.batch + DEVICE.image) / seconds, 3),
        round(1 / DEVICE.most, 3),
        store.requests,
        round(1000 * (time.process_time() - cpu) / pages, 2),
        0.0,
    )


def show(found: Share) -> None:
    print(
        f"{found.design:<20}{found.latency:>4} ms {found.pages:>5} pages {found.seconds:>7.2f} s "
        f"{found.pages / found.seconds:>6.2f} pages/s   busy {found.busy:.3f}   slots filled {found.filled:.3f}   "
        f"{found.requests:>5} requests   CPU {found.cpu_children:.2f} + {found.cpu_device:.2f} ms a page",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latencies", type=int, nargs="+", default=[0, 10, 50])
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--children", type=int, default=24)
    parser.add_argument("--ahead", type=int, default=4)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="pages of documents")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    os.environ[VARIABLE] = f"batch={DEVICE.batch} image={DEVICE.image} most={DEVICE.most}"
    found = []
    many, few = lengths(args.pages, args.lengths), lengths(args.pages // 6, args.lengths)
    for latency in args.latencies:
        found.append(shared(latency, many, args.children, args.ahead, args.processes))
        show(found[-1])
        found.append(alone(latency, few))
        show(found[-1])
    if args.json:
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
        results = [share._asdict() for share in found]
        args.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
