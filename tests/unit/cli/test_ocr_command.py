"""`nightshift ocr tune`: what it says about what it can't use."""

from pathlib import Path

import pytest

from pipeline.cli import ocr
from pipeline.ocr import int8
from tests.unit.cli.conftest import Nightshift


def test_a_text_file_next_to_a_picture_has_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("TOTAL\n12.00\n", "utf-8")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    assert ocr._printed(str(tmp_path / "a.jpg")) == ("TOTAL", "12.00")
    assert ocr._printed(str(tmp_path / "b.jpg")) is None
    assert ocr._printed(str(tmp_path / "c.jpg")) is None


@pytest.mark.parametrize("content", [None, b"%PDF-1.7\nnot one"])
def test_no_pages(
    nightshift: Nightshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    monkeypatch.setattr(int8, "is_supported", lambda: True)
    pages = tmp_path / "pages"
    pages.mkdir()
    if content:
        (pages / "a.jpg").write_bytes(content)
    done = nightshift("ocr", "tune", pages, "--out", tmp_path / "tuned", code=2)
    assert "No pages with text that can be read" in str(done.exception)
    assert not (tmp_path / "tuned").exists()


def test_a_folder_that_exists_is_refused_before_anything_is_read(
    nightshift: Nightshift, tmp_path: Path
) -> None:
    done = nightshift("ocr", "tune", tmp_path / "none", "--out", tmp_path, code=2)
    assert "already exists" in str(done.exception)
