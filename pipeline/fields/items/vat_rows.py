"""The items of a Chinese VAT invoice by their figures: amount, rate and tax at the end of a row explain each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import structs

from pipeline.fields.items.goods import product
from pipeline.fields.items.heading_words import fold
from pipeline.fields.items.label_words import is_total
from pipeline.fields.items.unit_words import is_unit
from pipeline.fields.items.values import number_of, plain_decimal
from pipeline.fields.items.words import Word, WordRow
from pipeline.models import LineItem

_RATE = re.compile(r"(?P<rate>[0-9]{1,2}(?:\.[0-9])?)%|免 ?税|不 ?征 ?税")
_NONE = re.compile(r"\*{1,5}")
_CENT = Decimal("0.06")
_GLUED = 3
"""Maximum number of digits of a quantity that is run together with its price."""


def items_of(rows: Sequence[WordRow], page: int) -> Iterator[tuple[LineItem, list[WordRow]]]:
    """Each item with its rows; its name may be on the row above."""
    above: WordRow | None = None
    for row in rows:
        read = _row(row, page)
        if read is None:
            above = None if any(word.figure for word in row.words) or is_total(fold(row.text)) else row
            continue
        if read.description:
            yield read, [row]
        elif above is not None:
            yield structs.replace(read, description=above.text), [above, row]
        above = None


def _row(row: WordRow, page: int) -> LineItem | None:
    words = row.words
    at = next((n for n in range(len(words) - 1, 0, -1) if _RATE.fullmatch(words[n].text)), None)
    if at is None or len(words) - at > 2:
        return None
    amount = number_of(words[at - 1].text, ".")
    match = _RATE.fullmatch(words[at].text)
    if amount is None or match is None or not _explained(amount.value, match["rate"], words[at + 1 :]):
        return None
    quantity, price, rest = _priced(words[: at - 1], amount.value)
    unit = next((word.text for word in reversed(rest) if is_unit(word.text)), None)
    name = " ".join(word.text for word in rest if word.text != unit and not word.figure)
    return LineItem(
        page=page,
        row=0,
        description=name,
        quantity=plain_decimal(quantity),
        unit=unit,
        unit_price=plain_decimal(price),
        amount=plain_decimal(amount.value),
        tax_rate=match["rate"],
        confidence=0.8 + product(quantity, price, amount.value),
    )


def _explained(amount: Decimal, rate: str | None, behind: Sequence[Word]) -> bool:
    """Whether the tax behind the rate is the amount's."""
    if not behind:
        return rate is None
    if rate is None:
        return _NONE.fullmatch(behind[0].text) is not None
    tax = number_of(behind[0].text, ".")
    return tax is not None and abs(amount * Decimal(rate) / 100 - tax.value) <= _CENT


def _priced(words: Sequence[Word], amount: Decimal) -> tuple[Decimal | None, Decimal | None, Sequence[Word]]:
    """Quantity and unit price before the amount, also where they are run together, and the words before them."""
    figures = [n.value for word in words[-2:] if word.figure and (n := number_of(word.text, ".")) is not None]
    if len(figures) == 2 and product(figures[0], figures[1], amount) > 0:
        return figures[0], figures[1], words[:-2]
    text = words[-1].text if words and words[-1].figure else ""
    for size in range(1, min(_GLUED, len(text) - 1) + 1):
        quantity, price = number_of(text[:size], "."), number_of(text[size:], ".")
        if quantity and price and quantity.value and product(quantity.value, price.value, amount) > 0:
            return quantity.value, price.value, words[:-1]
    return None, None, words
