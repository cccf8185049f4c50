"""`make fuzz`: new inputs for every target, for some minutes; each that breaks something is kept under `out/fuzz/`."""

import argparse
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.fuzz.runner import Figures, Runner
from tests.fuzz.target import NAMES

# Where a fault is likelier, or an input slower, there is more of the time.
_SHARES = {"messages": 3, "parsers": 3, "texts": 2, "stored": 2, "documents": 5, "containers": 2}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--target", action="append", choices=NAMES, help="default: all")
    parser.add_argument(
        "--keep", type=Path, default=Path("out/fuzz"), help="folder for inputs that broke something"
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="try these inputs again instead of new ones (one --target)"
    )
    given = parser.parse_args()
    targets = given.target or list(NAMES)
    if given.files and len(targets) != 1:
        parser.error("name the one --target of the files")
    print(f"seed {given.seed}", flush=True)
    total, done = sum(_SHARES[name] for name in targets), []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # what was done until then is shown
        for name in targets:
            runner = Runner(name, given.keep)
            done.append(runner.figures)
            if given.files:
                runner.replay(given.files)
            else:
                runner.explore(given.seed, given.minutes * 60 * _SHARES[name] / total)
    show(done)
    return 1 if any(figures.found for figures in done) else 0


def show(done: list[Figures]) -> None:
    """Print the table, then each defect with the file of one input."""
    print("| target | inputs | seconds | slowest (s of CPU) | crashes | hangs | ended |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    every = Figures("all")
    for it in done:
        ended = ", ".join(f"{what} {count:,}" for what, count in it.ended.most_common(6))
        more = f", {len(it.ended) - 6} more kinds" if len(it.ended) > 6 else ""
        print(_row(it) + f" {ended}{more} |")
        every.inputs += it.inputs
        every.seconds += it.seconds
        every.slowest = max(every.slowest, it.slowest)
        every.found += it.found
    print(_row(every) + " |")
    for it in done:
        for what, count in it.found.most_common():
            print(f"{it.target}: {count} x {what}\n    {it.kept.get(what, '')}")


def _row(it: Figures) -> str:
    figures = f"{it.inputs:,} | {it.seconds:.0f} | {it.slowest:.1f} | {it.crashes} | {it.hangs}"
    return f"| {it.target} | {figures} |"


if __name__ == "__main__":
    sys.exit(main())
