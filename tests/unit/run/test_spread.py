"""Long documents: which are read in groups of pages, and how often they are opened for that."""

from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StoreUnavailable
from pipeline.ledger import pending
from pipeline.models import Task
from pipeline.reader import open_document
from pipeline.run.counters import PageCounters
from pipeline.run.worker import Worker
from pipeline.settings import Settings
from pipeline.steps import recognize
from tests.support.command import grey, pages
from tests.support.flows import raiser


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    settings = Settings.from_env(
        {}, store_url=str(tmp_path / "out"), ocr_engine="fake-ocr", ner_engine="fake-ner", page_group=4
    )
    return Worker(settings, "2026-11-26", PageCounters(get_context("spawn")))


def task_of(worker: Worker, path: Path) -> Task:
    sha256 = pending.store_document(worker.store, path.read_bytes())
    return Task(task_id=path.stem, sha256=sha256, source=path.as_uri())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every document that is opened."""
    found: list[Any] = []

    def noted(*arguments: Any) -> Any:
        found.append(open_document(*arguments))
        return found[-1]

    monkeypatch.setattr("pipeline.run.worker.open_document", noted)
    return found


@pytest.mark.parametrize(("name", "status"), [("long.txt", "done"), ("long.pdf", "spread")])
def test_a_text_is_opened_once_however_long_it_is(
    worker: Worker, tmp_path: Path, name: str, status: str
) -> None:
    path = tmp_path / name
    if name.endswith("pdf"):
        pages(path, [grey(n) for n in range(10)])
    else:
        path.write_text("one line of a long text\n" * 1000)
    found = worker.process(task_of(worker, path), spread=True)
    assert (found.status, found.pages > 4) == (status, True)


def test_a_long_pdf_is_opened_once_for_all_groups_of_its_pages(
    worker: Worker, tmp_path: Path, opened: list[Any]
) -> None:
    task = task_of(worker, pages(tmp_path / "long.pdf", [grey(n) for n in range(40)]))
    outcomes = [worker.read_group(task, first, first + 3) for first in range(1, 40, 4)]
    assert [(one.status, one.pages) for one in outcomes] == [("read", 4)] * 10
    assert len(opened) == 1
    assert worker.process(task, spread=False).pages == 40


def test_the_document_that_is_open_is_closed_for_the_next_one(
    worker: Worker, tmp_path: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []
    one = task_of(worker, pages(tmp_path / "one.pdf", [grey(n) for n in range(8)]))
    two = task_of(worker, pages(tmp_path / "two.pdf", [grey(20 + n) for n in range(8)]))
    for task, last in ((one, 4), (two, 4), (two, 8), (one, 8)):
        if opened:
            document = opened[-1]
            monkeypatch.setattr(document, "close", lambda document=document: closed.append(document))
        worker.read_group(task, last - 3, last)
    assert closed == opened[:2]
    assert len(opened) == 3, "one, two, and one again"
    monkeypatch.setattr(opened[-1], "close", lambda: closed.append(opened[2]))
    worker.count_pages(two)
    assert closed == opened[:3], "its bytes are not in memory while others are read"


def test_after_an_error_the_document_is_opened_again(
    worker: Worker, tmp_path: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = task_of(worker, pages(tmp_path / "long.pdf", [grey(n) for n in range(8)]))
    with monkeypatch.context() as patch:
        patch.setattr(recognize, "recognize", raiser(StoreUnavailable("gone")))
        with pytest.raises(StoreUnavailable):
            worker.read_group(task, 1, 4)
    assert worker.read_group(task, 1, 4).pages == 4
    assert len(opened) == 2
