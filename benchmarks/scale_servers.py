"""How the cost of a night on real servers grows with its documents: RabbitMQ, an S3 server (Swift), a real worker.

    python benchmarks/scale_servers [--documents 1000 3000 10000] [--processes 2] [--again] [--json FILE]

One-page documents, engines that do nothing. Half of the documents are published by one process as raw messages, half
are submitted by one `nightshift submit`; then a worker drains them, and the night is summarised and audited. For each
step: processor time of our own processes and, apart, of the servers; seconds; peak memory of our processes. On a
machine that does something else, only processor time means something. The figures are written after each size, and
sizes that are in the file are not measured again, unless `--again` says so. All else is in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from comparison.record import machine  # noqa: E402
from comparison.servers import Servers, running  # noqa: E402
from comparison.supervise import descendants, memory  # noqa: E402
from scale import Cost, colour, show  # noqa: E402

from pipeline.night.status import status  # noqa: E402
from pipeline.version import __version__  # noqa: E402
from tests.support.command import NIGHTSHIFT, page  # noqa: E402
from tests.support.night import Night  # noqa: E402

STEPS = ("publish", "submit", "drain", "status", "summarise", "quick audit", "audit")
_POLL, _STUCK = 2.0, 900.0  # seconds


class Measured(Cost):
    """A cost with the processor seconds of the servers: the broker, and the S3 server with its disks."""

    servers: float = 0.0


def cpu_of(pids: list[int]) -> float:
    """Processor seconds of these processes, and of children that they have waited for."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Size:
    """A night of so many documents."""

    def __init__(self, servers: Servers, folder: Path, count: int, processes: int) -> None:
        self._servers, self._folder, self._count, self._processes = servers, folder, count, processes
        (folder / "broker").mkdir(parents=True)
        env = {"NIGHTSHIFT_STORE_URL": f"s3://{servers.bucket()}/night", **servers.s3}
        self._night = Night(servers.rabbit(folder / "broker"), folder, env)
        self._paths = [self._page(number) for number in range(count)]

    def _page(self, number: int) -> Path:
        half = "submitted" if number % 2 else "published"
        return page(self._night.inbox / half / f"{number:07}.png", colour(number))

    def measure(self) -> Iterator[Measured]:
        """Do all steps, one after the other."""
        try:
            yield self._publish()
            yield self._submit()
            yield self._drain()
            for step in STEPS[3:]:
                yield self._after(step)
        finally:
            self._night.end()

    def _publish(self) -> Measured:
        messages = [self._night.document(f"raw-{path.stem}", path) for path in self._paths[::2]]
        began, cpu, theirs = time.monotonic(), time.process_time(), self._servers.cpu()
        self._night.publish(messages)
        return self._cost("publish", len(messages), time.process_time() - cpu, began, 0.0, theirs)

    def _submit(self) -> Measured:
        began, theirs, out = time.monotonic(), self._servers.cpu(), self._folder / "submit.json"
        inbox = str(self._night.inbox / "submitted")
        command = [
            sys.executable,
            str(ROOT / "benchmarks" / "comparison" / "supervise.py"),
            str(out),
            "86400",
        ]
        subprocess.run(
            [*command, NIGHTSHIFT, "submit", inbox],
            check=True,
            env={**os.environ, **self._night.env},
            stdout=subprocess.DEVNULL,
        )
        used = json.loads(out.read_text())
        if used["exit_code"]:
            raise SystemExit(f"nightshift submit ended with code {used['exit_code']}")
        return self._cost("submit", self._count // 2, used["cpu_s"], began, used["peak_mib"], theirs)

    def _drain(self) -> Measured:
        began, theirs, peak, done = time.monotonic(), self._servers.cpu(), 0, 0
        worker = self._night.worker("w1", "-c", str(self._processes))
        looked = moved = began
        while done < self._count:
            time.sleep(_POLL)
            peak = max(peak, memory([worker.main.pid, *descendants(worker.main.pid)]))
            looked, before, done = time.monotonic(), done, status(self._night.flow.night).done
            moved = looked if done > before else moved
            if looked - moved > _STUCK or worker.main.poll() is not None:
                raise SystemExit(f"{done} of {self._count} are done, and no more:\n{worker.tail()}")
        cpu = cpu_of([worker.main.pid, *descendants(worker.main.pid)])
        found = self._cost("drain", self._count, cpu, began, peak / 2**20, theirs)
        worker.stop()
        return found

    def _after(self, step: str) -> Measured:
        began, theirs = time.monotonic(), self._servers.cpu()
        command = [sys.executable, str(ROOT / "benchmarks" / "scale.py"), "--step", step]
        where = ["--store", self._night.settings.store_url, "--inbox", str(self._night.inbox)]
        done = subprocess.run(
            [*command, *where, "--documents", str(self._count)], check=True, stdout=subprocess.PIPE, text=True
        )
        one = msgspec.json.decode(done.stdout.splitlines()[-1], type=Cost)
        return self._cost(step, self._count, one.cpu, began, one.mib, theirs, wall=one.wall)

    def _cost(
        self, step: str, count: int, cpu: float, began: float, mib: float, theirs: float, wall: float = 0.0
    ) -> Measured:
        took = wall or time.monotonic() - began
        return Measured(step, count, cpu, took, mib, servers=self._servers.cpu() - theirs)


@contextmanager
def started() -> Iterator[tuple[Servers, Path]]:
    """Both servers, and a folder; nothing is left of them."""
    with tempfile.TemporaryDirectory(prefix="nightshift-scale-") as folder, running(Path(folder)) as where:
        yield Servers.load(where), Path(folder)


def save(path: Path, nights: list[list[Measured]]) -> None:
    """Write what was measured until now."""
    path.parent.mkdir(exist_ok=True)
    record = {"version": __version__, "machine": machine(), "nights": msgspec.to_builtins(nights)}
    path.write_text(json.dumps(record, indent=1) + "\n")


def load(path: Path) -> list[list[Measured]]:
    """What an earlier call has measured with this version."""
    if not path.exists():
        return []
    record: dict[str, Any] = json.loads(path.read_text())
    found = msgspec.convert(record["nights"], list[list[Measured]])
    return found if record["version"] == __version__ else []


def main() -> None:
    """Measure nights of several sizes, and print how their costs grow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[1000, 3000, 10000])
    parser.add_argument("--processes", type=int, default=2, help="of the worker")
    parser.add_argument("--again", action="store_true", help="measure sizes again that are in the file")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks" / "results" / "scale-servers.json")
    given: Any = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nothing is left
    nights = [] if given.again else load(given.json)
    known = {night[-1].documents for night in nights}
    if wanted := [count for count in given.documents if count not in known]:
        with started() as (servers, folder):
            for count in wanted:
                night = []
                for one in Size(servers, folder / str(count), count, given.processes).measure():
                    night.append(one)
                    print(
                        f"  {one.step} {one.documents}: {one.wall:.1f} s, {one.cpu:.1f} s of processor time, "
                        f"servers {one.servers:.1f} s, {one.mib:.0f} MiB, load {os.getloadavg()[0]:.1f}",
                        file=sys.stderr,
                        flush=True,
                    )
                nights = sorted([*nights, night], key=lambda one: one[-1].documents)
                save(given.json, nights)
    show(nights, STEPS)


if __name__ == "__main__":
    main()
