"""Run the installed `nightshift` command as a user would, and look at what it left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

NIGHTSHIFT = str(Path(sys.executable).parent / "nightshift")
FAKES = {"NIGHTSHIFT_OCR_ENGINE": "fake-ocr", "NIGHTSHIFT_NER_ENGINE": "fake-ner"}
DAY = "2026-11-22"

RED, BLUE, GREEN, MAGENTA = (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 0, 255)  # see pipeline.testing


def start(*args: object, **env: str) -> subprocess.Popen[str]:
    """Start the command with fake engines unless `env` says otherwise."""
    return subprocess.Popen(
        [NIGHTSHIFT, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200", **FAKES, **env},
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - it only calls signal
    )


def _heed_ctrl_c() -> None:
    """A shell starts background jobs with SIGINT ignored, which their children inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def nightshift(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    process = start(*args, **env)
    try:
        out, err = process.communicate(timeout=180)
    except BaseException:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(*args: object, **env: str) -> tuple[int, dict[str, Any]]:
    """`nightshift run … --json` on a fixed run date: exit code and figures."""
    done = nightshift("run", *args, "--run-date", DAY, "--json", **env)
    assert "Traceback" not in done.stderr or "made to raise" in done.stderr, done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def statuses(figures: dict[str, Any]) -> dict[str, str]:
    """File name -> status."""
    return {Path(o["source"]).name: o["status"] for o in figures["outcomes"]}


def page(path: Path, colour: Sequence[int]) -> Path:
    """A page of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), tuple(colour)).save(path)
    return path


def pages(path: Path, colours: Sequence[Sequence[int]]) -> Path:
    """A PDF of one-coloured scanned pages."""
    first, *rest = (Image.new("RGB", (64, 64), tuple(c)) for c in colours)
    first.save(path, save_all=True, append_images=rest, quality=100, subsampling=0)
    return path


def grey(n: int) -> tuple[int, int, int]:
    """The nth of many colours that mean nothing special."""
    return (n, 100, 100)
