"""A digital VAT invoice whose text has lost its layout: labels in one place, values in another.

Its values have forms of their own: a number of 20 digits, two companies and their tax numbers (the buyer's come
first), and three amounts with a sign of which two add up to the third. What is not evident so has no value.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import combinations

from pipeline.fields.amounts import Amount
from pipeline.fields.cells import cells_of
from pipeline.fields.labels import checked
from pipeline.fields.rows import Row, Span, field, fold
from pipeline.fields.vat_invoice.parties import FAILED, checked_tax_id
from pipeline.models import Entity, Field

_NUMBER = re.compile(r"[0-9]{20}")
_TAX_ID = re.compile(r"(?=[0-9A-Z]*[0-9])[0-9A-Z]{15,19}")
_MOST = 12
"""Maximum number of amounts with a sign."""
_SURE = 0.8
_NAME = 0.8
"""Minimum share of a cell that an organisation covers if the cell is its name."""


def find_unlabelled(rows: Sequence[Row], entities: Sequence[Entity], found: Sequence[Field]) -> list[Field]:
    """Number, parties and tax numbers where the labels gave none of them."""
    names = {one.name for one in found}
    cells = [(row, row.span(*cell)) for row in rows for cell in cells_of(row.text)]
    more: list[Field] = []
    if "number" not in names:
        numbers = [pair for pair in cells if _NUMBER.fullmatch(_text(*pair))]
        if len({_text(*pair) for pair in numbers}) == 1:
            row, span = numbers[0]
            more.append(field("number", row.page, [span], _text(row, span), _SURE))
    if not names & {"buyer", "seller"}:
        organisations = _names(entities)
        more += _pair("buyer", "seller", [pair for pair in cells if _is_name(pair[1], organisations)])
    if not names & {"buyer_tax_id", "seller_tax_id"}:
        ids = [pair for pair in cells if _TAX_ID.fullmatch(_text(*pair))]
        more += _pair("buyer_tax_id", "seller_tax_id", ids)
    return [checked(one, "no_label") for one in more]


def sums_of(amounts: Sequence[Amount]) -> tuple[Amount, Amount, Amount] | None:
    """Net, tax and total: the only three amounts with a sign of which two add up to the third."""
    signed = {a.value: a for a in amounts if "¥" in a.entity.text.replace("￥", "¥") and a.value > 0}
    if len(signed) > _MOST:
        return None
    pairs = combinations(sorted(signed, reverse=True), 2)
    sums = [(signed[a], signed[b], signed[a + b]) for a, b in pairs if a + b in signed]
    return sums[0] if len(sums) == 1 else None


def _pair(first: str, second: str, cells: Sequence[tuple[Row, Span]]) -> list[Field]:
    if len(cells) != 2:
        return []
    found = []
    for name, (row, span) in zip((first, second), cells, strict=True):
        value, sure = _text(row, span), _SURE
        if name.endswith("tax_id"):
            value, checks_out = checked_tax_id(value)
            sure = min(sure, checks_out)
        made = field(name, row.page, [span], fold(value), sure)
        found.append(checked(made, "check_digit") if sure <= FAILED else made)
    return found


def _names(entities: Sequence[Entity]) -> list[Span]:
    return sorted((e.start, e.end) for e in entities if e.type == "ORG")


def _is_name(cell: Span, names: Sequence[Span]) -> bool:
    """Whether an organisation covers a cell."""
    start, end = cell
    inside = names[bisect_left(names, (start, 0)) : bisect_left(names, (end, 0))]
    return any(stop <= end and stop - begin >= _NAME * (end - start) for begin, stop in inside)


def _text(row: Row, span: Span) -> str:
    return row.text[span[0] - row.start : span[1] - row.start]
