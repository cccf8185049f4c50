"""Which fields have amounts and dates as values, whatever finds them."""

from __future__ import annotations

import re

AMOUNTS = frozenset(
    [
        "net",
        "subtotal",
        "tax",
        "tip",
        "total",
        "due",
        "fare",
        "fuel_surcharge",
        "fund",
        "other_taxes",
        "cash",
        "own",
        "balance",
        "amount",
        "opening",
        "closing",
        "gross",
    ]
)
"""Names of the fields whose value is an amount; also `net_19`, `tax_19` and the like (`is_amount`)."""
DATES = frozenset(
    [
        "date",
        "due_date",
        "delivery_date",
        "travel_date",
        "visit_date",
        "start",
        "end",
        "period_start",
        "period_end",
        "birth_date",
        "valid_from",
        "valid_to",
    ]
)
"""Names of the fields whose value is a date."""
_AMOUNTS_OF = frozenset({("medical_bill", "account")})
"""Names that are amounts in one kind of paper only: elsewhere an account is a number."""


def is_amount(name: str, kind: str = "") -> bool:
    """Whether the value of a field is an amount; `kind`: the type of its document."""
    return (
        name in AMOUNTS
        or (kind, name) in _AMOUNTS_OF
        or re.fullmatch(r"(?:net|tax)_[0-9.]+", name) is not None
    )
