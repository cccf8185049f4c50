"""Scores of fields and whether they are right, for `benchmarks/calibrate.py`: one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """A value with its score.

    `half`, 0 or 1: numbers fitted on one half are measured on the other. `weight`: below 1 where the rules were
    developed on the very papers, which says little about others. `failed`: a check failed, so that the confidence is
    at most the score.
    """

    kind: str
    name: str
    score: float
    right: bool
    half: int
    weight: float = 1.0
    failed: bool = False


DEVELOPED_ON = 0.2
"""Weight of papers that the rules were developed on."""


def write(path: Path, samples: Iterable[Sample]) -> None:
    """Replace `path`."""
    with path.open("w", encoding="utf-8") as out:
        for sample in samples:
            out.write(json.dumps(sample._asdict()) + "\n")


def read(path: Path) -> list[Sample]:
    """The samples of a file."""
    return [Sample(**json.loads(line)) for line in path.read_text("utf-8").splitlines() if line]
