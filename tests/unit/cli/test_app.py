"""The conventions that all commands keep: help, exit codes, global options, errors, Ctrl-C."""

import json
import logging
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline import __main__ as entry
from pipeline.cli import screen
from pipeline.cli.app import Stopped, app
from pipeline.errors import ExitCode
from pipeline.storage.local import LocalStore
from pipeline.version import __version__
from tests.unit.cli.conftest import DAY, Nightshift, fail

HEAVY = (
    "pandas",
    "pyarrow",
    "paddle",
    "celery",
    "boto3",
    "numpy",
    "PIL",
    "openvino",
    "paddlenlp",
    "stdnum",
    "phonenumbers",
)
NO_STORE = {
    "dead list",
    "dead show",
    "keys new",
    "run",
    "submit",
    "ner train",
    "ner evaluate",
    "ocr tune",
    "settings",
}  # not there, or named otherwise
READERS = [
    ("status",),
    ("audit",),
    ("summarise",),
    ("window",),
    ("window", "show"),
    ("window", "open", "--until", "03:00"),
    ("window", "close", "--until", "03:00"),
    ("window", "clear"),
    ("actions",),
    ("forget", "--task-id", "x", "--yes"),
    ("failed", "list"),
    ("failed", "show", "x"),
    ("failed", "redrive", "--all"),
    ("failed", "discard", "--all"),
    ("callbacks", "list"),
    ("callbacks", "resend", "--all"),
    ("reprocess", "--where", "pages > 1", "--dry-run"),
]


def commands(group: Any = None, *names: str) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with its name."""
    group = group or typer.main.get_command(app)
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found += commands(command, *names, name) if inner else [((*names, name), command)]
    return found


ALL = [pytest.param(names, command, id=" ".join(names)) for names, command in commands()]


@pytest.mark.parametrize(("names", "command"), ALL)
def test_help_names_exit_codes_and_global_options(
    names: tuple[str, ...], command: Any, nightshift: Nightshift
) -> None:
    shown = nightshift(*names, "-h").output
    assert shown == nightshift(*names, "--help").output
    for option in ("--quiet", "--verbose", "--no-progress", "--color"):
        assert option in shown
    codes = re.search(r"Exit codes: (.*?)(\n\n|$)", command.help, re.DOTALL)
    assert codes, "one line in every command's help"
    named = [int(code) for code in re.findall(r"(?:^|, )(\d+) ", " ".join(codes[1].split()))]
    assert named[0] == 0
    assert set(named) <= set(map(int, ExitCode))
    assert named == sorted(named)


@pytest.mark.parametrize(("names", "command"), ALL)
def test_every_command_that_uses_a_store_takes_store_and_json(names: tuple[str, ...], command: Any) -> None:
    options = {opt for param in command.params for opt in param.opts}
    assert "--json" in options
    assert " ".join(names) in NO_STORE - {"submit"} or "--store" in options


def test_the_help_explains_every_exit_code(nightshift: Nightshift) -> None:
    shown = " ".join(nightshift("--help").output.split())
    line = shown[shown.index("Exit codes:") :]
    assert [int(code) for code in re.findall(r"(?:: |; )(\d+) ", line)] == sorted(map(int, ExitCode))


def test_version(nightshift: Nightshift) -> None:
    for option in ("-V", "--version"):
        assert nightshift(option).output == f"nightshift {__version__}\n"


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    script = (
        "import resource, sys\n"
        "from pipeline.__main__ import main\n"
        "sys.argv[1:] = ['--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print('seconds:', used.ru_utime + used.ru_stime)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *_, heavy, seconds = done.stdout.splitlines()
    assert heavy == "heavy: []"
    assert float(seconds.split()[1]) < 1, "0.2 s on a desktop; CPU time"


@pytest.mark.parametrize("args", READERS, ids=" ".join)
def test_no_store_is_an_error_and_stays_none(
    args: tuple[str, ...], nightshift: Nightshift, tmp_path: Path
) -> None:
    done = nightshift(*args, code=ExitCode.ERROR)
    assert f"No store found at file://{tmp_path}/out" in str(done.exception)
    assert done.output == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "args", [("failed", "list"), ("callbacks", "list"), ("audit", DAY), ("window", "show")], ids=" ".join
)
def test_each_names_the_store_it_looked_at(
    args: tuple[str, ...], nightshift: Nightshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("NIGHTSHIFT_STORE_URL", str(tmp_path / "unused"))
    first = nightshift(*args, "--store", other).output.splitlines()[0]
    assert first.split() == ["Store", other.as_uri(), "(empty)"]
    fail(LocalStore(other), "a")
    assert nightshift(*args, "--store", other).output.splitlines()[0].split() == ["Store", other.as_uri()]
    assert (
        json.loads(nightshift(*args, "--store", other.as_uri(), "--json").output)["store"] == other.as_uri()
    )


def test_global_options_before_and_after_the_command(
    nightshift: Nightshift, store: LocalStore, terminal: screen.Terminal
) -> None:
    fail(store, "a")
    for args in (("-q", "failed", "list"), ("failed", "list", "-q"), ("failed", "list", "--quiet")):
        terminal.quiet = False
        assert nightshift(*args).output == ""
        assert json.loads(nightshift(*args, "--json").output)["failed"] == 1
    terminal.quiet = False
    nightshift("--no-progress", "failed", "list")
    assert not terminal.progress


@pytest.mark.parametrize(
    ("args", "level"),
    [("-v", logging.INFO), ("-vv", logging.DEBUG), ("-q", logging.ERROR), ("-h", None)],
)
def test_verbose_sets_the_log_level(
    args: str, level: int | None, nightshift: Nightshift, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[int] = []
    monkeypatch.setattr(screen, "log", levels.append)
    fail(store, "a")
    nightshift("failed", "list", args)
    assert levels == ([level] if level else [])


def test_color(nightshift: Nightshift, store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(store, "a")
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "")  # so that what `always` sets is taken back after the test
    assert "\x1b[" not in nightshift("failed", "list").output
    assert "\x1b[" in nightshift("failed", "list", "--color", "always").output
    assert "\x1b[" not in nightshift("--color", "never", "failed", "list").output
    assert nightshift("--color", "pink", "failed", "list", code=2)


def test_shell_completion(tmp_path: Path) -> None:
    start = "import sys; sys.argv[0] = 'nightshift'; from pipeline.__main__ import main; main()"
    command = [sys.executable, "-c", start]
    asked = {"_NIGHTSHIFT_COMPLETE": "complete_bash", "COMP_WORDS": "nightshift fail", "COMP_CWORD": "1"}
    done = subprocess.run(command, env=asked, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["failed"]
    (tmp_path / "script").write_text(f"{shlex.join([*command, '--show-completion', 'bash'])}\ntrue\n")
    shown = subprocess.run(["/bin/bash", tmp_path / "script"], capture_output=True, text=True, check=True)
    assert "_NIGHTSHIFT_COMPLETE=complete_bash" in shown.stdout, "the shell is found by its process"


def test_ctrl_c_is_one_sentence_and_130(
    store: LocalStore,
    nightshift: Nightshift,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail(store, "a")

    def stopped(*said: str) -> Any:
        def find(*_: object, **__: object) -> None:
            raise KeyboardInterrupt(*said)

        return find

    for said in ((), ("Stopped: no model was written.",)):
        monkeypatch.setattr("pipeline.night.failures.find", stopped(*said))
        monkeypatch.setattr(sys, "argv", ["nightshift", "failed", "list"])
        with pytest.raises(SystemExit) as end:
            entry.main()
        assert end.value.code == ExitCode.STOPPED
        error = capsys.readouterr().err
        expected = (
            said[0] if said else "Stopped: finished work is kept; run the same command again to continue."
        )
        assert error == f"nightshift: {expected}\n"
        assert isinstance(nightshift("failed", "list", code=ExitCode.STOPPED).exception, Stopped)


def test_an_expected_error_is_one_sentence(
    store: LocalStore,
    nightshift: Nightshift,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["nightshift", "audit", "someday"])
    fail(store, "a")
    with pytest.raises(SystemExit) as end:
        entry.main()
    assert end.value.code == ExitCode.USAGE
    assert capsys.readouterr().err == (
        'nightshift: "someday" is not a valid run date; use YYYY-MM-DD, today, yesterday or last.\n'
    )
