import datetime
import io
import os
import stat
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import results
from pipeline.errors import NotFound, Unreadable
from pipeline.ledger import records
from pipeline.models import Box, DocumentResult, Entity, Extraction, Field, ModelInfo, Page, Task, TextLine
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables.schemas import SCHEMAS
from pipeline.tables.summary import summarise

DAY = "2026-11-22"
BOX: Box = ((1.0, 2.0), (9.0, 2.0), (9.0, 4.0), (1.0, 4.0))
CARD = "4111 1111 1111 1111"


def result(task_id: str) -> DocumentResult:
    text = f"Card {CARD}"
    line = TextLine(text=text, box=BOX, confidence=0.8)
    page = Page(number=1, width=100, height=50, text=text, lines=(line,), seconds=0.5)
    entity = Entity(
        page=1,
        type="BANK_CARD",
        text=CARD,
        value=CARD.replace(" ", ""),
        currency=None,
        confidence=0.99,
        start=5,
        end=24,
        boxes=(BOX,),
        engine="patterns",
    )
    field = Field(
        name="card",
        value=CARD.replace(" ", ""),
        text=CARD,
        confidence=0.8,
        page=1,
        boxes=(BOX,),
        start=5,
        end=24,
    )
    info = ModelInfo(engine="e", name="n", digest="d")
    return DocumentResult(
        task_id=task_id,
        sha256="ab" * 32,
        source="a.jpg",
        status="done",
        run_date=DAY,
        media_type="image/jpeg",
        pages=(page,),
        entities=(entity,),
        ocr=info,
        ner=info,
        fields=info,
        extraction=Extraction(document_type="receipt", confidence=0.9, fields=(field, Field(name="total"))),
        seconds={"ocr": 0.5, "ner": 0.1},
        first_seen="2026-11-22T20:00:00.000+00:00",
        done_at="2026-11-22T21:00:00.000+00:00",
    )


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path)
    records.finish(store, result("one"))
    records.fail(
        store,
        Task(task_id="two", sha256=None, source="b.jpg"),
        Unreadable("b.jpg is broken."),
        run_date=DAY,
        settings_digest="",
    )
    return store


def test_rows_and_columns(store: LocalStore) -> None:
    assert summarise(store, DAY) == {"documents": 2, "pages": 1, "entities": 1, "fields": 2, "items": 0}
    documents = results.load(store.url, "documents").set_index("task_id")
    assert documents.loc["one", "status"] == "done"
    assert documents.loc["one", "mean_confidence"] == pytest.approx(0.8)
    assert str(documents["done_at"].dtype).endswith("UTC]")
    assert documents.loc["two", "status"] == "failed"
    assert documents.loc["two", "error"] == "b.jpg is broken."
    entities = results.load(store.url, "entities")
    assert tuple(entities.loc[0, ["x0", "y0", "x1", "y1"]]) == (1.0, 2.0, 9.0, 4.0)
    assert entities.loc[0, "polygons"] is None
    assert list(entities["run_date"]) == [DAY]


def test_plain_pandas_reads_all_nights_with_their_date(store: LocalStore) -> None:
    summarise(store, DAY)
    summarise(store, "2026-11-23")
    frame = pd.read_parquet(store.root / "summary" / "entities")
    assert list(frame["run_date"].astype(str)) == [DAY]
    assert list(frame["page"]) == [1]


def test_sensitive_values_are_masked_in_every_table(store: LocalStore) -> None:
    summarise(store, DAY)
    raw = b"".join(
        repr(pq.read_table(io.BytesIO(store.get(keys.summary(t, DAY)))).to_pylist()).encode() for t in SCHEMAS
    )
    assert b"1111 1111" not in raw
    assert b"111111111111" not in raw
    page = results.load(store.url, "pages").loc[0]
    entity = results.load(store.url, "entities").loc[0]
    assert page["text"] == "Card **** **** **** 1111"
    assert page["text"][entity["start"] : entity["end"]] == entity["text"]
    assert entity["value"] == "************1111"


PHONE, ID = "13800138000", "110101199003074514"


@pytest.mark.parametrize(
    ("text", "won", "page", "entity"),
    [
        (f"张三{PHONE}北京公司", ("ORG", 0, 17), "张三*******8000北京公司", "张三*******8000北京公司"),
        (
            f"call www.a.cn/?t={PHONE}",
            ("URL", 5, 28),
            "call www.a.cn/?t=*******8000",
            "www.a.cn/?t=*******8000",
        ),
        (f"电话 {PHONE}", ("联系电话", 3, 14), "电话 *******8000", "*******8000"),
        (f"身份证号 {ID} 张三", ("PER", 24, 26), "身份证号 **************4514 张三", "张三"),
        ("订单日期 2018-12-25", ("DATE", 5, 15), "订单日期 2018-12-25", "2018-12-25"),
    ],
)
def test_a_number_inside_another_entity_is_masked(
    tmp_path: Path, text: str, won: tuple[str, int, int], page: str, entity: str
) -> None:
    kind, start, end = won
    one = result("one")
    one = structs.replace(
        one,
        pages=(structs.replace(one.pages[0], text=text),),
        entities=(
            structs.replace(
                one.entities[0], type=kind, start=start, end=end, text=text[start:end], value=text[start:end]
            ),
        ),
        extraction=Extraction(
            document_type="receipt",
            confidence=0.9,
            fields=(Field(name="company", value=text, text=text, confidence=0.8, page=1),),
        ),
    )
    store = LocalStore(tmp_path)
    records.finish(store, one)
    summarise(store, DAY)
    assert results.load(store.url, "pages").loc[0, "text"] == page
    row = results.load(store.url, "entities").loc[0]
    assert row["text"] == entity
    assert (row["value"] == text[start:end]) == (entity == text[start:end])
    assert ("*" in results.load(store.url, "fields").loc[0, "text"]) == ("*" in page)
    assert results.load(store.url, "entities", masked=False).loc[0, "text"] == text[start:end]


def test_a_document_reprocessed_since_the_summary_keeps_its_masks(store: LocalStore) -> None:
    summarise(store, DAY)
    records.finish(store, structs.replace(result("one"), entities=(), extraction=None, pages=()))
    assert results.load(store.url, "entities", masked=False).loc[0, "text"] == "**** **** **** 1111"
    assert results.load(store.url, "fields", masked=False).loc[0, "text"] == "**** **** **** 1111"
    assert results.load(store.url, "pages", masked=False).loc[0, "text"] == "Card **** **** **** 1111"


def test_a_row_for_each_field_found_or_not(store: LocalStore) -> None:
    summarise(store, DAY)
    assert results.load(store.url, "documents").set_index("task_id").loc["one", "document_type"] == "receipt"
    card, total = results.load(store.url, "fields").to_dict("records")
    assert (card["field"], card["document_type"], card["page"]) == ("card", "receipt", 1)
    assert (card["text"], card["value"]) == ("**** **** **** 1111", "************1111")
    assert (card["x0"], card["y0"], card["x1"], card["y1"]) == (1.0, 2.0, 9.0, 4.0)
    assert total["field"] == "total"
    assert total["value"] is None or pd.isna(total["value"])
    assert results.load(store.url, "fields", masked=False).loc[0, "value"] == CARD.replace(" ", "")


def test_true_values_are_restored_on_request(store: LocalStore) -> None:
    summarise(store, DAY)
    assert results.load(store.url, "entities", masked=False).loc[0, "text"] == CARD
    assert results.load(store.url, "pages", DAY, masked=False).loc[0, "text"] == f"Card {CARD}"


def test_unmasked_tables_by_setting(store: LocalStore) -> None:
    summarise(store, DAY, masked="none")
    assert results.load(store.url, "entities").loc[0, "text"] == CARD


def test_running_again_replaces(store: LocalStore) -> None:
    summarise(store, DAY)
    summarise(store, DAY)
    assert len(results.load(store.url, "documents")) == 2
    assert len(list(store.list(keys.SUMMARY))) == 5


def test_an_empty_night_has_empty_tables(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert summarise(store, DAY) == {"documents": 0, "pages": 0, "entities": 0, "fields": 0, "items": 0}
    assert list(results.load(store.url, "documents").columns) == [*SCHEMAS["documents"].names, "run_date"]


def test_missing_tables_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="run `nightshift run` first"):
        results.load(str(tmp_path), "entities")
    with pytest.raises(ValueError, match="there is no table"):
        results.load(str(tmp_path), "nonsense")  # type: ignore[arg-type]


def test_amounts_and_dates_are_numbers_and_dates(store: LocalStore) -> None:
    one = result("three")
    values = (("MONEY", "1234.5"), ("DATE", "2026-11-22"), ("DATE", "2026-11"), ("ORG", "12.00"))
    entities = tuple(
        structs.replace(one.entities[0], type=kind, value=value, text="Card", start=0, end=4)
        for kind, value in values
    )
    total = Field(name="total", value="80.90", currency="MYR", other="8090", checks=("sum_mismatch",), page=1)
    date = Field(name="date", value="2026-11-22", confidence=0.9, page=1, source="xml", verified=True)
    record = Extraction(document_type="receipt", confidence=0.9, fields=(total, date), warnings=("Look.",))
    records.finish(store, structs.replace(one, entities=entities, extraction=record))
    summarise(store, DAY)

    rows = pq.read_table(io.BytesIO(store.get(keys.summary("entities", DAY)))).to_pylist()[1:]
    assert [row["amount"] for row in rows] == [Decimal("1234.50"), None, None, None]
    assert [row["date"] for row in rows] == [None, datetime.date(2026, 11, 22), None, None]
    rows = pq.read_table(io.BytesIO(store.get(keys.summary("fields", DAY)))).to_pylist()[2:]
    assert [row["amount"] for row in rows] == [Decimal("80.90"), None]
    assert [row["date"] for row in rows] == [None, datetime.date(2026, 11, 22)]
    assert [(row["checks"], row["needs_review"]) for row in rows] == [(["sum_mismatch"], True), ([], False)]
    assert [(row["source"], row["verified"], row["other"]) for row in rows] == [
        ("page", False, "8090"),
        ("xml", True, None),
    ]
    documents = results.load(store.url, "documents").set_index("task_id")
    assert documents.loc["three", "needs_review"]
    assert list(documents.loc["three", "record_warnings"]) == ["Look."]


def test_tables_are_for_the_group_and_documents_for_nobody_else(store: LocalStore) -> None:
    store.put(keys.document("ab" * 32), b"bytes")
    before = os.umask(0o022)
    try:
        summarise(store, DAY)
        assert stat.S_IMODE((store.root / keys.summary("pages", DAY)).stat().st_mode) == 0o640
        assert stat.S_IMODE((store.root / keys.document("ab" * 32)).stat().st_mode) == 0o600
        os.umask(0o077)
        summarise(store, DAY)
        assert stat.S_IMODE((store.root / keys.summary("pages", DAY)).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_the_newest_version_of_each_document_once(tmp_path: Path) -> None:
    store, later = LocalStore(tmp_path), "2026-11-23"
    records.finish(store, result("one"))
    records.finish(store, structs.replace(result("other"), sha256="cd" * 32))
    again = structs.replace(result("again"), run_date=later, done_at="2026-11-23T21:00:00.000+00:00")
    records.finish(store, again)
    records.finish(store, structs.replace(again, task_id="theirs", tenant="b"))
    for day in (DAY, later):
        summarise(store, day)
    assert len(results.load(store.url, "entities")) == 4
    for table in ("documents", "entities"):
        assert set(results.load(store.url, table, latest=True)["task_id"]) == {"other", "again", "theirs"}
    assert set(results.load(store.url, "entities", DAY, latest=True)["task_id"]) == {"one", "other"}
