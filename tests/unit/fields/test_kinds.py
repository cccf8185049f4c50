"""The registry of the kinds of paper, its documentation, and the types that the classifier knows."""

import re
from pathlib import Path

import pytest

from pipeline.fields import examples
from pipeline.fields.clues import clued_kinds
from pipeline.fields.kinds import AMOUNTS, DATES, KINDS, is_amount

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
