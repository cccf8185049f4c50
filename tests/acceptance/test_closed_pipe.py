"""Commands whose output nobody reads any more, as after `| head -1`: real processes, and no broker."""

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.errors import ExitCode
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.support.command import DAY, FAKES, NIGHTSHIFT, grey, nightshift, page
from tests.support.servers import free_port

COMMANDS = [
    ("--version",),
    ("--help",),
    ("run", "--help"),
    ("status",),
    ("status", "--json"),
    ("why", "p.png"),
    ("forecast",),
    ("doctor",),
    ("audit", DAY),
    ("report", DAY),
    ("summarise", DAY),
    ("actions",),
    ("cat", "{result}"),
    ("cat", "{result}", "--json"),
    ("settings", "--all"),
    ("failed", "list"),
    ("callbacks", "list"),
    ("brake", "show"),
    ("window", "show"),
    ("run", "{documents}", "--dry-run"),
]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("closed-pipe")
    page(root / "in" / "p.png", grey(1))
    known = {
        "NIGHTSHIFT_STORE_URL": str(root / "out"),
        "NIGHTSHIFT_BROKER_URL": f"amqp://127.0.0.1:{free_port()}//",
        "DOCUMENTS": str(root / "in"),
    }
    assert nightshift("run", root / "in", "--run-date", DAY, **known).returncode == 0
    return {**os.environ, **FAKES, **known}


def closed() -> int:
    """The end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def command(env: dict[str, str], *words: str) -> list[str]:
    result = next(LocalStore(Path(env["NIGHTSHIFT_STORE_URL"])).list(keys.results(DAY)))
    places = {"result": result, "documents": env["DOCUMENTS"]}
    return [NIGHTSHIFT, *(word.format(**places) for word in words)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_it_ends_quietly(words: tuple[str, ...], env: dict[str, str]) -> None:
    pipe = closed()
    done = subprocess.run(
        command(env, *words), stdout=pipe, stderr=subprocess.PIPE, env=env, text=True, timeout=90, check=False
    )
    os.close(pipe)
    assert (done.returncode, done.stderr) == (ExitCode.CLOSED_PIPE, "")


def test_what_was_read_before_is_whole(env: dict[str, str]) -> None:
    script = f'"{NIGHTSHIFT}" audit {DAY} | head -1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env, check=True)
    first, code = done.stdout.splitlines()
    assert first.startswith("Store")
    assert (int(code) in (0, ExitCode.CLOSED_PIPE), done.stderr) == (True, "")


def test_work_goes_on_where_only_its_messages_have_no_reader(env: dict[str, str], tmp_path: Path) -> None:
    page(tmp_path / "in" / "q.png", grey(1))
    pipe = closed()
    done = subprocess.run(
        [NIGHTSHIFT, "run", str(tmp_path / "in"), "--run-date", DAY, "-v", "--json"],
        stdout=subprocess.PIPE,
        stderr=pipe,
        env=env | {"NIGHTSHIFT_STORE_URL": str(tmp_path / "out")},
        timeout=90,
        check=False,
    )
    os.close(pipe)
    assert done.returncode == 0
    assert b'"done": 1' in done.stdout
