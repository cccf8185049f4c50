"""English numbers in words: `five thousand`, `thirteen`, `half million`."""

from __future__ import annotations

import re
from decimal import Decimal

_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: Decimal(n) for n, word in enumerate(f"{_ONES} eighteen nineteen".split(), 1)}
_NUMBERS |= {word: Decimal(n * 10) for n, word in enumerate(_TENS.split(), 2)}
_NUMBERS |= {"half": Decimal("0.5"), "quarter": Decimal("0.25")}
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
FIRST = frozenset(_NUMBERS)
"""Words that such a number begins with."""
_WORD = "|".join(sorted([*_NUMBERS, *_SCALES], key=len, reverse=True))
_RUN = re.compile(rf"(?:{_WORD})(?![a-z])(?:(?: and | a |[ -])(?:{_WORD})(?![a-z])){{0,20}}", re.IGNORECASE)
_ANY = re.compile(_WORD, re.IGNORECASE)


def spelled_at(page: str, start: int) -> tuple[int, str] | None:
    """Where the number in words that begins at `start` ends, and its value."""
    match = _RUN.match(page, start)
    if match is None:
        return None
    total = part = Decimal(0)
    for word in map(str.lower, _ANY.findall(match[0])):
        if word in _NUMBERS:
            part += _NUMBERS[word]
        elif word == "hundred":
            part = (part or Decimal(1)) * 100
        else:
            total, part = total + (part or Decimal(1)) * _SCALES[word], Decimal(0)
    value = total + part
    return match.end(), f"{value.quantize(Decimal(1)) if value == value.to_integral_value() else value:f}"
