"""Simulate nights: `python -m tests.simulation --help`, or `make simulate`."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation import known_bad, patches, sites
from tests.simulation.course import Course, Planned
from tests.simulation.faults import KINDS, Aim, Coverage
from tests.simulation.run import Outcome, simulate
from tests.simulation.trace import shortened, story

_SHOWN = 3


@dataclass
class Batch:
    """What came of runs. `failed`: each with its first finding; `reached`: sites, each with a run that opened it."""

    runs: int = 0
    nights: int = 0
    documents: int = 0
    messages: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    failed: list[tuple[Planned, str]] = field(default_factory=list)
    reached: dict[str, Planned] = field(default_factory=dict)

    def add(self, planned: Planned, outcome: Outcome) -> None:
        """Add one run."""
        self.runs += 1
        self.nights += outcome.nights
        self.documents += outcome.documents
        self.messages += outcome.messages
        new = outcome.world.coverage.open - self.coverage.open
        self.reached |= dict.fromkeys(new, planned)
        self.coverage.add(outcome.world.coverage)
        self.failed += [(planned, str(finding)) for finding in outcome.findings[:1]]

    def join(self, other: Batch) -> None:
        """Add a whole batch; of two runs that reached a site, the one that was known before is kept."""
        self.runs += other.runs
        self.nights += other.nights
        self.documents += other.documents
        self.messages += other.messages
        self.coverage.add(other.coverage)
        self.failed += other.failed
        self.reached = other.reached | self.reached


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Simulate nights in which processes die, are paused and get errors, and check that each document "
        "ended exactly once. Exit codes: 0 all passed, 1 a run failed.",
    )
    parser.add_argument("--seed", type=int, help="replay this one run and print what happened in it")
    parser.add_argument("--first", type=int, default=0, help="first seed of many runs (default 0)")
    parser.add_argument("--nights", type=int, default=1000, help="stop after this many nights (default 1000)")
    parser.add_argument("--minutes", type=float, help="stop after this many minutes instead")
    parser.add_argument("--jobs", type=int, default=1, help="processes to run in (default 1)")
    parser.add_argument("--only", metavar="N,N", help="with --seed: the faults and events that happen")
    parser.add_argument(
        "--aims",
        metavar="SITE=FAULT,…",
        help="with --seed: faults at the first calls of these sites, in this order",
    )
    parser.add_argument(
        "--whole", action="store_true", help="with --seed: do not shorten the run or its trace"
    )
    parser.add_argument("--parquet", action="store_true", help="write real parquet tables (slow)")
    parser.add_argument("--bad", choices=sorted(known_bad.PATCHES), help="put a known defect into the code")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first run that fails")
    parser.add_argument(
        "--directed",
        action="store_true",
        help="hit each call that a run reaches by each fault, before it has taken effect and after it",
    )
    parser.add_argument(
        "--coverage", action="store_true", help="list the faults that call sites were not hit by"
    )
    return parser.parse_args()


def _replay(args: argparse.Namespace) -> int:
    only = None if args.only is None else frozenset(int(n) for n in args.only.split(",") if n)
    aims = [Aim.parse(text) for text in (args.aims or "").split(",") if text]
    outcome = simulate(args.seed, only=only, aims=aims, parquet=args.parquet)
    if outcome.findings and only is None and not args.whole:
        outcome = shortened(outcome)
    show(outcome, everything=args.whole)
    return 1 if outcome.findings else 0


def show(outcome: Outcome, *, everything: bool = False) -> None:
    """Print a run: its trace, then what is wrong, then how to see it again."""
    for line in story(outcome, everything=everything):
        print(line)
    for finding in outcome.findings:
        print(f"WRONG  {finding}")
    if not outcome.findings:
        print(f"passed: {outcome.nights} nights, {outcome.documents} submissions")
    only = ",".join(map(str, outcome.world.faults)) if outcome.world.only is not None else ""
    print(
        f"again: {_command(Planned(outcome.seed, tuple(outcome.aims)))}" + (f" ONLY={only}" if only else "")
    )


def _command(planned: Planned) -> str:
    return f"make simulate SEED={planned.seed}" + (
        f" AIMS={','.join(map(str, planned.aims))}" if planned.aims else ""
    )


def _some(job: tuple[list[Planned], str | None, bool]) -> Batch:
    planned, bad, parquet = job
    batch = Batch()
    with patches.installed(), known_bad.applied(bad):
        for one in planned:
            batch.add(one, simulate(one.seed, aims=one.aims, parquet=parquet))
    return batch


def _batches(args: argparse.Namespace, course: Course) -> Iterator[Batch]:
    def job() -> tuple[list[Planned], str | None, bool]:
        return course.batch(), args.bad, args.parquet

    if args.jobs == 1:
        while True:
            yield _some(job())
    with multiprocessing.Pool(args.jobs) as pool:
        while True:
            yield from pool.imap_unordered(_some, [job() for _ in range(args.jobs)])


def _many(args: argparse.Namespace) -> int:
    started, last = time.monotonic(), 0.0
    known = sites.found()
    course = Course(args.first, directed=args.directed, known=known)
    all_of_them, kinds = Batch(), Counter[str]()
    for batch in _batches(args, course):
        course.reached(batch.reached)
        all_of_them.join(batch)
        for planned, text in batch.failed:
            kind = text.partition(":")[0]
            kinds[kind] += 1
            if kinds[kind] <= _SHOWN:
                print(f"{text}\n  {_command(planned)}")
        seconds = time.monotonic() - started
        if seconds - last > 30:
            last = seconds
            print(f"{all_of_them.nights} nights, {kinds.total()} failed runs, {seconds:.0f} s", flush=True)
        if (kinds and not args.keep_going) or (
            seconds > args.minutes * 60 if args.minutes is not None else all_of_them.nights >= args.nights
        ):
            break
    _report(all_of_them, known, time.monotonic() - started)
    for line in sites.not_reached(all_of_them.coverage, known):
        print(line)
    if args.coverage:
        sites.show(all_of_them.coverage, known)
    for kind, number in kinds.items():
        print(f"{number} x {kind}")
    return 1 if kinds else 0


def _report(batch: Batch, known: frozenset[str], seconds: float) -> None:
    coverage = batch.coverage
    print(
        f"{batch.runs} runs: {batch.nights} nights, {batch.documents} submissions, {batch.messages} messages in "
        f"{seconds:.0f} s ({batch.nights / seconds * 60:.0f} nights a minute)"
    )
    hit = ", ".join(f"{kind}: {len(coverage.sites(kind) & known)}" for kind in KINDS)
    print(
        f"call sites: {len(known)} in the code, {len(coverage.reached & known)} reached; hit by a {hit}; "
        f"by each of these, before and after: {len(coverage.whole() & known)}"
    )


def main() -> int:
    """Run, and return the exit code."""
    args = _arguments()
    if args.seed is None:
        return _many(args)
    with patches.installed(), known_bad.applied(args.bad):
        return _replay(args)


if __name__ == "__main__":
    sys.exit(main())
