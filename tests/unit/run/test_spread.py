"""Which long documents are read in groups of pages, each of which opens the document again."""

from multiprocessing import get_context
from pathlib import Path

import pytest

from pipeline.ledger import pending
from pipeline.models import Task
from pipeline.run.counters import PageCounters
from pipeline.run.worker import Worker
from pipeline.settings import Settings
from tests.support.command import grey, pages


@pytest.mark.parametrize(("name", "status"), [("long.txt", "done"), ("long.pdf", "spread")])
def test_a_text_is_opened_once_however_long_it_is(tmp_path: Path, name: str, status: str) -> None:
    path = tmp_path / name
    if name.endswith("pdf"):
        pages(path, [grey(n) for n in range(10)])
    else:
        path.write_text("one line of a long text\n" * 1000)
    settings = Settings.from_env(
        {}, store_url=str(tmp_path / "out"), ocr_engine="fake-ocr", ner_engine="fake-ner", page_group=4
    )
    worker = Worker(settings, "2026-11-26", PageCounters(get_context("spawn")))
    sha256 = pending.store_document(worker.store, path.read_bytes())
    found = worker.process(Task(task_id="t", sha256=sha256, source=path.as_uri()), spread=True)
    assert (found.status, found.pages > 4) == (status, True)
