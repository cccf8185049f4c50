"""Several receipts on one page: the fields are of one of them."""

import pytest
from msgspec import structs

from pipeline.documents.layout import assemble
from pipeline.fields import load
from pipeline.models import Field, Page, TextLine
from pipeline.settings import Settings
from tests.unit.fields.paper import STEP, entities, page

FILLER = load(Settings())
FIRST = """
  GREEN HARDWARE SDN BHD
  NO 7, JALAN CONTOH 2/1,
  00000 BANDAR CONTOH, SELANGOR.
  TEL: 03-0000 0000
  TAX INVOICE
Date: 05/02/2018 12:31
NAILS 2 INCH            12.00
HAMMER                  20.00
TOTAL                   32.00
CASH                    50.00
CHANGE                  18.00
Thank you
"""
SECOND = """
  BLUE RIVER RESTAURANT
  LOT 3, JALAN LAIN 9,
  11111 BANDAR LAIN, JOHOR.
  TEL: 07-0000 0000
  RECEIPT
Date: 17/06/2019 19:05
FRIED RICE               8.50
TEA                      1.70
TOTAL                   10.20
CASH                    20.00
CHANGE                   9.80
Please come again
"""
ONE = {"company": "GREEN HARDWARE SDN BHD", "date": "2018-02-05", "total": "32.00"}
OTHER = {"company": "BLUE RIVER RESTAURANT", "date": "2019-06-17", "total": "10.20"}


def values(*pages: Page) -> dict[str, str | None]:
    record = FILLER.fill(pages, entities(*pages))
    assert record.document_type == "receipt"
    return {f.name: f.value for f in record.fields if f.name in ONE}


def moved(lines: tuple[TextLine, ...], right: float, down: float) -> list[TextLine]:
    return [structs.replace(line, box=tuple((x + right, y + down) for x, y in line.box)) for line in lines]


def together(right: float, down: float) -> Page:
    """Both receipts on one page, the second moved by so many pixels."""
    lines = [*page(FIRST).lines, *moved(page(SECOND).lines, right, down)]
    text, placed = assemble(lines, 900, 1200)
    return Page(number=1, width=900, height=1200, text=text, lines=placed)


def test_one_receipt() -> None:
    assert values(page(FIRST)) == ONE
    assert values(page(SECOND)) == OTHER


@pytest.mark.parametrize("down", [0, 11, 95])
@pytest.mark.parametrize("right", [340, 420])
def test_receipts_side_by_side_give_the_fields_of_one(right: float, down: float) -> None:
    assert values(together(right, down)) in (ONE, OTHER)


@pytest.mark.parametrize("gap", [2, 5])
def test_receipts_one_below_the_other_give_the_fields_of_one(gap: int) -> None:
    assert values(together(0, STEP * (12 + gap))) in (ONE, OTHER)


def test_the_next_page_adds_nothing_to_one_of_several_receipts() -> None:
    two = together(400, 0)
    rest = page("THIRD SHOP SDN BHD\nDate: 01/01/2020\nTOTAL   99.00", number=2)
    assert values(two, rest) in (ONE, OTHER)


def test_a_card_slip_below_its_receipt_is_no_other_record() -> None:
    slip = (
        "\n\n\n\n\n  GREEN HARDWARE SDN BHD\nDate: 05/02/2018\nSALE\nTOTAL                   32.00\nAPPROVED"
    )
    assert values(page(FIRST + slip)) == ONE


def test_found_fields_are_located_on_the_page() -> None:
    two = together(400, 0)
    found = [field for field in FILLER.fill([two], entities(two)).fields if field.value]
    assert {"company", "date", "address", "total"} <= {field.name for field in found}
    for field in found:
        assert located(field, two)


def located(field: Field, on: Page) -> bool:
    return field.start is None or on.text[field.start : field.end] == field.text
