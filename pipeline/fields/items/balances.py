"""Opening balance + transactions = closing balance: what it says about a statement's rows and fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.items.sums import decimal_of, sum_of
from pipeline.models import Field, LineItem

_NAMES = ("opening", "closing")
_SURER, _LESS, _OTHER = 0.15, 0.6, 0.4
"""What is added to the score of a balance that adds up; its factor where it does not, and where another one does."""
_MOST = 0.99


class Balances(NamedTuple):
    """The balances before and after the transactions; `fit`: whether they differ by the sum of these."""

    opening: Decimal | None = None
    closing: Decimal | None = None
    fit: bool | None = None


def balances_of(
    items: Sequence[LineItem], opening: Decimal | None, closing: Decimal | None, fields: Sequence[Field]
) -> Balances:
    """The balances of the table, or of the record where only these add up."""
    named = {field.name: decimal_of(field) for field in fields if field.name in _NAMES}
    first = [value for value in (opening, named.get("opening")) if value is not None]
    last = [value for value in (closing, named.get("closing")) if value is not None]
    if not (first and last and items):
        return Balances(next(iter(first), None), next(iter(last), None))
    total = sum_of(items)
    for before, after in product(first, last):
        if before + total == after:
            return Balances(before, after, fit=True)
    return Balances(first[0], last[0], fit=False)


def warning_of(items: Sequence[LineItem], balances: Balances, chained: bool | None) -> str | None:
    """A sentence about a statement that does not add up; `chained`: whether the rows' balances follow each other."""
    if balances.fit is False:
        return (
            f"The statement does not add up as read: opening balance {balances.opening} + transactions "
            f"{sum_of(items)} is not the closing balance {balances.closing}."
        )
    if chained is False and balances.fit is None:
        return "The statement does not add up as read: balances of its rows do not follow from their amounts."
    return None


def weighed(fields: Mapping[str, Field], balances: Balances) -> dict[str, Field]:
    """The fields with the balances surer if they add up, and marked if they do not."""
    found = dict(fields)
    for name in _NAMES:
        field = found.get(name)
        if field is None or field.value is None or balances.fit is None:
            continue
        if not balances.fit:
            found[name] = _doubted(field, "sum_mismatch", _LESS)
        elif decimal_of(field) == getattr(balances, name):
            found[name] = structs.replace(field, confidence=round(min(field.confidence + _SURER, _MOST), 3))
        else:
            found[name] = _doubted(field, "contradiction", _OTHER)
    return found


def _doubted(field: Field, check: str, factor: float) -> Field:
    checks = tuple(dict.fromkeys([*field.checks, check]))
    return structs.replace(field, checks=checks, confidence=round(field.confidence * factor, 3))
