"""A whole result under each policy: tables, sources, sentences."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import results
from pipeline.ledger import records
from pipeline.models import (
    Code,
    DocumentResult,
    Entity,
    Extraction,
    Failure,
    Field,
    LineItem,
    Page,
    TextLine,
    to_json,
)
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables.masked_logs import MaskedFormatter
from pipeline.tables.masking import masked_sentence, masked_source
from pipeline.tables.masking.documents import masked_result
from pipeline.tables.summary import summarise

DAY = "2026-11-22"
LINES = ("患者姓名 王小明  病历号 00012345", "诊断 急性支气管炎", "Total 45.00  2026-11-20", "王小明 已缴费")
TEXT = "\n".join(LINES)
BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
SHA = "3fa9c1d2e4b5" + "0" * 52
SECRETS = ("王小明", "00012345", "支气管炎")


def entity(kind: str, text: str, value: str | None) -> Entity:
    start = TEXT.index(text)
    return Entity(
        page=1, type=kind, text=text, value=value, currency=None, confidence=0.9,
        start=start, end=start + len(text), boxes=(BOX,), engine="x",
    )  # fmt: skip


def document(source: str = "file:///in/王小明_00012345.jpg") -> DocumentResult:
    starts = [TEXT.index(line) for line in LINES]
    lines = tuple(
        TextLine(text=line, box=BOX, confidence=0.9, start=at) for line, at in zip(LINES, starts, strict=True)
    )
    warning = "The name 王小明 is in doubt."
    page = Page(
        number=1, width=9, height=9, text=TEXT, lines=lines, warnings=(warning,),
        codes=(Code(kind="qr", text="王小明 00012345"),),
    )  # fmt: skip
    fields = (
        Field(name="payer", value="王小明", text="王小明", page=1, start=5, end=8, confidence=0.9),
        Field(name="total", value="45.00", text="45.00", page=1, confidence=0.9, currency="CNY"),
        Field(name="date", value="2026-11-20", text="2026-11-20", page=1, confidence=0.9),
        Field(name="visit_date", value="2026-11-20", text="2026-11-20", page=1, confidence=0.9),
    )
    items = (LineItem(page=1, row=1, description="挂号费 王小明", amount="45.00"),)
    return DocumentResult(
        task_id="one",
        sha256=SHA,
        source=source,
        status="partial",
        run_date=DAY,
        error=Failure(code="page_unread", message=f"Page 2 of {source} can't be read."),
        pages=(page,),
        entities=(entity("MONEY", "45.00", "45.00"), entity("DATE", "2026-11-20", "2026-11-20")),
        extraction=Extraction(
            document_type="medical_bill",
            confidence=0.9,
            fields=fields,
            items=items,
            warnings=('The page and the QR code differ in payer: "王小明" and "王小".',),
        ),
        metadata={"case": "王小明"},
        outputs={"classify": {"summary": "诊断 急性支气管炎"}},
    )


def tables(tmp_path: Path, policy: str, result: DocumentResult) -> dict[str, list[dict[str, Any]]]:
    store = LocalStore(tmp_path / policy)
    records.finish(store, result)
    names = summarise(store, DAY, masked=policy)
    return {name: pq.read_table(io.BytesIO(store.get(keys.summary(name, DAY)))).to_pylist() for name in names}


def test_under_all_no_table_has_a_name_a_diagnosis_or_a_number(tmp_path: Path) -> None:
    found = tables(tmp_path, "all", document())
    assert all(secret not in str(found) for secret in SECRETS)
    assert found["documents"][0]["source"] == "3fa9c1d2e4b5.jpg"
    assert found["entities"][0]["amount"] is not None
    fields = {row["field"]: row for row in found["fields"]}
    assert (fields["payer"]["value"], fields["date"]["value"]) == ("***", "2026-11-20")
    assert fields["total"]["amount"] is not None
    assert fields["visit_date"]["date"] is None


def test_under_ids_names_are_shown_and_numbers_are_not(tmp_path: Path) -> None:
    found = tables(tmp_path, "ids", document())
    assert "00012345" not in str(found)
    assert "王小明" in found["pages"][0]["text"]
    assert found["documents"][0]["source"] == "file:///in/王小明_****2345.jpg"
    assert found["documents"][0]["error"] == "Page 2 of file:///in/王小明_****2345.jpg can't be read."


def test_under_none_everything_is_shown(tmp_path: Path) -> None:
    found = tables(tmp_path, "none", document())
    assert all(secret in str(found) for secret in SECRETS)


def test_all_of_a_masked_result_is_masked_and_its_places_stay() -> None:
    one = document()
    shown = masked_result(one, "all")
    assert all(secret not in to_json(shown).decode() for secret in SECRETS)
    assert [line.start for line in shown.pages[0].lines] == [line.start for line in one.pages[0].lines]
    for line in shown.pages[0].lines:
        assert shown.pages[0].text[line.start : line.end] == line.text
    assert shown.entities == one.entities
    assert masked_result(one, "none") == one


def test_a_birth_date_is_masked_wherever_it_is_an_entity(tmp_path: Path) -> None:
    text = "出生日期 1990-01-01\n日期 2026-11-20"
    dates = tuple(
        structs.replace(entity("DATE", "2026-11-20", value), text=value, start=text.index(value), end=end)
        for value, end in (("1990-01-01", 15), ("2026-11-20", 29))
    )
    one = structs.replace(
        document(), pages=(Page(number=1, width=9, height=9, text=text),), entities=dates, extraction=None
    )
    rows = tables(tmp_path, "all", one)["entities"]
    assert [(row["value"], str(row["date"])) for row in rows] == [
        ("**********", "None"),
        ("2026-11-20", "2026-11-20"),
    ]


@pytest.mark.parametrize(
    ("source", "ids", "everything"),
    [
        ("file:///in/scan 12.pdf", "file:///in/scan 12.pdf", "***.pdf"),
        ("s3://in/MRN00012345_20261122.pdf", "s3://in/MRN****2345_20261122.pdf", "***.pdf"),
        ("https://h.example/a%40b.jpg?id=1", "https://h.example/a%40b.jpg?id=1", "***.jpg"),
        ("scans.zip!in/13812345678.tif", "scans.zip!in/*******5678.tif", "***.tif"),
        ("file:///in/jo@example.org.pdf", "file:///in/**@*******.**g.pdf", "***.pdf"),
        (f"documents/{SHA}", f"documents/{SHA}", "***"),
        ("in/20261122134500.png", "in/20261122134500.png", "***.png"),
        ("", "", ""),
    ],
)
def test_a_source_shows_no_number_and_under_all_nothing(source: str, ids: str, everything: str) -> None:
    assert masked_source(source, "ids") == ids
    assert masked_source(source, "all") == everything
    assert masked_source(source, "none") == source


def test_a_sentence_shows_no_file_name_and_no_quoted_value_under_all() -> None:
    task = "9b2d5c1e-1234-4321-8765-123456789012"
    text = f'{task}: can\'t read /in/jane doe/jane.pdf: the "name" is "Jane Doe" and "45.00".'
    shown = masked_sentence(text, "all")
    assert "jane.pdf" not in shown
    assert "Jane Doe" not in shown
    assert task in shown
    assert '"45.00"' in shown
    assert masked_sentence("call 13812345678 at 12:30", "ids") == "call *******5678 at 12:30"


def test_log_lines_are_masked_but_their_ids_are_not() -> None:
    shown = MaskedFormatter("task=%(document)s %(message)s", policy=lambda: "ids")
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "no page for %s", ("13812345678",), None)
    record.__dict__["document"] = "13912345678"
    assert shown.format(record) == "task=13912345678 no page for *******5678"
    try:
        raise ValueError("card 4111111111111111")
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    assert "4111111111111111" not in shown.format(record)


def test_true_sources_are_restored_on_request(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    records.finish(store, document())
    summarise(store, DAY, masked="all")
    assert results.load(store.url, "documents").loc[0, "source"] == "3fa9c1d2e4b5.jpg"
    assert results.load(store.url, "documents", masked=False).loc[0, "source"] == document().source
