"""How the cost of a night grows with its documents: accept, drain, recount, status, summarise, audit.

    python benchmarks/scale.py [--documents 1000 4000 16000] [--store s3://bucket/prefix] [--json FILE]

One-page documents, engines that do nothing, the store a temporary folder unless another is named, one process, no
broker (`make soak` has one). Each step is a process of its own, so that its peak memory is its own. The slope of the
logarithms is 1 where a document costs the same however many there are, and 2 where each looks at all others.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

STEPS = ("accept", "drain", "recount", "status", "summarise", "quick audit", "audit")
_COLUMNS = "{:<12} {:>9} {:>9} {:>9} {:>9} {:>8} {:>6}"


class Cost(msgspec.Struct):
    """Of one step for all documents: `cpu` and `wall` in seconds, `mib` at its peak."""

    step: str
    documents: int
    cpu: float
    wall: float
    mib: float


def work(step: str, store_url: str, inbox: Path, count: int) -> Callable[[], object]:
    """What a step does, with all that is imported for it."""
    from pipeline.ledger import counting
    from pipeline.ledger.audit import audit
    from pipeline.night import recount
    from pipeline.night.dispatch import resume_all
    from pipeline.night.flow import Flow
    from pipeline.night.night import Night
    from pipeline.night.status import status
    from pipeline.settings import Settings
    from pipeline.tables.summary import summarise
    from tests.support.command import page
    from tests.support.flows import drain, submission

    settings = Settings.from_env(
        store_url=store_url,
        window="always",
        allowed_sources=inbox.as_uri(),
        ocr_engine="fake-ocr",
        ner_engine="fake-ner",
        sandbox="off",
    )
    night = Night.of(settings)
    day = night.schedule.run_date()
    paths = [page(inbox / f"{n}.png", colour(n)) for n in range(count)] if step == "accept" else []

    def flowing(done: Callable[[Flow], object]) -> None:
        counting.start(night.store, night.schedule.run_date)
        done(Flow(night, at_once=True))
        counting.stop()

    def accept(flow: Flow) -> None:
        for number, path in enumerate(paths):
            flow.reception.accept(submission(path, f"t{number:07}"))

    calls: dict[str, Callable[[], object]] = {
        "accept": lambda: flowing(accept),
        "drain": lambda: flowing(lambda flow: drain(flow, resume_all(night))),
        "recount": lambda: recount.recount(night),
        "status": lambda: status(night),
        "summarise": lambda: summarise(night.store, day),
        "quick audit": lambda: audit(night.store, day, quick=True),
        "audit": lambda: audit(night.store, day),
    }
    return calls[step]


def colour(number: int) -> tuple[int, int, int]:
    """Of which the fake engine reads a text of its own, without doing what extreme colours ask of it."""
    return 10 + number // 57_600, 10 + number // 240 % 240, 10 + number % 240


def measure(step: str, store_url: str, inbox: Path, count: int) -> Cost:
    """Do one step here, imports and preparation not counted."""
    from pipeline.ledger.audit import Audit

    do = work(step, store_url, inbox, count)
    cpu, began = _cpu(), time.monotonic()
    found = do()
    wall, cpu = time.monotonic() - began, _cpu() - cpu
    if isinstance(found, Audit) and not (found.adds_up and found.done == count):
        raise SystemExit(f"the audit of {count} documents does not add up")
    return Cost(step, count, cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _cpu() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    of_others = os.times()
    return time.process_time() + of_others.children_user + of_others.children_system


def a_night(store_url: str, count: int) -> list[Cost]:
    """All steps of a night of so many documents, each in a process."""
    found = []
    with tempfile.TemporaryDirectory() as inbox:
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, "--store", store_url, "--inbox", inbox]
            done = subprocess.run(
                [*command, "--documents", str(count)], check=True, stdout=subprocess.PIPE, text=True
            )
            found.append(msgspec.json.decode(done.stdout.splitlines()[-1], type=Cost))
            print(f"  {count} documents: {step} {found[-1].wall:.1f} s", file=sys.stderr)
    return found


def slope(before: Cost, after: Cost) -> float:
    """By which power of the number of documents the processor time grows."""
    return math.log(max(after.cpu, 1e-3) / max(before.cpu, 1e-3)) / math.log(
        after.documents / before.documents
    )


def show(nights: Sequence[Sequence[Cost]], steps: Sequence[str] = STEPS) -> None:
    """The table: a row for each step and number of documents, the slope from the row before."""
    print(_COLUMNS.format("step", "documents", "CPU s", "wall s", "ms each", "MiB", "slope"))
    for number, step in enumerate(steps):
        before: Cost | None = None
        for night in nights:
            one = night[number]
            shown = f"{slope(before, one):.2f}" if before else ""
            each = f"{1000 * one.cpu / one.documents:.3f}"
            row = (one.documents, f"{one.cpu:.2f}", f"{one.wall:.2f}", each, f"{one.mib:.0f}", shown)
            print(_COLUMNS.format(step, *row))
            before = one


def main() -> None:
    """Measure nights of several sizes, and print how their costs grow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[1000, 4000, 16000])
    parser.add_argument("--store", default="", help="each night below it; default: a temporary folder")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--inbox", type=Path, help=argparse.SUPPRESS)
    given: Any = parser.parse_args()
    if given.step:
        (count,) = given.documents
        print(msgspec.json.encode(measure(given.step, given.store, given.inbox, count)).decode())
        return
    nights = []
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        for count in given.documents:
            nights.append(a_night(f"{given.store or Path(folder).as_uri()}/{count}", count))
    show(nights)
    if given.json:
        given.json.write_text(json.dumps(msgspec.to_builtins(nights), indent=1) + "\n")


if __name__ == "__main__":
    main()
