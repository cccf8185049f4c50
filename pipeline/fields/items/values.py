"""Numbers and units in the cells of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from pipeline.fields.items.words import CURRENCY
from pipeline.ner.locale.numbers import read_number

_PARTS = re.compile(
    rf"(?P<open>\( ?)?(?P<sign>[-+] ?)?(?P<before>{CURRENCY} ?)?(?P<inner>[-+] ?)?(?P<number>[0-9.,'’ ]*[0-9])"
    rf"(?P<close> ?\))?(?P<behind>-)?(?: ?(?P<after>%|{CURRENCY}|CR|DR)\.?)?",
    re.IGNORECASE,
)
_BARE = re.compile("[0-9][0-9.,]*(?<=[0-9])")
_ROUND = re.compile(r"(?<=[0-9])[.,]-{1,2}")
"""Instead of cents, as in 12.-"""
_CENTS = re.compile(r"[0-9]([.,])[0-9]{2}(?![0-9])")
_DIGITS, _WHOLE = 20, 12
"""Maximum number of digits, and of those before the decimal sign: a longer number is something else."""


class Number(NamedTuple):
    """A figure as a number; `letters`: `CR` or `DR` behind it, `%` where it is a rate."""

    value: Decimal
    mark: str


def decimal_sign(texts: Iterable[str], usual: str | None) -> str | None:
    """The decimal sign of a table: of most of its figures with two decimals, else the page's."""
    seen: Counter[str] = Counter(sign for text in texts for sign in _CENTS.findall(text)[-1:])
    best = seen.most_common(2)
    if best and (len(best) == 1 or best[0][1] > 2 * best[1][1]):
        return best[0][0]
    return usual


def number_of(text: str, decimal: str | None) -> Number | None:
    """Read a figure; `None` if it is no well-formed number. Brackets and a minus make it negative."""
    printed = _ROUND.sub("", text.rstrip(" .,;:*"))
    if _BARE.fullmatch(printed):  # most figures
        value = _value(printed, decimal)
        return None if value is None else Number(value, "")
    match = _PARTS.fullmatch(printed)
    if match is None:
        return None
    value = _value(match["number"], decimal)
    if value is None:
        return None
    minus = any("-" in (match[name] or "") for name in ("sign", "inner", "behind"))
    bracketed = bool(match["open"] and match["close"])
    mark = (match["after"] or "").upper()
    return Number(-value if minus or bracketed else value, mark if mark in ("CR", "DR", "%") else "")


def _value(digits: str, decimal: str | None) -> Decimal | None:
    bare = digits.replace(" ", "")
    if sum(c.isdigit() for c in bare) > _DIGITS:
        return None
    reading = read_number(bare if bare[0].isdigit() else f"0{bare}", decimal)
    if reading is None or len(reading.value.partition(".")[0]) > _WHOLE:
        return None
    return Decimal(reading.value)


def plain_decimal(value: Decimal | None) -> str | None:
    """As the record shows it: without exponent."""
    return None if value is None else f"{value:f}"
