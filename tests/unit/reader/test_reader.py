"""Documents read in another process: the same pages, and nothing lost but a page where that process fails."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from pipeline.documents import open as here
from pipeline.documents.base import PageInput
from pipeline.errors import OverLimit, PermanentError, Poison, RunError
from pipeline.limits import Limits, PageTime
from pipeline.reader import reader as readers
from pipeline.reader.document import ReaderDefect
from pipeline.reader.process import ReaderProcess
from pipeline.reader.reader import Reader
from pipeline.settings import Settings
from pipeline.steps import recognize
from pipeline.steps.engines import Engines
from pipeline.steps.verdict import verdict
from pipeline.storage import open_store
from tests.support import exploited

SAMPLES = Path(readers.__file__).parents[2] / "samples"
QUICK = PageTime(2, 60)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader(memory=0, limit=PageTime(60, 60), attempts=2)
    yield made
    made.close()


@pytest.fixture
def broken() -> Iterator[Reader]:
    """Breaks, in as much time as a busy machine takes."""
    made = Reader(memory=0, limit=PageTime(60, 60), attempts=2, launch=exploited.launch)
    yield made
    made.close()


@pytest.fixture
def hostile() -> Iterator[Reader]:
    made = Reader(memory=0, limit=QUICK, attempts=2, launch=exploited.launch)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["ticket_email.pdf", "medical_note.png", "purchase_order_fax.tif"])
def test_pages_are_those_of_this_process(reader: Reader, name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    with here.open_document(data, Limits()) as near, reader.open(data, Limits()) as far:
        assert (near.media_type, near.page_count, near.size) == (far.media_type, far.page_count, far.size)
        for number in range(1, near.page_count + 1):
            assert fields(near.page(number)) == fields(far.page(number))
            assert np.array_equal(near.render(number), far.render(number))
        assert far.decoding > 0


def fields(page: PageInput) -> dict[str, object]:
    found = structs.asdict(page)
    return found | {"image": None if page.image is None else (page.image.shape, page.image.tobytes())}


def test_errors_are_those_of_this_process(reader: Reader) -> None:
    for data in (b"", b"%PDF-1.4 cut", b"PK\x03\x04", b"\x7fELF", b"RIFF1234WEBP" + bytes(20)):
        with pytest.raises(PermanentError) as near:
            here.open_document(data, Limits()).page(1)
        with pytest.raises(type(near.value)) as far:
            reader.open(data, Limits()).page(1)
        assert (far.value.message, far.value.code) == (near.value.message, near.value.code)


def test_one_process_reads_many_documents_in_turn(reader: Reader) -> None:
    first = reader.open(b"the first", Limits())
    process = reader._process
    second = reader.open(b"the second", Limits())
    for document, text in ((first, "the first"), (second, "the second"), (first, "the first")):
        lines = document.page(1).lines
        assert lines
        assert lines[0].text == text
    assert reader._process is process


def test_a_process_is_replaced_after_many_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "DOCUMENTS", 2)
    reader = Reader(memory=0, limit=PageTime(60, 60), attempts=1)
    pids = []
    for _ in range(3):
        reader.open(b"text", Limits()).close()
        assert reader._process
        pids.append(reader._process.pid)
    reader.close()
    assert pids[0] == pids[1] != pids[2]


@pytest.mark.parametrize("order", ["crash", "large", "long", "nan", "short"])
def test_a_page_that_breaks_the_process_costs_itself(broken: Reader, order: str) -> None:
    document = broken.open(f"pages {order} grey".encode(), Limits(max_side=1000))
    with pytest.raises(Poison, match=r"^Page 1 of 2 of the PDF .* at each of 2 attempts"):
        document.page(1)
    assert document.page(2).image is not None
    assert document.decoding >= 2 * readers.RESTART  # the document pays for the processes that it ends


def test_a_crash_names_its_signal(hostile: Reader) -> None:
    with pytest.raises(Poison, match=r"crashed the process that reads it \(SIGSEGV\)"):
        hostile.open(b"crash", Limits())


def test_a_page_that_takes_too_much_processor_time_is_ended(hostile: Reader) -> None:
    document = hostile.open(b"pages spin grey", Limits())
    with pytest.raises(OverLimit) as caught:
        document.page(1)
    assert caught.value.code == "over_time"
    assert 2 <= document.decoding < 10
    assert document.page(2).image is not None


def test_a_page_that_hangs_is_ended() -> None:
    reader = Reader(memory=0, limit=PageTime(60, 3), attempts=1, launch=exploited.launch)
    document = reader.open(b"pages sleep grey", Limits())
    begun = time.monotonic()
    with pytest.raises(Poison, match="hung the process that reads it"):
        document.page(1)
    assert 3 <= time.monotonic() - begun < 30
    assert document.page(2).image is not None
    reader.close()


def test_a_document_that_takes_too_much_memory_is_ended() -> None:
    reader = Reader(memory=400, limit=PageTime(60, 60), attempts=2, launch=exploited.launch)
    try:
        with pytest.raises((PermanentError, MemoryError)) as caught:
            reader.open(b"grow", Limits())
        assert verdict(caught.value).reason.code == "out_of_memory"
    finally:
        reader.close()


def test_an_interrupted_answer_ends_the_process(hostile: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    document = hostile.open(b"pages grey", Limits())
    process = hostile._process
    assert process is not None
    monkeypatch.setattr(process, "_read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        document.page(1)
    assert process.ended
    assert document.page(1).image is not None  # by another one


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_a_defect_names_its_place_and_no_text(hostile: Reader) -> None:
    with pytest.raises(ReaderDefect, match=r"^KeyError at .*exploited\.py:\d+$"):
        hostile.open(b"unknown order", Limits())


def test_pages_that_break_the_process_are_stored_as_unread(hostile: Reader, tmp_path: Path) -> None:
    engines = Engines(Settings(ocr_engine="fake-ocr", ner_engine="fake-ner"))
    document = hostile.open(b"pages grey crash grey spin", Limits())
    store = open_store(str(tmp_path), Settings())
    pages = recognize.recognize(document, "a" * 64, range(1, 5), store=store, engines=engines)
    assert [page.error.code if page.error else "" for page in pages] == ["", "poison", "", "over_time"]


def test_a_process_of_workers_reads_apart_unless_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_reader", None)
    readers.start(Settings(sandbox="off"))
    assert type(readers.open_document(b"text", Limits())).__name__ == "TextFile"
    readers.start(Settings(sandbox="auto"))
    reader = readers._reader
    assert reader is not None
    assert type(readers.open_document(b"text", Limits())).__name__ == "ReaderDocument"
    reader.close()


def test_a_process_that_does_not_start_ends_the_run_not_the_document() -> None:
    def launch(memory: int = 0, opening: float = 120.0) -> ReaderProcess:
        return ReaderProcess(memory, opening, "raise SystemExit(7)")

    reader = Reader(memory=0, limit=PageTime(60, 60), attempts=2, launch=launch)
    with pytest.raises(RunError, match=r"does not start .*exit code 7"):
        reader.open(b"text", Limits())


def test_a_process_that_ended_between_documents_is_replaced() -> None:
    reader = Reader(memory=0, limit=PageTime(60, 60), attempts=1)
    reader.open(b"one", Limits()).close()
    process = reader._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process._process.wait()
    assert reader.open(b"two", Limits()).page(1).lines
    reader.close()
