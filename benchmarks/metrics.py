"""Overhead of counting: documents with engines that do nothing, with metrics and without, and one call alone.

    python benchmarks/metrics.py flow [--documents 40] [--rounds 60]    one process, no broker, store in memory
    python benchmarks/metrics.py night [--documents 400] [--rounds 5]   a real RabbitMQ and a real worker
    python benchmarks/metrics.py call                                   ns per call

Processor time, not wall time, as other programs on this machine matter less for it. `flow` is the worst case: nothing
else is done but steps, in memory; every other document is counted. `night`: of all processes of a worker, rounds with
and without in turn, the order changing. Intervals contain the ratio with a probability of 95 % (bootstrap).
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import psutil  # noqa: E402

from pipeline import telemetry  # noqa: E402
from pipeline.messages import Message  # noqa: E402
from pipeline.night.delivery import Delivery  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.telemetry import registry  # noqa: E402
from pipeline.telemetry.w3c import NONE, Context  # noqa: E402
from tests.support.command import page  # noqa: E402
from tests.support.flows import flow_of, submission  # noqa: E402
from tests.support.night import shade  # noqa: E402


class _Broker:
    """Delivers at once."""

    def __init__(self) -> None:
        self.ready = deque[Message]()

    def publish(self, messages: Iterable[Message]) -> None:
        self.ready.extend(messages)

    def publish_later(self, message: Message, *, outage: int | None = None) -> int:
        raise AssertionError(message, outage)

    def publish_raw_later(self, raw: bytes, sender: str = "", trace: Context = NONE) -> int:
        raise AssertionError(raw, sender, trace)

    def publish_dead(
        self,
        body: bytes,
        *,
        reason: str,
        code: str,
        task_id: str,
        trace_id: str,
        sender: str = "",
        trace: Context = NONE,
    ) -> None:
        raise AssertionError(body, reason, code, task_id, trace_id, sender, trace)


def flow(documents: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder, "inbox")
        inbox.mkdir()
        paths = [page(inbox / f"{n}.png", shade(n)) for n in range(documents)]

        def prepared(name: str) -> Delivery:
            settings = Settings.from_env(
                {},
                store_url=f"memory://{name}",
                window="always",
                allowed_sources=inbox.as_uri(),
                ocr_engine="fake-ocr",
                ner_engine="fake-ner",
            )
            broker = _Broker()
            delivery = Delivery(flow_of(settings), broker)
            for n, path in enumerate(paths):
                broker.publish(delivery.flow.reception.accept(submission(path, f"t{n}")))
            return delivery

        def once(name: str) -> float:
            delivery = prepared(name)
            waiting = cast(_Broker, delivery.broker).ready
            started = time.process_time()
            while waiting:
                delivery.step(waiting.popleft())
            return time.process_time() - started

        metrics = Path(folder, "metrics")
        metrics.mkdir()
        registry.start(metrics)
        once("warm")  # the series of a process are made once
        made = dict(registry._made)

        _by_turns(rounds, prepared, made)
        registry._made.update(made)
        _share(once, documents)


def _by_turns(rounds: int, prepared: Callable[[str], Delivery], made: dict[str, Any]) -> None:
    """Count every other document of each round, and compare the steps of the ones with those of the others."""
    took: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for turn in range(rounds):
        delivery = prepared(f"turns-{turn}")
        waiting = cast(_Broker, delivery.broker).ready
        gc.collect()
        while waiting:
            message = waiting.popleft()
            counting = (int(message.task_id[1:]) + turn) % 2 == 0
            registry._made.clear()
            registry._made.update(made if counting else {})
            started = time.thread_time_ns()
            delivery.step(message)
            took[message.step, counting].append(time.thread_time_ns() - started)
    steps = sorted({step for step, _ in took})
    draw = random.Random(1)

    def whole(counting: bool, *, again: bool = False) -> float:
        found = [took[step, counting] for step in steps]
        return sum(statistics.median(draw.choices(each, k=len(each)) if again else each) for each in found)

    ratios = sorted(whole(True, again=True) / whole(False, again=True) for _ in range(500))
    print(
        f"{len(took[steps[0], True])} documents with and {len(took[steps[0], False])} without metrics in turn: "
        f"{whole(False) / 1e6:.3f} ms of processor time per document without, {whole(True) / 1e6:.3f} with "
        f"(sums of the medians of the steps); ratio {whole(True) / whole(False):.4f} "
        f"(95 %: {ratios[12]:.4f} to {ratios[487]:.4f})"
    )


def _share(counting: Callable[[str], float], documents: int) -> None:
    """Print the time inside the functions that count: of each call, as it is met between other work."""
    took: dict[str, list[int]] = {"count": [], "observe": []}
    plain = {name: getattr(telemetry, name) for name in took}

    def timed(name: str) -> Callable[..., None]:
        def call(*values: object, **more: object) -> None:
            started = time.perf_counter_ns()
            plain[name](*values, **more)
            took[name].append(time.perf_counter_ns() - started)

        return call

    seconds = []
    for name in took:
        setattr(telemetry, name, timed(name))
    for n in range(10):
        seconds.append(counting(f"share-{n}"))
    for name, function in plain.items():
        setattr(telemetry, name, function)
    calls = {name: len(found) / len(seconds) / documents for name, found in took.items()}
    medians = {name: statistics.median(found) / 1000 for name, found in took.items()}
    inside = sum(calls[name] * medians[name] for name in took)
    whole = 1e6 * statistics.median(seconds) / documents
    each = ", ".join(f"{calls[name]:.1f} {name} of {medians[name]:.1f} us (median)" for name in took)
    print(f"per document {each}: {inside:.0f} us of {whole:.0f}, {100 * inside / whole:.2f} %")


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
    parser.add_argument("what", choices=("flow", "night", "call"))
    parser.add_argument("--documents", type=int)
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    if given.what == "flow":
        flow(given.documents or 40, given.rounds or 60)
    elif given.what == "night":
        night(given.documents or 400, given.rounds or 5)
    else:
        call()


if __name__ == "__main__":
    main()
