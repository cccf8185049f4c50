"""Runs a target in child processes, and keeps each input that broke something."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import guard
from tests.conftest import ROOT
from tests.fuzz.target import Limits

_GUARD = {guard.EXIT_MEMORY: "stopped: memory", guard.EXIT_TIME: "stopped: time"}
_KEPT = 3
"""Inputs kept for one and the same defect."""


@dataclass
class Figures:
    """What came of one target. `found`: each defect, how often it was met, and where its first input is kept."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    ended: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    kept: dict[str, Path] = field(default_factory=dict)

    @property
    def crashes(self) -> int:
        """Inputs after which the product raised what it must not, ended its process, or said something unfit."""
        return sum(self.found.values()) - self.hangs

    @property
    def hangs(self) -> int:
        """Inputs that took too many seconds."""
        return sum(n for what, n in self.found.items() if what.startswith("hang"))


class Runner:
    """Children for one target, one at a time, until the time is over."""

    def __init__(self, target: str, folder: Path, limits: Limits | None = None) -> None:
        self.figures = Figures(target)
        self.folder, self.limits = folder, limits or Limits()

    def explore(self, seed: int, seconds: float) -> Figures:
        """New inputs for that many seconds. The same seed makes the same inputs until the first crash of a process."""
        began, children = time.monotonic(), 0
        while (left := seconds - (time.monotonic() - began)) > 0.5:
            self._child(str(left), f"{self.figures.target}-{seed}-{children}")
            children += 1
        self.figures.seconds += time.monotonic() - began
        return self.figures

    def replay(self, files: Sequence[Path]) -> Figures:
        """Try kept inputs; after one that ends the process, a new one goes on with the next."""
        began, left = time.monotonic(), list(files)
        while left:
            before = self.figures.inputs
            self._child("0", "0", left)
            left = left[max(self.figures.inputs - before, 1) :]
        self.figures.seconds += time.monotonic() - began
        return self.figures

    def _child(self, seconds: str, seed: str, files: Sequence[Path] = ()) -> None:
        with tempfile.TemporaryDirectory(prefix="nightshift-fuzz-") as folder:
            current, errors = Path(folder) / "current", Path(folder) / "errors"
            command = [
                sys.executable,
                "-m",
                "tests.fuzz.child",
                self.figures.target,
                str(current),
                seconds,
                seed,
            ]
            with errors.open("wb") as log:
                child = subprocess.Popen(
                    [*command, *map(str, files)],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=ROOT,
                    env={**os.environ, "OMP_NUM_THREADS": "1", "NIGHTSHIFT_ENV_FILE": "", "TMPDIR": folder},
                )
            try:
                silent = self._follow(child)
            finally:
                if child.poll() is None:
                    child.kill()
                code = child.wait()
                assert child.stdout is not None
                child.stdout.close()
            text = errors.read_text(errors="replace")
            if not current.exists():
                raise RuntimeError(f"the child for {self.figures.target} did not start:\n{text[-4000:]}")
            if code in _GUARD:
                self.figures.inputs += 1
                self.figures.ended[_GUARD[code]] += 1
            elif code:
                self.figures.inputs += 1
                what, place = _death(code, silent, text)
                self._note(f"{what} @ {place}", f"{what}\n{text[-3000:]}", current.read_bytes())

    def _follow(self, child: subprocess.Popen[bytes]) -> bool:
        """Take note of what the child reports; returns whether it fell silent."""
        for line in _lines(child, self.limits.wall):
            if line is None:
                return True
            said = json.loads(line)
            self.figures.inputs += 1
            self.figures.slowest = max(self.figures.slowest, said["seconds"])
            if "wrong" in said:
                data = base64.b64decode(said["data"])
                self._note(f"{said['ended']} @ {said['place']}", said["wrong"], data)
            else:
                self.figures.ended[said["ended"]] += 1
        return False

    def _note(self, key: str, what: str, data: bytes) -> None:
        self.figures.found[key] += 1
        if self.figures.found[key] > _KEPT:
            return
        folder = self.folder / self.figures.target
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha256(data).hexdigest()[:12]
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(what + "\n", errors="backslashreplace")
        self.figures.kept.setdefault(key, path)


def _lines(child: subprocess.Popen[bytes], wall: float) -> Iterator[bytes | None]:
    """What the child writes, line by line; `None` where it says nothing for so long that it must hang."""
    assert child.stdout is not None
    waiting = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(wall):
                yield None
                return
            piece = os.read(child.stdout.fileno(), 1 << 16)
            if not piece:
                return
            *whole, waiting = (waiting + piece).split(b"\n")
            yield from whole


def _death(code: int, silent: bool, text: str) -> tuple[str, str]:
    """What ended a child: a hang or a signal, and the place in the product from which native code was called."""
    places = [line.strip() for line in text.splitlines() if line.strip().startswith("File ")]
    ours = [p for p in places if "/pipeline/" in p] or places or ["?"]
    place = (
        ours[0].removeprefix("File ").replace(str(ROOT) + "/", "").replace('"', "").replace(", line ", ":")
    )
    if silent or code == -signal.SIGPROF:
        return "hang", place
    return signal.Signals(-code).name if code < 0 else f"exit {code}", place
