"""A number of a page out of one or several tokens: `1 234,56`, and what OCR makes of 80.90 (`80 .90`, `80. 90`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.models import PageLocale
from pipeline.ner.locale.numbers import Reading, read_number
from pipeline.ner.patterns.money.tokens import Token

_FIRST = re.compile(r"[1-9][0-9]{0,2}")
_GROUP = re.compile(r"[0-9]{3}")
_LAST = re.compile(r"[0-9]{3}(?:[.,][0-9]{2})?")
_CENTS = re.compile(r"[0-9O]{2}")
_WHOLE = re.compile(r"[0-9]{1,6}|[0-9]{1,3}(?:,[0-9]{3}){1,4}")
_ROW_END = re.compile(r" ?(?:\n|\Z)")
_TAX_CODE_AND_ROW_END = re.compile(r"(?: ?\*?[A-Za-z]{1,3})? ?(?:\n|\Z)")
_ROUND = re.compile(r"[.,]-{1,2}(?![0-9A-Za-z-])")
_NARROW = "\u2009\u202f"
_USUAL = {
    **dict.fromkeys(
        ("USD", "GBP", "CNY", "JPY", "HKD", "SGD", "MYR", "INR", "TWD", "KRW", "THB", "AUD"), "."
    ),
    **dict.fromkeys(
        ("IDR", "VND", "BRL", "ARS", "CLP", "COP", "PLN", "CZK", "HUF", "SEK", "NOK", "DKK"), ","
    ),
}
"""The decimal sign of a currency, for pages that do not tell."""
_MOST_GROUPS = 5
_THOUSANDS = 3
_MOST_DIGITS = 16


class Number(NamedTuple):
    """A number at `start:end`, its reading, and the index of the first token behind it."""

    start: int
    end: int
    reading: Reading
    after: int
    damaged: bool = False

    @property
    def cents(self) -> bool:
        """Whether it is printed with two decimals."""
        return self.reading.decimals == 2


@dataclass(frozen=True, slots=True)
class Source:
    """A page as given and as the patterns see it, its tokens and its locale."""

    text: str
    page: str
    tokens: Sequence[Token]
    locale: PageLocale

    def gap(self, index: int) -> str | None:
        """The text between the token at `index` and the one before it; `None` if there is none, or it is long."""
        if not 0 < index < len(self.tokens):
            return None
        start, end = self.tokens[index - 1][1], self.tokens[index][0]
        return self.page[start:end] if end - start < 8 else None

    def printed(self, index: int) -> str:
        """What the token says."""
        return self.page[self.tokens[index].start : self.tokens[index].end]


def number_at(source: Source, index: int, code: str | None, *, signed: bool) -> Number | None:
    """The number that begins with the token at `index`; `signed`: a currency (`code`) is directly in front of it."""
    token = source.tokens[index]
    if token.spelled:
        return Number(token.start, token.end, Reading(token.spelled), index + 1)
    for after, digits, damaged in _forms(source, index, signed):
        reading = _read(digits, source, code)
        if reading is not None and len(reading.value) <= _MOST_DIGITS:
            end = source.tokens[after - 1].end
            if whole := _ROUND.match(source.page, end) if not reading.decimals else None:
                end = whole.end()
            return Number(token.start, end, reading, after, damaged)
    return None


def _forms(source: Source, index: int, signed: bool) -> list[tuple[int, str, bool]]:
    """Ways to read the tokens from `index` on as one number, the longest first: next token, digits, damaged or not."""
    digits = source.printed(index)
    forms = []
    if (groups := _apart(source, index, signed)) is not None:
        forms.append(groups)
    if (cents := _parted_cents(source, index, digits, signed)) is not None:
        forms.append((index + 2, cents, True))
    forms.append((index + 1, digits.replace("O", "0"), "O" in digits))
    return forms


def _apart(source: Source, index: int, signed: bool) -> tuple[int, str, bool] | None:
    """Thousands parted by spaces: `1 234,56`; also `1, 234.50`."""
    digits = source.printed(index)
    if not _FIRST.fullmatch(digits) or (gap := source.gap(index + 1)) not in (" ", ", "):
        return None
    after = index + 1
    while after < len(source.tokens) and after - index < _MOST_GROUPS and source.gap(after) == gap:
        part = source.printed(after)
        if not source.tokens[after].number or not _LAST.fullmatch(part):
            break
        digits += part
        after += 1
        if not _GROUP.fullmatch(part):
            break
    if after == index + 1 or _ends_inside(source, after):
        return None
    cents = len(digits) > 3 and digits[-3] in ".,"
    if gap == ", ":
        fits = source.locale.decimal != "," and (signed or (cents and digits[-3] == "."))
        return (after, digits, True) if fits else None
    spaces = source.text[source.tokens[index].end : source.tokens[index + 1].start]
    narrow = spaces in _NARROW
    named = after < len(source.tokens) and source.tokens[after].currency is not None
    behind = named and (source.gap(after) or "").lstrip(",.-") in ("", " ")  # 12 345,- Kč
    if narrow or source.locale.grouping == " " or (signed and cents):
        return after, digits, False
    if source.locale.grouping is not None:
        return None
    european = cents and source.locale.decimal == "," and digits[-3] == ","
    return (after, digits, False) if signed or behind or european else None


def _ends_inside(source: Source, after: int) -> bool:
    """Whether letters go on behind the token before `after` that are no currency."""
    end = source.tokens[after - 1].end
    named = after < len(source.tokens) and source.tokens[after].start == end
    return source.page[end : end + 1].isalnum() and not named


def _parted_cents(source: Source, index: int, digits: str, signed: bool) -> str | None:
    """`80 .90`, `80. 90`, and `80 90` at the end of a row behind a currency."""
    gap = source.gap(index + 1)
    if gap not in (" ", ". ") or not source.tokens[index + 1].number or not _WHOLE.fullmatch(digits):
        return None
    cents, end = source.printed(index + 1), source.tokens[index + 1].end
    if gap == " " and cents[0] == ".":
        cents = cents[1:]
    elif gap == " " and not (signed and _ROW_END.match(source.page, end)):
        return None
    if not _CENTS.fullmatch(cents) or not (signed or _TAX_CODE_AND_ROW_END.match(source.page, end)):
        return None
    return f"{digits.replace(',', '')}.{cents.replace('O', '0')}"


def _read(digits: str, source: Source, code: str | None) -> Reading | None:
    decimal = source.locale.decimal or _USUAL.get(code or "")
    if digits[0] == ".":
        return Reading(f"0{digits}")
    reading = read_number(digits, decimal)
    if reading and source.locale.decimal is None and reading.decimals == _THOUSANDS:
        # Only the currency tells that USD 1.234 has three decimals.
        whole = read_number(digits, "," if decimal == "." else ".")
        return reading._replace(other=whole.value) if whole and not whole.decimals else reading
    return reading
