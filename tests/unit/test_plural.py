"""Counts in sentences, and that what operators read has them from one place."""

import re
from pathlib import Path

import pytest

from pipeline.plural import count

ROOT = Path(__file__).parents[2]
PLURAL = re.compile(
    r"\} (done |failed |known |more )?"
    r"(documents|warnings|faults|messages|receipts|tasks|pages|days|steps running|callbacks|workers)\b"
)
PRINTED = [
    *(
        ROOT / "pipeline" / "cli" / f"{name}.py"
        for name in ("audit", "doctor", "forecast", "status", "watch")
    ),
    *sorted((ROOT / "pipeline" / "doctor").glob("*.py")),
    *sorted((ROOT / "pipeline" / "report").glob("*.py")),
    *sorted((ROOT / "pipeline" / "night" / "why").glob("*.py")),
    ROOT / "tasks" / "doctor.py",
]
ALLOWED = re.compile(r"of \{[^}]*\} pages read|:g\} pages|:\.[0-9]f\} pages")
"""Parts of a whole, and numbers with decimals: these are never one."""


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 warnings"), (1, "1 warning"), (2, "2 warnings"), (12431, "12,431 warnings")]
)
def test_one_and_many(number: int, said: str) -> None:
    assert count(number, "warning") == said


def test_words_with_another_plural() -> None:
    assert [count(n, "discrepancy", "discrepancies") for n in (1, 2)] == ["1 discrepancy", "2 discrepancies"]


@pytest.mark.parametrize("path", PRINTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_has_a_plural_of_its_own(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if 'f"' in line]
    assert [line for line in lines if PLURAL.search(ALLOWED.sub("", line))] == []
