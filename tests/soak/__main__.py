"""`make soak`: real workers, RabbitMQ and an S3 server under faults, in rounds, until all documents are done.

Each finished round is written to `rounds.jsonl` in the folder. The same command with the same folder goes on with the
next round; one with `--round` repeats a single one.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import msgspec

from tests.soak.fleet import clock_library
from tests.soak.round import Outcome, Round, Servers
from tests.support.servers.rabbit import start_rabbit
from tests.support.servers.swift import BIN, start_swift

log = logging.getLogger("soak")


def main() -> int:
    given = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("soak").setLevel(logging.INFO if given.verbose else logging.WARNING)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # that the broker is down is no news here
    given.folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for caught in (signal.SIGINT, signal.SIGTERM):
        signal.signal(caught, lambda *_: stop.set())
    rounds = max(1, -(-given.documents // given.round_size))
    faults = -(-given.faults // rounds)
    numbers = [given.round] if given.round is not None else range(rounds)
    until = time.monotonic() + 60 * given.minutes
    with ExitStack() as stack:
        work = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="nightshift-soak-", ignore_cleanup_errors=True)
            )
        )
        servers = _servers(stack, work)
        for number in numbers:
            if stop.is_set() or time.monotonic() > until:
                print(f"Stopped before round {number}: run the same command again to continue.")
                break
            if given.round is None and number in {done.number for done in _done(given)}:
                continue
            documents = min(given.round_size, given.documents)
            one = Round(servers, number, f"{given.seed}-{number}", documents, faults, tuple(given.only), stop)
            outcome = one.run()
            if stop.is_set():
                break  # half a round proves nothing
            _keep(given, outcome, one.place)
    done = _done(given)
    if done:
        show(done)
    return 1 if any(outcome.findings for outcome in done) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--round-size", type=int, default=200, help="documents of one round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="no round begins after that")
    parser.add_argument("--round", type=int, help="only this one, again")
    parser.add_argument("--only", action="append", default=[], help="only faults whose name contains this")
    parser.add_argument("--folder", type=Path, default=Path("out/soak"))
    parser.add_argument("--verbose", action="store_true", help="print each fault")
    return parser.parse_args()


def _servers(stack: ExitStack, work: Path) -> Servers:
    (work / "rabbit").mkdir()
    rabbit = start_rabbit(work / "rabbit")
    stack.callback(rabbit.kill)
    swift = None
    if (BIN / "swift-proxy-server").exists():
        (work / "swift").mkdir()
        swift = start_swift(work / "swift")
        stack.callback(swift.stop)
        os.environ |= swift.environ
    else:
        print("No faults of S3: run `make services` for the S3 server.")
    clock = clock_library(work)
    if clock is None:
        print("No clock jumps: there is no C compiler (apt-get install gcc).")
    return Servers(rabbit, swift, clock, work)


def _keep(given: argparse.Namespace, outcome: Outcome, place: Path) -> None:
    """Write a round down, with the logs of one that found something or had tasks without a message."""
    with (given.folder / "rounds.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(outcome) + b"\n")
    if outcome.findings or outcome.stranded:
        logs = given.folder / f"round-{outcome.number:03}"
        logs.mkdir(exist_ok=True)
        for path in place.glob("*.log"):
            shutil.copy(path, logs)
        print(
            f"Round {outcome.number} (seed {outcome.seed}): {len(outcome.findings)} findings; logs in {logs}",
            flush=True,
        )


def _done(given: argparse.Namespace) -> list[Outcome]:
    """The rounds that are done, the last of each number."""
    path = given.folder / "rounds.jsonl"
    if not path.exists():
        return []
    found = [msgspec.json.decode(line, type=Outcome) for line in path.read_bytes().splitlines()]
    return sorted({one.number: one for one in found}.values(), key=lambda one: one.number)


def show(done: list[Outcome]) -> None:
    """Print what came of all rounds."""
    faults, ended = Counter[str](), Counter[str]()
    recovery: dict[str, list[float]] = {}
    for one in done:
        faults.update(one.faults)
        ended.update(one.ended)
        for name, seconds in one.recovery.items():
            for each in name.split(" and "):
                recovery.setdefault(each, []).extend(seconds)
    print("| fault | times | seconds to the next document: median | longest |\n| --- | ---: | ---: | ---: |")
    for name, times in sorted(faults.items()):
        seconds = recovery.get(name, [])
        took = f"{statistics.median(seconds):.1f} | {max(seconds):.1f}" if seconds else "- | -"
        print(f"| {name} | {times} | {took} |")
    figures = {
        "rounds": len(done),
        "documents": sum(one.documents for one in done),
        **{f"ended {status}": count for status, count in sorted(ended.items())},
        "faults": faults.total(),
        "lost": sum(one.lost for one in done),
        "doubled": sum(one.doubled for one in done),
        "other findings": sum(len(one.findings) - one.lost - one.doubled for one in done),
        "tasks that needed audit --repair": sum(one.stranded for one in done),
        "workers that did not stop within 60 s": sum(len(one.slow_to_stop) for one in done),
        "processes that ended by themselves": sum(sum(one.restarts.values()) for one in done),
        "requests to S3": sum(one.requests for one in done),
        "requests to S3 that failed": sum(one.refused_requests for one in done),
        "seconds": round(sum(one.seconds for one in done)),
        "longest time to settle (s)": max(one.settled for one in done),
    }
    print("\n| figure | value |\n| --- | ---: |")
    for name, value in figures.items():
        print(f"| {name} | {value:,} |")
    for one in done:
        for finding in one.findings:
            print(f"round {one.number} (seed {one.seed}, store in {one.store}): {finding}")


if __name__ == "__main__":
    sys.exit(main())
