"""Dates in the cells of a table: often without a year, which the period of the paper tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from pipeline.ner.patterns.date_readings import full_year
from pipeline.ner.patterns.months import months

Order = Literal["dmy", "mdy", "ymd"]
Day = tuple[int | None, int, int]
"""Year, month, day; the year may be missing."""

_NUMERIC = re.compile(r"([0-9]{1,2})[/.\- ]([0-9]{1,2})(?:[/.\- ]([0-9]{4}|[0-9]{2}))?\.?")
_YEAR_FIRST = re.compile(r"((?:19|20)[0-9]{2})[/.\-年]?([0-9]{1,2})[/.\-月]?([0-9]{1,2})日?")
_HAN = re.compile(r"([0-9]{1,2})月([0-9]{1,2})日?")
_NAMED = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th|er|\.)?[ \-/]?(?:de )?([^\W\d_]{3,12})\.?[ ,\-/']*(?:de )?([0-9]{4}|[0-9]{2})?"
)
_NAME_FIRST = re.compile(
    r"([^\W\d_]{3,12})\.?[ \-/]?([0-9]{1,2})(?:st|nd|rd|th)?(?:[ ,\-/']+([0-9]{4}|[0-9]{2}))?"
)


def order_of(texts: Sequence[str], usual: Order | None) -> Order | None:
    """Day or month first in a column of dates, by those that can be read in one way, else `usual`."""
    parts = [(int(m[1]), int(m[2])) for m in map(_NUMERIC.fullmatch, texts) if m]
    day_first = sum(a > 12 >= b for a, b in parts)
    month_first = sum(b > 12 >= a for a, b in parts)
    if day_first != month_first:
        return "dmy" if day_first > month_first else "mdy"
    return usual


def read_day(text: str, order: Order | None) -> Day | None:
    """Year (or `None`), month and day of a cell; `None` where it is no date or can't be decided."""
    text = text.strip(" ,;")
    if match := _YEAR_FIRST.fullmatch(text):
        return _checked(int(match[1]), int(match[2]), int(match[3]))
    if match := _HAN.fullmatch(text):
        return _checked(None, int(match[1]), int(match[2]))
    if match := _NUMERIC.fullmatch(text):
        usual: Order | None = "dmy" if "." in text else None
        return _numeric(int(match[1]), int(match[2]), _year(match[3]), order or usual)
    if match := _NAMED.fullmatch(text):
        return _named(match[3], match[2], match[1])
    match = _NAME_FIRST.fullmatch(text)
    return _named(match[3], match[1], match[2]) if match else None


def _numeric(first: int, second: int, year: int | None, order: Order | None) -> Day | None:
    if first > 12 or second > 12:
        order = "dmy" if first > 12 else "mdy"
    elif order not in ("dmy", "mdy") and first != second:
        return None
    day, month = (second, first) if order == "mdy" else (first, second)
    return _checked(year, month, day)


def is_day(text: str) -> bool:
    """Whether a cell can be read as a date, in one order or the other."""
    return read_day(text, "dmy") is not None or read_day(text, "mdy") is not None


def with_year(day: Day, known: Iterable[date]) -> date | None:
    """The date of a day: in the year in which it is nearest to the `known` dates of the paper."""
    year, month, number = day
    if year is not None:
        return _date(year, month, number)
    known = list(known)
    years = {one.year for one in known}
    candidates = [found for y in sorted(years) if (found := _date(y, month, number)) is not None]
    if not candidates:
        return None
    return min(candidates, key=lambda one: min(abs((one - other).days) for other in known))


def _named(year: str | None, name: str, day: str) -> Day | None:
    month = months().get(name.lower())
    return None if month is None else _checked(_year(year), month.number, int(day))


def _year(text: str | None) -> int | None:
    return None if text is None else full_year(text)


def _checked(year: int | None, month: int, day: int) -> Day | None:
    return (year, month, day) if _date(year or 2000, month, day) else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
