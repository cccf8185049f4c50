"""Documents of which a part could not be read: they end as `partial`, and the rest of them is in the tables."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline.errors import PermanentError
from pipeline.ledger import records
from pipeline.ledger.audit import audit
from pipeline.models import DocumentResult, Failure
from pipeline.night import callbacks, failures
from pipeline.night.flow import Flow
from pipeline.night.status import status
from pipeline.storage import keys
from pipeline.tables.summary import summarise
from pipeline.testing import FakeOcr
from tests.support.command import BLUE, GREEN, grey, pages
from tests.support.flows import Died, drain, records_of, submission, to_ocr


def one_bad(path: Path, count: int = 4, bad: int = 2) -> Path:
    """A PDF whose page `bad` makes the fake engine raise."""
    return pages(path, [GREEN if n == bad else grey(n) for n in range(1, count + 1)])


def ended(flow: Flow, path: Path) -> DocumentResult:
    drain(flow, flow.reception.accept(submission(path)))
    return records_of(flow)["t"]


def test_one_page_costs_itself(flow: Flow, inbox: Path) -> None:
    result = ended(flow, one_bad(inbox / "a.pdf"))
    assert (result.status, len(result.pages)) == ("partial", 4)
    assert [page.number for page in result.pages if page.error] == [2]
    assert [page.text[:6] for page in result.pages] == ["colour", "", "colour", "colour"]
    assert {entity.page for entity in result.entities} == {1, 3, 4}
    assert result.error is not None
    assert result.error.code == "internal"
    assert result.error.message.startswith("Page 2 of 4 could not be read: ")


def test_pages_of_a_spread_document_cost_themselves(flow: Flow, inbox: Path) -> None:
    result = ended(flow, one_bad(inbox / "a.pdf", count=20, bad=13))
    assert (result.status, sum(page.error is None for page in result.pages)) == ("partial", 19)


def test_nothing_readable_is_a_failure(flow: Flow, inbox: Path) -> None:
    result = ended(flow, pages(inbox / "a.pdf", [GREEN, GREEN]))
    assert (result.status, result.pages) == ("failed", ())
    assert result.error is not None
    assert result.error.message.endswith("None of its 2 pages could be read.")


def test_counts_and_tables(flow: Flow, inbox: Path) -> None:
    day = flow.schedule.run_date()
    ended(flow, one_bad(inbox / "a.pdf"))
    report = audit(flow.store, day)
    assert (report.received, report.done, report.partial, report.failed, report.adds_up) == (1, 0, 1, 0, True)
    now = status(flow.night)
    assert (now.done, now.partial, now.failed, now.pending) == (0, 1, 0, 0)
    summarise(flow.store, day)
    root = Path(flow.store.url.removeprefix("file://"))
    (row,) = pq.read_table(root / keys.summary("documents", day)).to_pylist()
    assert (row["status"], row["pages"], row["pages_unread"], row["error_code"]) == (
        "partial",
        4,
        1,
        "internal",
    )
    rows = pq.read_table(root / keys.summary("pages", day)).to_pylist()
    assert [row["error_code"] for row in rows] == [None, "internal", None, None]
    assert [row["text_from"] for row in rows] == ["ocr"] * 4


def test_the_callback_says_what_is_missing(flow: Flow, inbox: Path) -> None:
    body = callbacks.body_of(ended(flow, one_bad(inbox / "a.pdf")), "file:///store").decode()
    assert '"status":"partial"' in body
    assert "file:///store/results/" in body
    assert "Page 2 of 4" in body


def test_a_redrive_reads_only_what_is_missing_and_the_result_is_kept_until_then(
    flow: Flow, inbox: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(flow, one_bad(inbox / "a.pdf"))
    (record,) = failures.find(flow.store)
    assert (record.status, record.pages) == ("partial", ())
    log.unlink()
    task = failures.redrive(flow.store, record, {})
    assert records_of(flow)["t"].status == "partial"
    with pytest.raises(PermanentError, match="already being redriven"):
        failures.redrive(flow.store, record, {})
    readings = []
    read = FakeOcr.read

    def reads_now(self: FakeOcr, image: Any) -> Any:
        readings.append(1)
        return read(self, grey_image(image))

    monkeypatch.setattr(FakeOcr, "read", reads_now)
    from pipeline.messages import Message

    drain(flow, [Message.of("ingest", task)])
    result = records_of(flow)["t"]
    assert (result.status, result.error, len(readings)) == ("done", None, 1)
    assert {entity.page for entity in result.entities} == {1, 2, 3, 4}
    assert not list(flow.store.list(keys.PARTIAL))
    assert not list(failures.find(flow.store))


def grey_image(image: Any) -> Any:
    import numpy as np

    return np.full_like(image, 100)


def test_a_page_that_kills_its_worker_costs_itself(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FakeOcr.read

    def dies_on_blue(self: FakeOcr, image: Any) -> Any:
        red, _, blue = (int(v) for v in image[0, 0])
        if red < 5 and blue > 250:
            raise Died
        return read(self, image)

    monkeypatch.setattr(FakeOcr, "read", dies_on_blue)
    message = to_ocr(flow, pages(inbox / "a.pdf", [grey(1), BLUE, grey(3)]))
    for again in (False, True, True):
        with pytest.raises(Died):
            flow.run(structs.replace(message, id="m", redelivered=again))
    drain(flow, flow.run(structs.replace(message, id="m", redelivered=True)))
    result = records_of(flow)["t"]
    assert (result.status, [page.error is None for page in result.pages]) == ("partial", [True, False, True])
    assert result.error is not None
    assert result.error.code == "poison"


def test_a_reprocessing_that_reads_less_keeps_the_result(
    flow: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = ended(flow, pages(inbox / "a.pdf", [grey(n) for n in range(1, 5)]))
    worse = structs.replace(
        done,
        status="partial",
        reprocess=True,
        pages=(structs.replace(done.pages[0], error=Failure(code="internal", message="no")), *done.pages[1:]),
    )
    records.finish(flow.store, worse)
    assert records_of(flow)["t"].status == "done"
    assert not list(flow.store.list(keys.PARTIAL))
    (kept,) = failures.find(flow.store)
    assert (kept.status, kept.reprocess) == ("failed", True)
