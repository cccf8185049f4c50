import datetime
import io
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from pipeline import results
from pipeline.ledger import records
from pipeline.models import DocumentResult, Extraction, LineItem, Page
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from pipeline.tables.masking.descriptions import masked_descriptions
from pipeline.tables.masking.spans import Span, Spans
from pipeline.tables.summary import summarise

DAY = "2026-11-22"
PHONE = "13800138000"
ITEM = LineItem(
    page=1,
    row=1,
    description="Garden chair",
    quantity="2.5",
    unit="pcs",
    unit_price="0.0205",
    amount="12.30",
    tax_rate="19",
    date="2026-10-31",
    balance="-7.05",
    confidence=0.9,
    boxes=(
        ((10.0, 20.0), (90.0, 20.0), (90.0, 40.0), (10.0, 40.0)),
        ((12.0, 50.0), (95.0, 50.0), (95.0, 70.0), (12.0, 70.0)),
    ),
)


def stored(folder: Path, *items: LineItem, text: str = "Garden chair 12.30") -> LocalStore:
    store = LocalStore(folder)
    page = Page(number=1, width=600, height=800, text=text)
    result = DocumentResult(
        task_id="one",
        sha256="ab" * 32,
        source="a.jpg",
        status="done",
        run_date=DAY,
        pages=(page,),
        extraction=Extraction(document_type="bank_statement", confidence=0.9, items=items),
    )
    records.finish(store, result)
    return store


def test_numbers_and_dates_are_stored_as_such(tmp_path: Path) -> None:
    store = stored(tmp_path, ITEM)
    assert summarise(store, DAY)["items"] == 1
    (row,) = pq.read_table(io.BytesIO(store.get(keys.summary("items", DAY)))).to_pylist()
    assert row["document_type"] == "bank_statement"
    assert (row["page"], row["row"], row["description"], row["unit"]) == (1, 1, "Garden chair", "pcs")
    assert (row["quantity"], row["unit_price"]) == (Decimal("2.5000"), Decimal("0.0205"))
    assert (row["amount"], row["tax_rate"], row["balance"]) == (
        Decimal("12.30"),
        Decimal("19.0000"),
        Decimal("-7.05"),
    )
    assert row["date"] == datetime.date(2026, 10, 31)
    assert (row["x0"], row["y0"], row["x1"], row["y1"]) == (10.0, 20.0, 95.0, 70.0)
    assert (row["page_width"], row["page_height"]) == (600, 800)


def test_what_the_table_does_not_have_is_null(tmp_path: Path) -> None:
    store = stored(tmp_path, LineItem(page=1, row=1, amount="3"))
    summarise(store, DAY)
    row = results.load(store.url, "items").loc[0]
    assert row["amount"] == Decimal("3.00")
    assert all(pd.isna(row[name]) for name in ("description", "quantity", "unit", "date", "balance"))


@pytest.mark.parametrize("value", ["99999999999999999999.00", "many"])
def test_a_number_that_does_not_fit_is_null(tmp_path: Path, value: str) -> None:
    store = stored(tmp_path, LineItem(page=1, row=1, description="x", amount=value))
    summarise(store, DAY)
    assert pd.isna(results.load(store.url, "items").loc[0, "amount"])


def test_a_sensitive_number_in_a_description_is_masked_and_restored(tmp_path: Path) -> None:
    item = structs.replace(ITEM, description=f"Top-up of {PHONE} thanks")
    store = stored(tmp_path, item, text=f"Top-up of {PHONE} thanks 12.30")
    summarise(store, DAY)
    assert results.load(store.url, "items").loc[0, "description"] == "Top-up of *******8000 thanks"
    assert results.load(store.url, "items", masked=False).loc[0, "description"] == item.description


def test_a_number_that_only_its_page_explains_is_masked_too() -> None:
    page = Page(number=1, width=9, height=9, text="from account\n12 345 678 to you")
    assert masked_descriptions(
        ["from account 12 345 678 to you", "12 chairs"], page, Spans([Span(13, 23)])
    ) == [
        "from account ** **5 678 to you",
        "12 chairs",
    ]


def test_a_document_without_items_has_no_rows(tmp_path: Path) -> None:
    store = stored(tmp_path)
    assert summarise(store, DAY)["items"] == 0
    assert results.load(store.url, "items").empty


def test_numbers_that_begin_alike_are_told_apart() -> None:
    text = "paid to 12 345 678 and 12 345 679 and 12 9"
    page = Page(number=1, width=9, height=9, text=text)
    spans = Spans([Span(8, 18), Span(23, 33)])
    assert masked_descriptions(["12 345 679 twice", "12 9 or 12 345 678"], page, spans) == [
        "** **5 679 twice",
        "12 9 or ** **5 678",
    ]
