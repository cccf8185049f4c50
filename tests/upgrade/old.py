"""An older version of Nightshift, as a commit of this repository has it."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.support.night import CELERY, Night, Process
from tests.support.servers import start

BASE = "d44350a"
"""Where an upgrade begins while there is no tag: version 0.1.0 as the changelog has it, before parts of it moved.

Schema version 2, other queues for retries, a dead-letter queue without limits, no counters, no signatures.
"""


def last_tag() -> str:
    """The last release before this commit; `BASE` if there is none."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or BASE


@dataclass(frozen=True)
class Version:
    """The files of a commit, in a folder of their own."""

    commit: str
    folder: Path

    @classmethod
    def check_out(cls, commit: str, folder: Path) -> Version:
        """Write the files of a commit to an empty folder; raises `CalledProcessError` where it is not known."""
        folder.mkdir(parents=True)
        packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=packed, check=True)
        cls._describe(folder)
        return cls(commit, folder)

    @staticmethod
    def _describe(folder: Path) -> None:
        """Give it metadata, so that its own entry points are found and not those that are installed."""
        setup = configparser.ConfigParser()
        setup.read(folder / "setup.cfg")
        own = setup["options.entry_points"]
        about = folder / "nightshift-0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nightshift\nVersion: 0\n")
        (about / "entry_points.txt").write_text("".join(f"[{group}]{own[group]}\n" for group in own))

    @property
    def env(self) -> dict[str, str]:
        """What makes Python find this version before the one that is installed; early ones kept their fakes apart."""
        return {"PYTHONPATH": os.pathsep.join(map(str, (self.folder, self.folder / "tests" / "fakes")))}

    def celery(self, night: Night, kind: str, name: str, *options: str) -> Process:
        """Start a worker or beat of this version."""
        log = night.folder / f"{name}.log"
        command = ["env", f"--chdir={self.folder}", CELERY, "-A", "tasks", kind, "-l", "INFO", *options]
        process = Process(name, log, start(command, log, {**night.env, **self.env}))
        night.processes.append(process)
        return process

    def worker(self, night: Night, name: str) -> Process:
        """Start a worker with two processes."""
        return self.celery(night, "worker", name, "-c", "2", "-n", f"{name}@%h")

    def nightshift(self, night: Night, *arguments: object, codes: tuple[int, ...] = (0,)) -> str:
        """What this version's command prints; raises `CalledProcessError` for another exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **night.env, **self.env},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode not in codes:
            raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout, done.stderr)
        return done.stdout


HERE = Version("this version", ROOT)
