"""The decimal sign and the grouping of the numbers of a page, and numbers read by them."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

NUMBER = r"[0-9]+(?:[.,'’][0-9]+)*"
"""Digits with the marks between them, without spaces."""
_LONE = re.compile(
    rf"(?=[0-9])(?<![0-9A-Za-z.,'’/:])(?<![0-9A-Za-z]-){NUMBER}(?![0-9A-Za-z/:]|[.,'’-][0-9])", re.ASCII
)
_SPACED = re.compile(
    r"(?=[0-9])(?<![0-9.,'’])[0-9]{1,3}(?: [0-9]{3}){0,3} ([0-9]{3}([.,])[0-9]{2})(?![0-9]|[.,'’][0-9])",
    re.ASCII,
)
_MARK = re.compile("[^0-9]")
_REPEATED = 2
_EVIDENT = 3
"""How many times as many numbers must speak for one sign as for the other."""
_COMMA = {
    **dict.fromkeys(
        ("de", "fr", "es", "it", "nl", "pt", "pl", "cs", "sv", "da", "nb", "no", "fi", "ru", "tr"), ","
    ),
    **dict.fromkeys(
        ("DE", "AT", "FR", "ES", "IT", "NL", "BE", "LU", "PT", "PL", "CZ", "DK", "SE", "NO", "FI"), ","
    ),
    **dict.fromkeys(("RU", "TR", "HU", "RO", "BG", "HR", "SI", "SK", "GR", "UA", "ID", "VN", "BR"), ","),
}
_POINT = {
    **dict.fromkeys(("zh", "ja", "ko", "th", "he", "hi"), "."),
    **dict.fromkeys(
        ("US", "GB", "IE", "CN", "HK", "TW", "JP", "KR", "SG", "MY", "AU", "NZ", "IN", "PH", "TH"), "."
    ),
    **dict.fromkeys(("IL", "MX", "CH", "LI", "CA", "PK"), "."),
}
_USUAL = _COMMA | _POINT
"""The decimal sign of countries and languages; English is written in too many countries to tell."""


class Reading(NamedTuple):
    """A number as read: a plain decimal string, the other reading of an ambiguous one, whether its form is usual."""

    value: str
    other: str | None = None
    usual: bool = True

    @property
    def decimals(self) -> int:
        """How many decimals are printed."""
        return len(self.value) - self.value.find(".") - 1 if "." in self.value else 0


def number_signs(page: str, languages: tuple[str, ...], country: str | None) -> tuple[str | None, str | None]:
    """The decimal sign and the mark between thousands, each `None` if the page does not tell.

    By the numbers that can be read in one way (`1.234,56`, `0,75`), else by the country, else by the language.
    """
    signs: Counter[str] = Counter()
    marks: dict[str, Counter[str]] = {".": Counter(), ",": Counter()}
    lone = [number for number in _LONE.findall(page) if not number.isdecimal()]
    spaced = list(_SPACED.finditer(page))
    # In "157.40  1 157.40" the 1 is a count.
    alone = Counter(lone if spaced else ())
    for match in spaced:
        signs[match[2]] += 1
        marks[match[2]][" "] += alone[match[1]] < _REPEATED
    for number in lone:
        sign, mark = _evidence(number)
        if sign:
            signs[sign] += 1
        if sign and mark:
            marks[sign][mark] += 1
    if (points := signs["."]) != (commas := signs[","]) and max(points, commas) >= _EVIDENT * min(
        points, commas
    ):
        sign = "." if points > commas else ","
        mark, count = next(iter(marks[sign].most_common(1)), ("", 0))
        return sign, mark if count else None
    return (None if points + commas else _usual(languages, country)), None


def _evidence(number: str) -> tuple[str | None, str | None]:
    """The decimal sign and the mark between thousands that a number shows in itself."""
    marks = _MARK.findall(number)
    if not marks or len(parts := _MARK.split(number)) < 2:
        return None, None
    last, tail = marks[-1].replace("’", "'"), parts[-1]
    if (
        last != "'"
        and len(tail) == 2
        and marks.count(marks[-1]) == 1
        and (len(marks) == 1 or _grouped(parts[:-1]))
    ):
        if number[-3:] == f".{tail}" and len(parts[0]) <= 2 and int(parts[0]) <= 31 and 0 < int(tail) <= 12:
            return None, None  # a day and a month, or a section
        return last, marks[0].replace("’", "'") if len(marks) > 1 else None
    if len(marks) > 1 and len(set(marks)) == 1 and last != "'" and _grouped(parts):
        return "," if last == "." else ".", last
    return None, None


def read_number(digits: str, decimal: str | None = None) -> Reading | None:
    """Read digits with marks between them; `None` if they are no number (a date, a version).

    `decimal`: the sign of the page. `1.234` without one is a whole number whose other reading has three decimals.
    """
    digits = digits.replace("’", "'")
    parts = _MARK.split(digits)
    marks = _MARK.findall(digits)
    if len(marks) == 1 and marks[0] != "'":
        return _one_mark(parts, marks[0], decimal)
    whole, tail = "".join(parts[:-1]), parts[-1]
    if len(set(marks)) < 2:
        return Reading(whole + tail) if not marks or _grouped(parts) else None
    if marks[-1] == "'" or len(set(marks[:-1])) > 1 or not _grouped(parts[:-1]):
        return None
    return Reading(f"{whole}.{tail}", usual=marks[-1] == (decimal or marks[-1]))


def _one_mark(parts: list[str], mark: str, decimal: str | None) -> Reading:
    fraction, thousands = ".".join(parts), "".join(parts)
    if not _grouped(parts):
        return Reading(fraction, usual=mark == (decimal or mark))
    if decimal is None:
        return Reading(thousands, other=fraction)
    return Reading(fraction if mark == decimal else thousands)


def _grouped(parts: list[str]) -> bool:
    """Whether these are thousands: 1 234 567, or 12 34 567 as in India."""
    if not 1 <= len(parts[0]) <= 3 or parts[0][0] == "0":
        return False
    if len(parts) == 1:
        return True
    middle = {len(part) for part in parts[1:-1]}
    return len(parts[-1]) == 3 and (middle <= {3} or (middle == {2} and len(parts[0]) <= 2))


def _usual(languages: tuple[str, ...], country: str | None) -> str | None:
    return _USUAL.get(country or "") or _USUAL.get(next(iter(languages), ""))
