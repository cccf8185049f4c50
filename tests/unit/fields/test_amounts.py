import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import pytest
from msgspec import structs

from pipeline.fields import receipt
from pipeline.fields.amounts import amounts_of, currency_of, squash
from pipeline.fields.receipt.labels import kind_of
from pipeline.fields.records import find_one
from pipeline.fields.rows import rows_of
from pipeline.models import Box, Entity, Page, TextLine
from tests.unit.fields.slip import read

LABELS = [
    "Total",
    "Subtotal",
    "Tax",
    "Cash",
    "Change",
    "Tip",
    "Discount",
    "Rounding",
    "SHOP SDN BHD",
    "Date",
    "12.5%",
]


def long_page(rows: int, labels: Sequence[str]) -> tuple[Page, list[Entity]]:
    """A page with a labelled amount and a date in each row."""
    lines: list[TextLine] = []
    entities: list[Entity] = []
    text = ""
    for number in range(rows):
        amount = f"{number % 700}.{number % 90 + 10}"
        day = f"20{number % 80 + 10}-01-02"
        for place, words in enumerate((labels[number % len(labels)], amount, day)):
            text += ("\n" if number else "") if not place else "  "
            left, top = 300.0 * place, 15.0 * number
            box: Box = ((left, top), (left + 90, top), (left + 90, top + 10), (left, top + 10))
            lines.append(TextLine(text=words, box=box, confidence=1.0, start=len(text)))
            text += words
            if place:
                kind = "MONEY" if place == 1 else "DATE"
                entities.append(
                    Entity(
                        page=1,
                        type=kind,
                        text=words,
                        value=words,
                        currency=None,
                        confidence=0.9,
                        start=len(text) - len(words),
                        end=len(text),
                        boxes=(box,),
                        engine="test",
                    )
                )
    return Page(number=1, width=1000, height=15 * rows + 20, text=text, lines=tuple(lines)), entities


def work(find: Callable[[Page, list[Entity]], Any], rows: int, labels: Sequence[str]) -> int:
    """The number of lines of code that are executed."""
    page, entities = long_page(rows, labels)
    steps = 0

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        find(page, entities)
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("labels", [["Soup"], ["Total"], LABELS], ids=["items", "totals", "all"])
def test_work_grows_with_the_page_not_with_its_square(labels: list[str]) -> None:
    small, large = (work(receipt.find, rows, labels) for rows in (100, 400))
    assert large < 5 * small
    small, large = (work(lambda p, e: find_one(p, e, receipt.find), rows, labels) for rows in (410, 820))
    assert large < 2.5 * small


def test_labels_next_to_above_and_behind_amounts() -> None:
    page, entities = read("Soup $4.00\nSubtotal\n$4.00\nItems 1              TOTAL  $4.00\n$4.00 Cash")
    amounts = amounts_of(rows_of(page), entities)
    assert [a.label for a in amounts] == ["soup", "subtotal", "itemstotal", ""]
    assert [a.near for a in amounts] == ["soup", "subtotal", "total", ""]
    assert amounts[-1].behind == "cash"
    assert all(a.last for a in amounts)


def test_squash() -> None:
    assert squash("T0TA1 à payer:") == "totalapayer"
    assert squash("合 计：") == "合计"


def test_the_currency_of_a_bare_amount_is_the_only_one_of_the_page() -> None:
    page, entities = read("Soup $4.00\nTotal 4.00\nSpringfield, IL 62701")
    rows = rows_of(page)
    amounts = amounts_of(rows, entities)
    assert [currency_of(a, amounts, rows) for a in amounts] == ["USD", "USD"]


def test_a_value_that_is_no_number_is_no_amount() -> None:
    page, entities = long_page(2, ["Total"])
    broken = [structs.replace(e, value=v) for e, v in zip(entities[::2], ("NaN", "abc"), strict=True)]
    assert amounts_of(rows_of(page), broken) == []
    assert all(field.name != "total" for field in receipt.find(page, broken))


KINDS = [
    ("TOTAL DUE", "final"),
    ("Bill amount", "final"),
    ("Total incl. of GST 6%", "inclusive"),
    ("Total includes GST of", "tax"),
    ("Total excl. GST", "part"),
    ("Sub-Total (2 items)", "subtotal"),
    ("Sous-total", "subtotal"),
    ("Zwischensumme", "subtotal"),
    ("Sales Tax 8.75%", "tax"),
    ("TAX 1", "tax"),
    ("I.V.A. 10,00%", "tax"),
    ("Tax invoice", ""),
    ("Service Charge 10%", "service"),
    ("Server 12", ""),
    ("Gratuity 18%", "tip"),
    ("Cash tendered", "cash"),
    ("Cashier", ""),
    ("CHANGE RM", "change"),
    ("Rückgeld", "change"),
    ("Rounding Adj", "rounding"),
    ("Total savings", "discount"),
    ("Total Qty", "quantity"),
    ("应付金额", "final"),
    ("Grandma's soup", ""),
]


@pytest.mark.parametrize(("label", "kind"), KINDS)
def test_kinds_of_labels(label: str, kind: str) -> None:
    assert kind_of(squash(label)) == kind
