"""Inputs that once broke something, kept under `tests/fuzz/corpus/`, break nothing any more."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fuzz.runner import Runner
from tests.fuzz.target import NAMES

CORPUS = ROOT / "tests" / "fuzz" / "corpus"


@pytest.mark.parametrize("target", NAMES)
def test_kept_inputs_end_as_they_should(target: str, tmp_path: Path) -> None:
    files = sorted((CORPUS / target).glob("*"))
    assert files, "a target without a single kept input is not replayed"
    figures = Runner(target, tmp_path).replay(files)
    assert figures.inputs == len(files)
    assert not figures.found, {
        what: path.with_suffix(".txt").read_text() for what, path in figures.kept.items()
    }


def test_no_kept_input_is_without_a_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(NAMES)
