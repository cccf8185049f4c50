"""Turns, failures, interruptions and figures, with contenders that read what they are given."""

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from benchmarks.comparison import record as records
from benchmarks.comparison import table
from benchmarks.comparison.__main__ import arguments, main
from benchmarks.comparison.contenders import CONTENDERS, Contender, chosen
from benchmarks.comparison.figures import Figures, figures
from benchmarks.comparison.pages.page_set import Page, PageSet
from benchmarks.comparison.rounds import Comparison, Measured, Row
from benchmarks.comparison.run import LINES, Run
from tests.support.command import GREEN, page
from tests.support.flows import raiser

SCHEMA = json.loads((Path(records.__file__).parent / "schema.json").read_text())


@pytest.fixture
def pages(tmp_path: Path) -> PageSet:
    found = (Page(page(tmp_path / f"{n}.png", GREEN), (f"page {n}",)) for n in range(3))
    return PageSet("a test", tuple(found))


def python(name: str, script: str, **more: Any) -> Contender:
    """A contender that runs a script, with `pages` and `folder`."""

    def command(run: Run) -> list[str]:
        known = f"pages, folder = {[(p.path.name, p.lines) for p in run.pages]!r}, {str(run.folder)!r}"
        return [sys.executable, "-c", f"import json\n{known}\n{script}"]

    return Contender(name, name, "for tests", command, **more)


READS = f"json.dump({{n: list(lines) for n, lines in pages}}, open(folder + '/{LINES}', 'w'))"
WRONG = f"json.dump({{n: ['page'] for n, _ in pages}}, open(folder + '/{LINES}', 'w'))"


def compared(pages: PageSet, *contenders: Contender, limit: float = 60, rounds: int = 2) -> Comparison:
    comparison = Comparison(contenders, pages, limit)
    comparison.run(rounds)
    return comparison


def test_each_has_its_turn_in_each_round(pages: PageSet) -> None:
    turns: list[str] = []
    comparison = Comparison([python("a", READS), python("b", WRONG)], pages, 60)
    assert comparison.turns(2) == 6
    comparison.run(2, turns.append)
    assert turns == ["a", "b", "b", "a", "a", "b"], "the order alternates"
    first, second = comparison.rows
    assert (first.start and first.start.pages, [one.pages for one in first.rounds]) == (1, [3, 3])
    right, wrong = figures(comparison.rows, pages)
    assert (right.character_f1, right.token_f1) == (1.0, 1.0)
    assert wrong.character_f1 == pytest.approx(8 / 9)
    assert second.lines == [["page"]] * 3


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise SystemExit('no models here')", "exit code 1: no models here"),
        ("print('nothing read')", r"left no text \(FileNotFoundError\): nothing read"),
        ("import time; time.sleep(60)", "stopped after 2 s"),
    ],
)
def test_a_contender_that_fails_is_a_row_with_the_reason(pages: PageSet, script: str, reason: str) -> None:
    failing, other = compared(pages, python("a", script), python("b", READS), limit=2, rounds=1).rows
    assert failing.status == "failed"
    assert re.fullmatch(reason, failing.reason)
    assert other.status == "done"


def test_a_contender_that_fails_later_has_no_figures(pages: PageSet) -> None:
    script = f"if len(pages) > 1: raise SystemExit('too many')\n{READS}"
    (row,) = compared(pages, python("a", script, hint="Fewer?")).rows
    assert (row.status, row.reason, row.rounds) == ("failed", "exit code 1: too many Fewer?", [])
    assert figures([row], pages) == [Figures()]


def test_what_is_not_installed_is_skipped(pages: PageSet) -> None:
    comparison = compared(pages, python("a", "raise", missing=lambda: "not there: install it"))
    assert comparison.turns(1) == 0
    (row,) = comparison.rows
    assert (row.status, row.reason) == ("skipped", "not there: install it")


def test_without_servers_the_others_are_compared(pages: PageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.comparison.servers.start_rabbit", raiser(OSError("no port is free")))
    user, other = compared(pages, python("a", READS, uses_servers=True), python("b", READS), rounds=1).rows
    assert (user.status, user.reason) == ("failed", "The servers did not start: no port is free")
    assert other.status == "done"


def test_an_interruption_leaves_what_was_measured(pages: PageSet) -> None:
    comparison = Comparison([python("a", READS), python("b", READS)], pages, 60)
    turns = iter(range(4))

    def progress(_: str) -> None:
        if next(turns) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        comparison.run(2, progress)
    assert [row.status for row in comparison.rows] == ["stopped", "done"]


def row(name: str, start: tuple[float, float], *rounds: tuple[float, float], servers: float = 0.0) -> Row:
    """A row with these wall and CPU seconds; the servers' CPU seconds per page."""
    found = Row(python(name, READS, uses_servers=servers > 0))
    found.start = Measured(1, *start, peak_mib=10, servers_cpu_s=servers)
    found.rounds = [
        Measured(3, *used, peak_mib=20 + n, servers_cpu_s=3 * servers) for n, used in enumerate(rounds)
    ]
    found.lines = [["page 0"], ["page 1"], ["page 2"]]
    return found


def test_figures_are_of_the_pages_after_the_first(pages: PageSet) -> None:
    rows = [row("a", (6, 3), (8, 4), (9, 9), (8, 4)), row("b", (1, 1), (9, 5)), row("c", (1, 1), (2, 1))]
    first, second, third = figures(rows, pages)
    assert (first.pages_per_cpu_s, first.pages_per_s, first.ratio) == (2.0, 1.0, 1.0), "medians"
    assert (first.peak_mib, first.start_cpu_s, first.servers_cpu_s) == (22, 3, None)
    assert (second.pages_per_cpu_s, second.pages_per_s, second.ratio) == (0.5, 0.25, 4.0)
    assert (third.pages_per_cpu_s, third.ratio) == (None, None), "within the noise"
    (served,) = figures([row("d", (1, 1), (3, 3), servers=0.5)], pages)
    assert served.servers_cpu_s == 0.5


def test_the_record_is_as_its_schema_says(pages: PageSet) -> None:
    failing = Row(python("b", READS), reason="exit code 1")
    rows = [row("a", (1, 1), (3, 3)), failing]
    settings = {"rounds": 1, "threads": 1, "timeout_s": 60.0, "stopped": False}
    made = json.loads(json.dumps(records.record(rows, figures(rows, pages), pages, settings)))
    jsonschema.validate(made, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made | {"host": "x"}, SCHEMA)


def test_the_table_fits_eighty_columns(pages: PageSet) -> None:
    rows = [row("a", (1, 1), (3, 3)) for _ in CONTENDERS]
    for made, one in zip(rows, CONTENDERS, strict=True):
        made.contender = replace(made.contender, label=one.label)
    rows[-1].reason = "exit code 1: " + "long " * 30
    console = Console(width=200, file=io.StringIO())
    found = [replace(one, peak_mib=12345.0) for one in figures(rows, pages)]
    table.show(rows, found, console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert all(len(line) <= 80 for line in lines if not line.startswith(rows[-1].contender.label))
    assert all(any(line.strip().startswith(one.contender.label) for line in lines) for one in rows)
    assert "…" not in "".join(lines)


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert [one.name for one in arguments(["--only", "tesseract,run"]).contenders] == ["run", "tesseract"]
    assert not any(one.uses_servers for one in arguments(["--no-servers"]).contenders)
    assert chosen([]) == list(CONTENDERS)
    for wrong in (["--only", "abbyy"], ["--pages", "1"], ["--rounds", "0"]):
        with pytest.raises(SystemExit) as ended:
            arguments(wrong)
        assert ended.value.code == 2
    assert "Unknown contender abbyy: choose from run, night" in capsys.readouterr().err


def test_a_folder_without_pages_is_a_usage_error(tmp_path: Path) -> None:
    assert main(["--data", str(tmp_path)]) == 2
