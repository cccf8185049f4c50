"""The registry of the kinds of paper, its documentation, and the types that the classifier knows."""

import re
import time
from pathlib import Path

import pytest

from pipeline.fields import examples
from pipeline.fields.clues import clued_kinds
from pipeline.fields.kinds import KINDS
from pipeline.fields.values import AMOUNTS, DATES, is_amount
from pipeline.models import Entity, Page, PageLocale, TextLine

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "fields.md"
WITHOUT_FIELDS = {"medical", "ticket", "other"}


def test_every_type_has_examples_clues_and_fields() -> None:
    assert set(examples.load(None)) == clued_kinds() == {*KINDS, *WITHOUT_FIELDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_the_docs_has_all_fields_of_a_type(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \|[^|]*\|([^|]*)\|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(re.findall(r"`([a-z_]+)`", row)) == KINDS[kind].names


def test_amounts_and_dates_are_names_of_fields() -> None:
    names = {name for kind in KINDS.values() for name in kind.names}
    assert names >= AMOUNTS
    assert names >= DATES


def test_an_account_is_an_amount_on_a_medical_bill_only() -> None:
    assert is_amount("account", "medical_bill")
    assert not is_amount("account", "bank_statement")
    assert is_amount("net_19", "invoice")


@pytest.fixture(scope="module")
def crowded() -> tuple[Page, list[Entity]]:
    """A page with a label and an amount in each of its 12,000 lines."""
    words = ("Total: {}.50", "合计：{}.50", "Balance on {}.10", "Name: a{}")
    lines, parts, at = [], [], 0
    for row in range(3000):
        for column, word in enumerate(words):
            text = word.format(row)
            left, top = 400.0 * column, 30.0 * row
            box = ((left, top), (left + 200, top), (left + 200, top + 20), (left, top + 20))
            lines.append(TextLine(text=text, box=box, confidence=1.0, start=at))
            end = "\n" if column == len(words) - 1 else "  "
            parts.append(text + end)
            at += len(parts[-1])
    page = Page(
        number=1, width=1600, height=90_000, text="".join(parts), lines=tuple(lines), locale=PageLocale()
    )
    amounts = [
        Entity(
            page=1,
            type="MONEY",
            text=line.text[-6:],
            value="1.50",
            currency=None,
            confidence=0.9,
            start=line.end - 4,
            end=line.end,
            boxes=(),
            engine="x",
        )
        for line in lines
        if "." in line.text
    ]
    return page, amounts


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"invoice", "credit_note", "receipt"}))
def test_a_page_of_thousands_of_labels_is_searched_in_linear_time(
    kind: str, crowded: tuple[Page, list[Entity]]
) -> None:
    started = time.process_time()
    KINDS[kind].find(*crowded)
    assert time.process_time() - started < 5
