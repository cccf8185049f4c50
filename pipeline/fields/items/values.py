"""Numbers and units in the cells of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from pipeline.fields.items.words import CURRENCY

_PARTS = re.compile(
    rf"(?P<open>\( ?)?(?P<sign>[-+] ?)?(?P<before>{CURRENCY} ?)?(?P<inner>[-+] ?)?(?P<number>[0-9.,'’ ]*[0-9])"
    rf"(?P<close> ?\))?(?P<behind>-)?(?: ?(?P<after>%|{CURRENCY}|CR|DR)\.?)?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:[.,'’ ][0-9]{2,3})*[.,'’ ][0-9]{3}")
_CENTS = re.compile(r"[0-9]([.,])[0-9]{2}(?![0-9])")
_DIGITS = 15
"""Maximum number of digits of an amount: a longer number is something else."""


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
    match = _PARTS.fullmatch(text.strip())
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
    bare = re.sub("[ '’]", "", digits)
    if sum(c.isdigit() for c in bare) > _DIGITS:
        return None
    sign = max(".,", key=bare.rfind)
    other = "," if sign == "." else "."
    whole, _, part = bare.rpartition(sign) if sign in bare else (bare, "", "")
    if other in whole:  # both signs: the last is the decimal sign
        return Decimal(f"{whole.replace(other, '')}.{part}") if _GROUPED.fullmatch(whole) else None
    if sign in whole:  # several of one sign: they group
        return Decimal(bare.replace(sign, "")) if _GROUPED.fullmatch(bare) else None
    groups = len(part) == 3 and 0 < len(whole) <= 3 and whole != "0" and (decimal or ".") != sign
    return Decimal(whole + part) if groups else Decimal(f"{whole or 0}.{part}" if part else whole)


def plain_decimal(value: Decimal | None) -> str | None:
    """As the record shows it: without exponent."""
    return None if value is None else f"{value:f}"
