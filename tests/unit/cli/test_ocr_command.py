"""`nightshift ocr tune`: what it reads, what it says, and its exit codes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.cli import ocr
from pipeline.ocr import int8, tuning
from pipeline.ocr.tuning import Figures, Page, Tuned
from tests.unit.cli.conftest import Nightshift


def test_a_text_file_next_to_a_picture_has_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("TOTAL\n12.00\n", "utf-8")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    assert ocr._printed(str(tmp_path / "a.jpg")) == ("TOTAL", "12.00")
    assert ocr._printed(str(tmp_path / "b.jpg")) is None
    assert ocr._printed(str(tmp_path / "c.jpg")) is None


class FakeCutter:
    """Cuts one black line out of every page that is not white."""

    def __init__(self, _: Any) -> None:
        int8.check_installed()

    def page(self, image: Any, printed: tuple[str, ...] | None) -> Page:
        return Page([] if image.min() == 255 else [np.zeros((48, 90, 3), np.uint8)], printed)


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a page and its text, a page without a text file, a white page, and a broken PDF."""
    monkeypatch.setattr(tuning, "Cutter", FakeCutter)
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, level in (("a", 0), ("b", 99), ("white", 255)):
        Image.new("RGB", (90, 90), (level,) * 3).save(folder / f"{name}.png")
    (folder / "a.txt").write_text("TOTAL\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnot one")
    return folder


def tuned(*, kept: bool) -> Tuned:
    before, after = Figures("small", 21_000_000, 0.9913, 2.0), Figures("small-int8", 14_000_000, 0.9911, 1.5)
    return Tuned(before, after, "labels", 300, 120, 3, kept, "a reason")


@pytest.mark.parametrize(("kept", "code"), [(True, 0), (False, 1)])
def test_both_models_are_shown(
    nightshift: Nightshift,
    pages: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: bool,
    code: int,
) -> None:
    given = list[Page]()

    def fake_tune(_: FakeCutter, found: Sequence[Page], *__: Any, **___: Any) -> Tuned:
        given.extend(found)
        return tuned(kept=kept)

    monkeypatch.setattr(tuning, "tune", fake_tune)
    out = tmp_path / "tuned"
    said = nightshift("ocr", "tune", pages, "--out", out, code=code).output
    assert [page.printed for page in given] == [("TOTAL",), None]
    assert f"Not read: {pages}/broken.pdf: " in said.replace("\n", "")
    for part in ("120 lines of 3 held-out pages", ".9913", ".9911", "1.33", "the text files", "a reason"):
        assert part in said
    assert ("NIGHTSHIFT_OCR_MODEL_DIR=" in said) is kept
    found = nightshift("ocr", "tune", pages, "--out", out, "--json", "--quiet", code=code).output
    assert json.loads(found)["int8_model"]["character_f1"] == 0.9911


def test_no_pages(nightshift: Nightshift, pages: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (pages / name).unlink()
    done = nightshift("ocr", "tune", pages, "--out", tmp_path / "tuned", code=2)
    assert "No pages with text that can be read" in str(done.exception)


def test_a_folder_that_exists_is_refused_before_anything_is_read(
    nightshift: Nightshift, tmp_path: Path
) -> None:
    done = nightshift("ocr", "tune", tmp_path / "none", "--out", tmp_path, code=2)
    assert "already exists" in str(done.exception)
