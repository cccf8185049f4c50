"""How long the pages of a document may take together, in one process and in several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.documents.base import Document, PageInput
from pipeline.errors import OverLimit
from pipeline.settings import Settings
from pipeline.steps import recognize
from pipeline.steps.budget import BYTES, PAGES, Budget
from pipeline.steps.engines import Engines
from pipeline.storage import open_store

SHA = "a" * 64
ENGINES = Engines(Settings(ocr_engine="fake-ocr", ner_engine="fake-ner", time_limit=100.0))


class Slow(Document):
    """Pages that claim to have taken so many seconds each."""

    media_type = "application/pdf"

    def __init__(self, pages: int, seconds: float, size: int = 0) -> None:
        self.page_count, self.seconds, self.size = pages, seconds, size

    def page(self, number: int) -> PageInput:
        self.decoding += self.seconds
        return PageInput(number=number, width=9, height=9, image=self.render(number))

    def render(self, number: int) -> NDArray[np.uint8]:
        del number
        return np.zeros((9, 9, 3), np.uint8)

    def close(self) -> None:
        pass


def read(tmp_path: Path, document: Slow, first: int, last: int) -> list[str]:
    """Codes of the pages' errors, empty for those that were read."""
    store = open_store(str(tmp_path), Settings())
    pages = recognize.recognize(document, SHA, range(first, last + 1), store=store, engines=ENGINES)
    return [page.error.code if page.error else "" for page in pages]


def test_pages_after_the_budget_are_unread(tmp_path: Path) -> None:
    assert read(tmp_path, Slow(10, 12.0), 1, 10) == [""] * 4 + ["over_time"] * 6


def test_ordinary_pages_note_nothing_and_ask_for_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, Slow(3000, 0.02), 1, 8) == [""] * 8
    assert not (tmp_path / "spent").exists()


def test_a_large_document_may_take_longer(tmp_path: Path) -> None:
    assert read(tmp_path, Slow(10, 30.0, size=3 * BYTES), 1, 10) == [""] * 10


def test_parts_of_a_document_share_the_budget(tmp_path: Path) -> None:
    assert read(tmp_path, Slow(30, 12.0), 1, 3) == [""] * 3
    assert read(tmp_path, Slow(30, 12.0), 11, 13) == ["", "over_time", "over_time"]
    assert read(tmp_path, Slow(30, 12.0), 21, 22) == ["over_time"] * 2


def test_a_new_run_has_a_new_budget(tmp_path: Path) -> None:
    read(tmp_path, Slow(30, 60.0), 1, 3)
    recognize.forget_unread(open_store(str(tmp_path), Settings()), SHA)
    assert read(tmp_path, Slow(30, 1.0), 11, 11) == [""]


def test_the_reason_says_what_to_do(tmp_path: Path) -> None:
    document = Slow(PAGES, 1.0)
    budget = Budget(document, SHA, 1, store=open_store(str(tmp_path), Settings()), engines=ENGINES)
    budget.add(150.0)
    with pytest.raises(OverLimit, match=r"the 140 s of processor time .* raise NIGHTSHIFT_TIME_LIMIT"):
        budget.check()
