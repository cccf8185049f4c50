"""Simulate nights: `python -m tests.simulation --help`, or `make simulate`."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.simulation import known_bad, patches, sites
from tests.simulation.faults import KINDS, Coverage
from tests.simulation.run import Outcome, simulate
from tests.simulation.trace import shortened, story

_CHUNK = 50
_SHOWN = 3


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
        "--whole", action="store_true", help="with --seed: do not shorten the run or its trace"
    )
    parser.add_argument("--parquet", action="store_true", help="write real parquet tables (slow)")
    parser.add_argument("--bad", choices=sorted(known_bad.PATCHES), help="put a known defect into the code")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first run that fails")
    parser.add_argument("--coverage", action="store_true", help="list call sites that were not hit")
    return parser.parse_args()


def _replay(args: argparse.Namespace) -> int:
    only = None if args.only is None else frozenset(int(n) for n in args.only.split(",") if n)
    outcome = simulate(args.seed, only=only, parquet=args.parquet)
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
    print(f"again: make simulate SEED={outcome.seed}" + (f" ONLY={only}" if only else ""))


def _some(job: tuple[int, int, str | None, bool]) -> tuple[list[tuple[int, str]], int, int, int, Coverage]:
    first, number, bad, parquet = job
    failed, nights, documents, messages, coverage = [], 0, 0, 0, Coverage()
    with patches.installed(), known_bad.applied(bad):
        for seed in range(first, first + number):
            outcome = simulate(seed, parquet=parquet)
            nights, documents = nights + outcome.nights, documents + outcome.documents
            messages += outcome.messages
            coverage.add(outcome.world.coverage)
            failed += [(seed, str(finding)) for finding in outcome.findings[:1]]
    return failed, nights, documents, messages, coverage


def _results(args: argparse.Namespace) -> Iterator[tuple[list[tuple[int, str]], int, int, int, Coverage]]:
    jobs = ((first, _CHUNK, args.bad, args.parquet) for first in range(args.first, sys.maxsize, _CHUNK))
    if args.jobs == 1:
        yield from map(_some, jobs)
        return
    with multiprocessing.Pool(args.jobs) as pool:
        while True:
            yield from pool.imap_unordered(_some, [next(jobs) for _ in range(args.jobs)])


def _many(args: argparse.Namespace) -> int:
    started, last = time.monotonic(), 0.0
    nights = documents = messages = runs = 0
    coverage, kinds, examples = Coverage(), Counter[str](), dict[str, int]()
    for failed, more_nights, more_documents, more_messages, more_coverage in _results(args):
        runs, nights, documents = runs + _CHUNK, nights + more_nights, documents + more_documents
        messages += more_messages
        coverage.add(more_coverage)
        for seed, text in failed:
            kind = text.partition(":")[0]
            kinds[kind] += 1
            examples.setdefault(kind, seed)
            if kinds[kind] <= _SHOWN:
                print(f"seed {seed}: {text}")
        seconds = time.monotonic() - started
        if seconds - last > 30:
            last = seconds
            print(f"{nights} nights, {sum(kinds.values())} failed runs, {seconds:.0f} s", flush=True)
        if (kinds and not args.keep_going) or (
            seconds > args.minutes * 60 if args.minutes is not None else nights >= args.nights
        ):
            break
    seconds = time.monotonic() - started
    print(
        f"{runs} runs: {nights} nights, {documents} submissions, {messages} messages in {seconds:.0f} s "
        f"({nights / seconds * 60:.0f} nights a minute)"
    )
    known = sites.found()
    print(f"call sites: {len(known)} in the code, {len(coverage.reached & known)} reached; hit by a ", end="")
    print(", ".join(f"{kind}: {len(coverage.hit[kind] & known)}" for kind in KINDS))
    if args.coverage:
        sites.show(coverage, known)
    for kind, seed in examples.items():
        print(f"{kinds[kind]} x {kind}, for example: make simulate SEED={seed}")
    return 1 if kinds else 0


def main() -> int:
    """Run, and return the exit code."""
    args = _arguments()
    if args.seed is None:
        return _many(args)
    with patches.installed(), known_bad.applied(args.bad):
        return _replay(args)


if __name__ == "__main__":
    sys.exit(main())
