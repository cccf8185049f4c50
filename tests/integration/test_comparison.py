"""`make bench` at a hundredth of its size: real programs on four pages. Shapes and accuracy are checked, no seconds."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks.comparison import record
from benchmarks.comparison.contenders import chosen, consumer, night
from benchmarks.comparison.pages.made import made
from benchmarks.comparison.rounds import Comparison
from tests.conftest import ROOT
from tests.support.servers import wait_for

SCHEMA = json.loads((Path(record.__file__).parent / "schema.json").read_text())
COMMAND = (sys.executable, "-m", "benchmarks.comparison")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The record of a comparison, and what was printed."""
    out = tmp_path_factory.mktemp("bench") / "record.json"
    options = ("--pages", "4", "--rounds", "1", "--only", "run,rapidocr-best", "--out", str(out))
    done = subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(out.read_text()), done.stdout


def test_the_record_is_as_its_schema_says(compared: tuple[dict[str, Any], str]) -> None:
    made, _ = compared
    jsonschema.validate(made, SCHEMA)
    assert [one["status"] for one in made["contenders"]] == ["done", "done"]
    assert made["pages"] | {"sha256": "", "megapixels": 0} == {
        "source": "made, seed 1",
        "count": 4,
        "chinese": 2,
        "characters": made["pages"]["characters"],
        "megapixels": 0,
        "sha256": "",
    }


def test_both_read_what_is_printed(compared: tuple[dict[str, Any], str]) -> None:
    for contender in compared[0]["contenders"]:
        assert contender["figures"]["character_f1"] > 0.97
        assert contender["figures"]["token_f1"] > 0.93


def test_processes_and_memory_were_measured(compared: tuple[dict[str, Any], str]) -> None:
    for contender in compared[0]["contenders"]:
        (whole,) = contender["rounds"]
        assert whole["cpu_s"] > contender["start"]["cpu_s"] > 0.5, (
            "models were loaded, and three pages more read"
        )
        assert 100 < whole["peak_mib"] < 4000


def test_the_table_fits_eighty_columns(compared: tuple[dict[str, Any], str]) -> None:
    lines = compared[1].splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert [line.split()[:2] for line in lines if "nightshift run" in line or "RapidOCR" in line] == [
        ["nightshift", "run"],
        ["RapidOCR,", "best"],
    ]


def test_ctrl_c_ends_it_with_a_record_and_no_process_left(tmp_path: Path) -> None:
    env = os.environ | {"TMPDIR": str(tmp_path)}
    options = ("--pages", "2", "--rounds", "1", "--only", "run", "--out", str(tmp_path / "record.json"))
    process = subprocess.Popen([*COMMAND, *options], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: list(tmp_path.glob("nightshift-bench-*/run-*/store")), "the contender to work")
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped" in printed
    made = json.loads((tmp_path / "record.json").read_text())
    jsonschema.validate(made, SCHEMA)
    assert made["settings"]["stopped"]
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(tmp_path).encode() in command for command in commands)


@pytest.mark.long
def test_the_night_and_a_consumer_with_real_servers(tmp_path: Path) -> None:
    pages = made(tmp_path, 2, seed=1)
    by_night, plain = chosen(["night", "consumer-rapidocr"])
    by_night = replace(by_night, command=partial(night, ocr="fake-ocr", ner="fake-ner"))
    plain = replace(plain, command=partial(consumer, "fake"))
    comparison = Comparison([by_night, plain], pages, 300)
    comparison.run(1)
    ours, theirs = comparison.rows
    assert (ours.reason, theirs.reason) == ("", "")
    assert [[line.split()[0] for line in page] for page in ours.lines] == [["colour"], ["colour"]]
    assert theirs.lines == [[], []]
    assert ours.rounds[0].servers_cpu_s > 0
