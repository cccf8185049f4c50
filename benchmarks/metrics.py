"""Overhead of counting: documents with engines that do nothing, with metrics and without, and one call alone.

    python benchmarks/metrics.py night [--documents 400] [--rounds 5]   a real RabbitMQ and a real worker
    python benchmarks/metrics.py call                                   ns per call

Processor time, not wall time, as other programs on this machine matter less for it. `night`: of all processes of a
worker, rounds with and without in turn, the order changing. Intervals contain the ratio with a probability of 95 %
(bootstrap). `telemetry_cost.py` measures without a broker, which disturbs less.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import psutil  # noqa: E402

from pipeline import telemetry  # noqa: E402
from pipeline.telemetry import registry  # noqa: E402


def night(documents: int, rounds: int) -> None:
    from night import place

    from tests.support.servers import free_port, wait_for

    def once(_: str, **env: str) -> float:
        with place(**env) as it:
            it.publish(it.documents(documents))
            worker = it.ready(it.worker("w1", "-c", "2"))
            wait_for(lambda: it.depth("ocr") == documents, "all to be ingested", 1200)
            family = [psutil.Process(pid) for pid in (worker.main.pid, *worker.children())]
            before = sum(sum(process.cpu_times()[:2]) for process in family)
            it.window("open")
            wait_for(lambda: not any(it.store.list("pending/")), "all to end", 1200)
            return float(sum(sum(process.cpu_times()[:2]) for process in family) - before)

    def counting(name: str) -> float:
        return once(name, NIGHTSHIFT_METRICS_ADDRESS=f"127.0.0.1:{free_port()}")

    _compare(rounds, once, counting, documents)


def _compare(
    rounds: int, without: Callable[[str], float], counting: Callable[[str], float], documents: int
) -> None:
    ratios, plain = [], []
    for n in range(rounds):
        first, second = (without, counting) if n % 2 else (counting, without)
        one, two = first(f"{n}-1"), second(f"{n}-2")
        base, more = (one, two) if n % 2 else (two, one)
        ratios.append(more / base)
        plain.append(base)
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=rounds)) for _ in range(2000))
    print(
        f"{documents} documents, {rounds} rounds: {1000 * statistics.median(plain) / documents:.2f} ms of processor "
        f"time per document without metrics; ratio with metrics {statistics.median(ratios):.4f} "
        f"(95 %: {medians[50]:.4f} to {medians[1949]:.4f}); single rounds {min(ratios):.3f} to {max(ratios):.3f}"
    )


def call() -> None:
    def nanoseconds(what: Callable[[], None], count: int = 100_000) -> float:
        best = []
        for _ in range(5):
            started = time.process_time_ns()
            for _ in range(count):
                what()
            best.append((time.process_time_ns() - started) / count)
        return min(best)

    def counted() -> None:
        telemetry.count("nightshift_pages_total", "read", "ocr", "")

    def observed() -> None:
        telemetry.observe("nightshift_step_seconds", 0.2, "ocr")

    print(f"switched off: count {nanoseconds(counted):.0f} ns")
    with tempfile.TemporaryDirectory() as folder:
        registry.start(Path(folder))
        print(f"count {nanoseconds(counted):.0f} ns, observe {nanoseconds(observed):.0f} ns per call")
        registry.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("night", "call"))
    parser.add_argument("--documents", type=int)
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    if given.what == "night":
        night(given.documents or 400, given.rounds or 5)
    else:
        call()


if __name__ == "__main__":
    main()
