"""What the rows of a table add up to: it raises the confidence of each of them, or lowers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

from pipeline.models import Field, LineItem

_NAMES = ("net", "subtotal", "total", "due")
_ROUNDING = Decimal("0.005")


def sum_of(items: Iterable[LineItem]) -> Decimal:
    """The sum of the amounts."""
    return sum((Decimal(item.amount) for item in items if item.amount is not None), Decimal(0))


def known_sums(fields: Iterable[Field], printed: Iterable[Decimal]) -> frozenset[Decimal]:
    """The sums that the rows may add up to: those of the record, and those labelled below the rows."""
    found = {value for field in fields if field.name in _NAMES and (value := decimal_of(field)) is not None}
    return frozenset(found | set(printed))


def adds_up(items: Sequence[LineItem], sums: Iterable[Decimal]) -> bool | None:
    """Whether the amounts add up to one of the sums; `None` without sums or amounts."""
    known = list(sums)
    if not known or not items or not any(item.amount for item in items):
        return None
    total = sum_of(items)
    return any(abs(abs(total) - abs(one)) <= _ROUNDING for one in known)


def decimal_of(field: Field) -> Decimal | None:
    """The value of a field as a number; `None` where it is none."""
    try:
        number = Decimal(field.value or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
