"""Whether the value that a page shows and the value that data states are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from pipeline.fields.values import is_amount

CODES = ("number", "code", "order_number", "seller_tax_id", "buyer_tax_id", "iban", "bic", "currency")
ADDRESSES = ("seller_address", "buyer_address")
_WORDS = re.compile(r"[^\W_]+")


def agree(name: str, stated: str, shown: str, *, unsigned: bool = False) -> bool | None:
    """Whether two values of a field are the same; `None` where they are neither clearly the same nor clearly not.

    `unsigned`: amounts may differ in their sign, as on credit notes.
    """
    if is_amount(name):
        return _amounts(stated, shown, unsigned)
    if name.endswith("date"):
        return stated == shown
    if name in CODES:
        return _codes(name, stated, shown)
    ours, theirs = _words(stated), _words(shown)
    if ours == theirs or "".join(ours) == "".join(theirs):
        return True
    if name in ADDRESSES and set(ours) <= set(theirs):
        return True
    return None if _similar(ours, theirs) else False


def _amounts(stated: str, shown: str, unsigned: bool) -> bool | None:
    try:
        one, other = Decimal(stated), Decimal(shown)
    except InvalidOperation:
        return None
    return abs(one) == abs(other) if unsigned else one == other


def _codes(name: str, stated: str, shown: str) -> bool | None:
    one, other = (letters(value) for value in (stated, shown))
    if name == "bic":  # the main office may be written out
        one, other = (value.removesuffix("xxx") if len(value) == 11 else value for value in (one, other))
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return None if short and short in long else False  # with a prefix, or cut off


def letters(text: str) -> str:
    """The letters and digits of a text, case folded."""
    return "".join(_words(text))


def _words(text: str) -> list[str]:
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())


def _similar(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether names have a word in common, or one is part of the other where words are not separated."""
    short, long = sorted(("".join(one), "".join(other)), key=len)
    return bool(short) and (short in long or not set(one).isdisjoint(other))
