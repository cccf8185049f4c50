"""Run the contenders: one start each, then rounds in which each has its turn, so that a busy machine hits all alike."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import servers, supervise
from .contenders import Contender
from .pages.page_set import PageSet
from .run import ROOT, Run
from .servers import Servers


@dataclass(frozen=True)
class Measured:
    """What one run used: elapsed and processor seconds of all its processes, and their peak of memory together.

    `servers_cpu_s`: processor seconds of broker and S3 server meanwhile, which are not part of `cpu_s`.
    """

    pages: int
    wall_s: float
    cpu_s: float
    peak_mib: float
    servers_cpu_s: float = 0.0


class Failed(Exception):
    """A run that left no text; the message says why."""


@dataclass
class Row:
    """What became of a contender. `start`: a run on the first page alone; `lines`: those of the last round."""

    contender: Contender
    reason: str = ""
    start: Measured | None = None
    rounds: list[Measured] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)
    skipped: bool = False

    @property
    def status(self) -> str:
        """`done`, `skipped` where it is not installed, `failed`, or `stopped` before its first round."""
        if self.reason:
            return "skipped" if self.skipped else "failed"
        return "done" if self.rounds else "stopped"


@dataclass
class Comparison:
    """All rows; `run` fills them. `limit`: seconds after which a run is stopped."""

    contenders: Sequence[Contender]
    pages: PageSet
    limit: float
    rows: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [Row(contender) for contender in self.contenders]
        for row in self.rows:
            row.reason = row.contender.missing() or ""
            row.skipped = bool(row.reason)

    def run(self, rounds: int, progress: Callable[[str], None] = lambda _: None) -> None:
        """Run all. `progress` is called with a contender's label before each of its turns.

        Interrupted, it leaves what was measured until then in `rows`.
        """
        with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder, ExitStack() as stack:
            places = self._servers(Path(folder), stack)
            for turn in range(rounds + 1):
                for row in self._order(turn):
                    progress(row.contender.label)
                    self._turn(row, turn, Path(folder), places)

    def _servers(self, folder: Path, stack: ExitStack) -> Path | None:
        """Start the servers if a contender uses them; those that do have failed if they do not start."""
        users = [row for row in self.rows if row.contender.uses_servers and not row.reason]
        try:
            return stack.enter_context(servers.running(folder)) if users else None
        except servers.NotStarted as error:
            for row in users:
                row.reason = str(error)
            return None

    def turns(self, rounds: int) -> int:
        """How often `progress` is called, if none fails."""
        return (rounds + 1) * sum(not row.reason for row in self.rows)

    def _order(self, turn: int) -> Iterator[Row]:
        """Every second round the other way round: nobody always follows the same one."""
        for row in self.rows if turn % 2 == 0 else reversed(self.rows):
            if not row.reason:
                yield row

    def _turn(self, row: Row, turn: int, folder: Path, places: Path | None) -> None:
        pages = self.pages if turn else self.pages.first(1)
        try:
            measured, lines = measure(row.contender, pages, folder, places, self.limit)
        except Failed as failed:
            row.reason, row.rounds = f"{failed} {row.contender.hint}".strip(), []
            return
        if turn:
            row.rounds.append(measured)
            row.lines = lines
        else:
            row.start = measured


def measure(
    contender: Contender, pages: PageSet, folder: Path, places: Path | None, limit: float
) -> tuple[Measured, list[list[str]]]:
    """Run a contender once, in an empty folder below `folder`; raises `Failed`."""
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=f"{contender.name}-"))
    run = Run(pages.pages, scratch, places)
    found = Servers.load(places) if places else None
    before = found.cpu() if found else 0.0
    used = supervised(contender.command(run), run, limit)
    after = found.cpu() if found and contender.uses_servers else before
    if used["exit_code"] is None:
        raise Failed(f"stopped after {limit:.0f} s")
    if used["exit_code"] not in contender.exit_codes:
        raise Failed(f"exit code {used['exit_code']}: {_last_line(scratch)}")
    try:
        lines = contender.lines(run)
    except (OSError, KeyError, ValueError) as error:
        raise Failed(f"left no text ({type(error).__name__}): {_last_line(scratch)}") from error
    return (
        Measured(len(pages.pages), used["wall_s"], used["cpu_s"], used["peak_mib"], round(after - before, 2)),
        lines,
    )


def supervised(command: list[str], run: Run, limit: float) -> dict[str, float]:
    """Run a command below `supervise.py`, its output in a log; returns what it used."""
    out = run.folder / "used.json"
    script = [sys.executable, supervise.__file__, str(out), str(limit), *command]
    with (run.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            script,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=run.environ(),
            start_new_session=True,  # Ctrl-C reaches this process alone, which ends the others
        )
        try:
            process.wait()
        finally:
            process.terminate()
            process.wait()
    if not out.exists():
        raise Failed(f"could not be started: {_last_line(run.folder)}")
    used: dict[str, float] = json.loads(out.read_text())
    return used


def _last_line(folder: Path) -> str:
    lines = (folder / "log").read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "no output")
