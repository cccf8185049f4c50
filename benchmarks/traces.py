"""What traces cost: processor time of a worker with all of them sent, against one without, engines that do nothing.

    python benchmarks/traces.py [--documents 200] [--rounds 7] [--ratio 1.0]

Two workers with one process each, one broker, a collector in the process of the benchmark. Each round sends the same
number of one-page images through accept, ingest, ocr and ner of one worker, then of the other; the time is that
of the worker, its pool process and its reader, from the first message to two seconds after the last end, in which the
last spans are sent. Both have done a round before. Prints the median of each side and of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

from tests.support.night import Night, Process, night  # noqa: E402
from tests.support.servers import wait_for  # noqa: E402
from tests.support.servers.collector import collector  # noqa: E402
from tests.support.servers.rabbit import start_rabbit  # noqa: E402

_TICK = os.sysconf("SC_CLK_TCK")


def seconds(worker: Process) -> float:
    """Processor time of a worker and all its processes."""
    found = [worker.main.pid, *worker.children(), *worker.readers()]
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in found]
    return sum(int(one[11]) + int(one[12]) for one in fields) / _TICK


class Side:
    """One worker, and its night."""

    def __init__(self, it: Night, documents: int) -> None:
        self.it, self.documents, self.ended = it, documents, 0
        self.worker = it.ready(it.worker("w1", "-c", "1", "-l", "WARNING", NIGHTSHIFT_LOG_LEVEL="INFO"))

    def round(self, name: str) -> float:
        """Milliseconds of processor time per document."""
        messages = self.it.documents(self.documents, name)
        before = seconds(self.worker)
        self.it.publish(messages)
        self.ended += self.documents
        wait_for(lambda: self.it.depth("ner") == 0 and len(self.it.ended()) == self.ended, "all to end", 600)
        wait_for(lambda: not self.it.pending(), "all markers to be gone")
        time.sleep(2.5)
        return 1000 * (seconds(self.worker) - before) / self.documents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ratio", default="1.0")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("rabbit", "off", "on"):
            (folder / name).mkdir()
        rabbit = start_rabbit(folder / "rabbit")
        stack.callback(rabbit.kill)
        spans = stack.enter_context(collector())
        sent = {"NIGHTSHIFT_OTLP_ENDPOINT": spans.url, "NIGHTSHIFT_OTLP_RATIO": arguments.ratio}
        off = Side(stack.enter_context(night(rabbit, folder / "off")), arguments.documents)
        on = Side(stack.enter_context(night(rabbit, folder / "on", **sent)), arguments.documents)
        off.round("warm"), on.round("warm")
        pairs = []
        for n in range(arguments.rounds):
            first, second = (off, on) if n % 2 else (on, off)
            found = {first: first.round(f"r{n}"), second: second.round(f"r{n}")}
            pairs.append((found[off], found[on]))
            print(
                f"off {found[off]:.2f} ms   on {found[on]:.2f} ms   ratio {found[on] / found[off]:.3f}",
                flush=True,
            )
        ratio = statistics.median(b / a for a, b in pairs)
        without, with_ = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"{arguments.documents} documents, {arguments.rounds} rounds: off {without:.2f} ms, on {with_:.2f} ms per "
            f"document, median ratio {ratio:.3f}; {len(spans.spans)} spans received"
        )


if __name__ == "__main__":
    main()
