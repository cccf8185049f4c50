"""What metrics and traces cost: processor time of a document with and without them, in pairs next to each other.

    python benchmarks/telemetry_cost.py real [--rounds 4]     the shipped samples, the real reader, OCR and entities
    python benchmarks/telemetry_cost.py fake [--rounds 150]   engines that do nothing: microseconds of a document

One process does all steps of a document, without a broker, into a store in memory. Each document (`fake`: batch of 20)
is done six times in a row: plain, with metrics, with traces, and the other way round, in an order that rotates, so that
what else the machine does meets all alike. Counted is the processor time of all threads of this process, and of its
reader, in nanoseconds. Spans go to a collector in a process of its own, at the end of each document or batch: a worker
sends them every few seconds, which costs less. Printed are medians of the paired ratios and differences, with the
interval that contains them with a probability of 95 % (bootstrap).
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import psutil  # noqa: E402

from pipeline.messages import Message  # noqa: E402
from pipeline.night.delivery import Delivery  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.storage.memory import MemoryStore  # noqa: E402
from pipeline.telemetry import registry, spans  # noqa: E402
from pipeline.telemetry.w3c import NONE, Context  # noqa: E402
from tests.support.command import page  # noqa: E402
from tests.support.flows import flow_of, submission  # noqa: E402
from tests.support.night import shade  # noqa: E402

MODES = ("plain", "metrics", "traces")
STORE = "memory://telemetry"
Times = dict[str, float]
"""Seconds of processor time, by mode."""


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


class Bench:
    """One flow, which does the same `batches` of documents again and again."""

    def __init__(
        self, folder: Path, batches: Sequence[Sequence[Path]], collector: str, **engines: str
    ) -> None:
        self.batches, self._number = batches, 0
        settings = Settings.from_env(
            {},
            store_url=STORE,
            window="always",
            allowed_sources=batches[0][0].parent.as_uri(),
            otlp_endpoint=collector,
            **engines,
        )
        self._queue = _Broker()
        self._delivery = Delivery(flow_of(settings), self._queue)
        registry.start(folder)
        spans.start(settings)
        assert spans._tracing is not None
        self._counting, self._tracing = dict(registry._made), spans._tracing

    def once(self, batch: Sequence[Path], mode: str) -> float:
        """Processor time of a document of this batch, in seconds."""
        MemoryStore.named(STORE.removeprefix("memory://"))._objects.clear()  # else it is not read again
        registry._made.clear()
        registry._made.update(self._counting if mode == "metrics" else {})
        spans._tracing = self._tracing if mode == "traces" else None
        waiting = self._queue.ready
        for path in batch:
            self._number += 1
            waiting.extend(self._delivery.flow.reception.accept(submission(path, f"t{self._number}")))
        gc.collect()
        before = _processor()
        while waiting:
            message = waiting.popleft()
            with spans.step(message, message.step):
                self._delivery.step(message)
        if mode == "traces":
            self._tracing._provider.force_flush()
        return (_processor() - before) / len(batch)

    def rounds(self, count: int, most: float) -> Iterator[Times]:
        """The times of one batch after the other, for `most` seconds at most."""
        until = time.monotonic() + most
        for batch in self.batches:  # the first time, models are loaded and series are made
            for mode in MODES:
                self.once(batch, mode)
        for turn in range(count):
            for number, batch in enumerate(self.batches):
                if time.monotonic() > until:
                    return
                first = (turn + number) % len(MODES)
                order = [*MODES[first:], *MODES[:first]]
                took = [(mode, self.once(batch, mode)) for mode in (*order, *reversed(order))]
                yield {mode: sum(seconds for name, seconds in took if name == mode) / 2 for mode in MODES}

    def end(self) -> None:
        """Send what is left."""
        spans._tracing = self._tracing
        spans.stop()
        registry.stop()


def _processor() -> float:
    """Seconds of all threads of this process and of its children, so far."""
    found = 0
    for child in psutil.Process().children(recursive=True):
        for task in Path(f"/proc/{child.pid}/task").iterdir():
            found += int((task / "schedstat").read_text().split()[0])
    return time.process_time() + found / 1e9


def _interval(values: Sequence[float], scale: float = 1.0) -> tuple[float, float, float]:
    """Median, and the limits of its interval."""
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(2000))
    return tuple(scale * one for one in (statistics.median(values), medians[50], medians[1949]))  # type: ignore[return-value]


def show(found: Sequence[Times]) -> None:
    """Print what was measured."""
    plain = statistics.median(one["plain"] for one in found)
    print(f"{len(found)} times six: {1000 * plain:.3f} ms of processor time per document (median)")
    for mode in MODES[1:]:
        ratio = _interval([one[mode] / one["plain"] for one in found])
        more = _interval([one[mode] - one["plain"] for one in found], 1e6)
        print(
            f"{mode}: ratio {ratio[0]:.4f} (95 %: {ratio[1]:.4f} to {ratio[2]:.4f}), "
            f"{more[0]:.0f} us more per document (95 %: {more[1]:.0f} to {more[2]:.0f})"
        )


@contextmanager
def collecting() -> Iterator[str]:
    """A collector in a process of its own; gives its address."""
    command = [sys.executable, __file__, "collector"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


def collect() -> None:
    """Be the collector until the input ends."""
    from tests.support.servers.collector import collector

    with collector() as it:
        print(it.url, flush=True)
        sys.stdin.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("what", choices=("real", "fake", "collector"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, default=200.0, help="after which it ends")
    given = parser.parse_args()
    if given.what == "collector":
        collect()
        return
    with tempfile.TemporaryDirectory() as temporary, collecting() as url:
        folder = Path(temporary)
        (folder / "metrics").mkdir()
        if given.what == "fake":
            (folder / "inbox").mkdir()
            paths = [page(folder / "inbox" / f"{n}.png", shade(n)) for n in range(20)]
            bench = Bench(folder / "metrics", [paths], url, ocr_engine="fake-ocr", ner_engine="fake-ner")
        else:
            samples = sorted(
                one for one in (ROOT / "samples").iterdir() if one.suffix in (".jpg", ".png", ".webp")
            )
            bench = Bench(folder / "metrics", [[one] for one in samples], url)
        show(list(bench.rounds(given.rounds or (150 if given.what == "fake" else 4), given.seconds)))
        bench.end()


if __name__ == "__main__":
    main()
