"""Compare Nightshift with other programs on the same pages: speed, accuracy and memory in one table.

    python -m benchmarks.comparison [--data FOLDER] [--pages 24] [--rounds 3] [--only run,rapidocr] [--json]

Each contender has one compute thread and a process of its own; all have their turn in each round. The record is
written to `benchmarks/results/`. docs/reference/benchmarks.md says what the columns mean and what is fair.
Exit codes: 0 done, also where a contender failed, 1 all failed, 2 usage error, 130 stopped (Ctrl-C).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .contenders import CONTENDERS, Contender, chosen
from .figures import figures
from .pages.labelled import labelled
from .pages.made import made
from .pages.page_set import NoPages, PageSet
from .record import record
from .rounds import Comparison
from .run import ROOT
from .table import WIDTH, show

STOPPED = 130


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.comparison",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, help="folder with labelled pages (default: pages that are made here)"
    )
    parser.add_argument("--pages", type=int, default=24, help="number of pages, at least 2 (default 24)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the pages that are made (default 1)")
    parser.add_argument("--only", default="", help=f"some of: {','.join(one.name for one in CONTENDERS)}")
    parser.add_argument("--no-servers", action="store_true", help="leave out what needs RabbitMQ and S3")
    parser.add_argument("--timeout", type=float, default=900, help="seconds per turn (default 900)")
    parser.add_argument("--json", action="store_true", help="print the record instead of the table")
    parser.add_argument("--out", type=Path, help="file for the record (default benchmarks/results/TIME.json)")
    options = parser.parse_args(given)
    if options.pages < 2 or options.rounds < 1:
        parser.error("at least 2 pages and 1 round are needed")
    try:
        options.contenders = _wanted(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def _wanted(options: argparse.Namespace) -> list[Contender]:
    found = chosen([name for name in options.only.split(",") if name])
    return [one for one in found if not (options.no_servers and one.uses_servers)]


def main(given: list[str] | None = None) -> int:
    """Compare, print, and write the record; returns the exit code."""
    options, notes = arguments(given), Console(stderr=True)
    for name in (signal.SIGINT, signal.SIGTERM):  # both end it cleanly, also where a shell has it ignore one
        signal.signal(name, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="nightshift-pages-") as folder:
        try:
            pages = _pages(options, Path(folder))
        except NoPages as error:
            print(error, file=sys.stderr)
            return 2
        comparison = Comparison(options.contenders, pages, options.timeout)
        stopped = not _run(comparison, options.rounds, notes)
        return _report(comparison, options, stopped=stopped)


def _pages(options: argparse.Namespace, folder: Path) -> PageSet:
    if options.data:
        return labelled(options.data.resolve(), options.pages)
    return made(folder, options.pages, options.seed)


def _run(comparison: Comparison, rounds: int, notes: Console) -> bool:
    """Run all behind a progress bar; returns whether it was not interrupted."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task("servers", total=comparison.turns(rounds))
        done = iter(range(comparison.turns(rounds) + 1))
        try:
            comparison.run(rounds, lambda name: bar.update(task, description=name, completed=next(done)))
        except KeyboardInterrupt:
            return False
    return True


def _report(comparison: Comparison, options: argparse.Namespace, *, stopped: bool) -> int:
    rows, pages = comparison.rows, comparison.pages
    found = figures(rows, pages)
    settings = {"rounds": options.rounds, "threads": 1, "timeout_s": options.timeout, "stopped": stopped}
    made_record = record(rows, found, pages, settings)
    stamp = str(made_record["made_at"]).partition("+")[0].replace(":", "")
    out: Path = options.out or ROOT / "benchmarks" / "results" / f"{stamp}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(made_record, ensure_ascii=False, indent=2)
    out.write_text(text + "\n", encoding="utf-8")
    if options.json:
        print(text)
    else:
        console = Console(width=WIDTH)
        show(rows, found, console)
        shown = out.relative_to(ROOT) if out.is_relative_to(ROOT) else out
        console.print(f"{len(pages.pages)} pages ({pages.source}), rounds: {options.rounds}. Record: {shown}")
    if stopped:
        return STOPPED
    return 0 if any(row.status == "done" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
