"""One run of one contender: what it gets, and what it leaves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .pages.page_set import Page

ROOT = Path(__file__).resolve().parents[2]
LINES = "lines.json"
"""File that contenders of this package leave: name of the image -> lines read."""
ONE_THREAD = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Run:
    """The pages to read, an empty folder to work in, and, for those that use them, where the servers are."""

    pages: tuple[Page, ...]
    folder: Path
    servers: Path | None = None

    @property
    def paths(self) -> list[str]:
        """The images."""
        return [str(page.path) for page in self.pages]

    def environ(self) -> dict[str, str]:
        """An environment without settings of Nightshift, with one thread per library and no access to model hubs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # all use bytecode, as when installed
        offline = {"HF_HUB_OFFLINE": "1", "NIGHTSHIFT_ENV_FILE": ""}
        return kept | dict.fromkeys(ONE_THREAD, "1") | offline


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of this package."""
    return [sys.executable, "-m", f"{__package__}.{name}", *map(str, arguments)]


def write_lines(folder: Path, paths: Sequence[Path], lines: Iterable[Iterable[str]]) -> None:
    """Leave what was read."""
    found = {path.name: list(page) for path, page in zip(paths, lines, strict=True)}
    (folder / LINES).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


def read_lines(run: Run) -> list[list[str]]:
    """What was read on each page of a run, in the order of its pages."""
    found: dict[str, list[str]] = json.loads((run.folder / LINES).read_text(encoding="utf-8"))
    return [found[page.path.name] for page in run.pages]
