"""What the tokens of a date say: readings checked against the calendar, and what else they may mean."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_ERAS = {
    "令和": (2018, date(2019, 5, 1), date(2099, 12, 31)),
    "平成": (1988, date(1989, 1, 8), date(2019, 4, 30)),
    "昭和": (1925, date(1926, 12, 25), date(1989, 1, 7)),
    "大正": (1911, date(1912, 7, 30), date(1926, 12, 24)),
}
"""The year before the first one, the first and the last day."""
_ERA_LETTERS = {"R": "令和", "H": "平成", "S": "昭和", "T": "大正"}
_REPUBLIC = (1911, date(1912, 1, 1), date(2099, 12, 31))
"""Years of the Republic of China (民國)."""

_STREET = re.compile(
    r"(?:(?:JALAN|JLN|LOT|LORONG|UNIT|NO)[ .:]{0,2}[A-Z0-9]{0,6} ?|SORT ?CODE[ .:]{0,3})\Z",
    re.ASCII | re.IGNORECASE,
)
"""What is before the number of a house or the sort code of a British bank."""
_NUMBERED = re.compile(
    r"(?:(?<![a-z])(?:v|ver|version|rev|release|build|firmware|sec|section|clause|chapter|abschnitt|kapitel|ip)|§)"
    r"[ .:]{0,2}\Z",
    re.IGNORECASE,
)

_UNIT = re.compile(r" ?(?:[mc]?m|k?g|m?l|pcs|x)(?![A-Za-z])|[%\"]")
_DATED = re.compile(
    r"(?<![A-Za-z])(?:am|vom|den|ab|seit|bis|zum|le|du|au|il|dal?|op|\w*dat(?:um|e|a))[ :.]{1,3}\Z",
    re.IGNORECASE,
)
"""Words before a date, in languages that write it with full stops or without zeros."""


class Day(NamedTuple):
    """A day of the calendar, or a month without one."""

    year: int
    month: int
    day: int | None = None

    @property
    def iso(self) -> str:
        """`YYYY-MM-DD`, or `YYYY-MM`."""
        month = f"{self.year:04}-{self.month:02}"
        return month if self.day is None else f"{month}-{self.day:02}"


class Reading(NamedTuple):
    """A valid date. `other`: the other day that it may mean. `order`: of its numbers, `name` with a named month."""

    day: Day
    confidence: float
    order: str
    separator: str = ""
    other: Day | None = None

    def settled(self, *, swap: bool) -> Reading:
        """The reading as other dates of the page decide it, if it was day first and undecided."""
        if self.other is None or self.order != "dmy":
            return self
        day, order = (self.other, "mdy") if swap else (self.day, "dmy")
        return self._replace(day=day, order=order, other=None, confidence=self.confidence + 0.25)


def valid(year: int, month: int, day: int | None) -> Day | None:
    """The day, if the calendar has it and its year is between 1900 and 2099."""
    if not 1900 <= year <= 2099 or not 1 <= month <= 12:
        return None
    if day is not None:
        try:
            date(year, month, day)
        except ValueError:
            return None
    return Day(year, month, day)


def full_year(digits: str) -> int:
    """The year of two or four digits: 00 to 49 are 20xx, 50 to 99 are 19xx."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < 50 else 1900)


def era_day(era: str, year: str, month: int, day: int | None) -> Day | None:
    """A day in a year of an era (令和, R, 民國), if it is within that era."""
    before, first, last = _ERAS.get(_ERA_LETTERS.get(era, era), _REPUBLIC)
    found = valid(before + (1 if year == "元" else int(year)), month, day)
    if found is None or year in ("0", "00"):
        return None
    month_only = found.day is None
    start, end = (first.replace(day=1), last) if month_only else (first, last)
    return found if start <= date(found.year, found.month, found.day or 1) <= end else None


def numeric(first: str, second: str, year: str, separator: str, order: str | None) -> Reading | None:
    """Read three numbers with the year last by the order of the page; undecided, day first is likelier."""
    short = len(year) == 2
    day_first = valid(full_year(year), int(second), int(first))
    month_first = valid(full_year(year), int(first), int(second))
    if short and separator == "." and order != "mdy":
        month_first = (
            None  # 1.12.18 may be a section number; months first are written with dots in US papers only
        )
    one, two = (month_first, day_first) if order == "mdy" else (day_first, month_first)
    year_first = None
    if short and separator == "-" and order is None and not (one and two):
        year_first = valid(full_year(first), int(second), int(year))  # 24-04-03
    if year_first and year_first != (one or two):
        day, other, confidence = one or two, year_first, 0.65
    elif one is None or two is None or one == two:
        day, other, confidence = one or two, None, 0.95
    elif separator == "." and order is None:
        day, other, confidence = one, None, 0.9
    elif order in ("dmy", "mdy"):
        day, other, confidence = one, None, 0.93
    else:
        day, other, confidence = one, two, 0.6
    if day is None:
        return None
    return Reading(
        day,
        confidence - (0.1 if short else 0.0),
        "mdy" if day == month_first != day_first else "dmy",
        separator,
        other,
    )


def year_first_short(first: str, second: str, third: str, separator: str) -> Reading | None:
    """Read 10-08-06 as 2010-08-06, as on Chinese pages; `None` if the last number is a year of four digits."""
    day = valid(full_year(first), int(second), int(third)) if len(third) == 2 else None
    if day is None:
        return None
    other = valid(full_year(third), int(second), int(first))
    return Reading(day, 0.75, "ymd", separator, None if other == day else other)


def is_no_date(before: str, numbers: str, year: str, behind: str) -> bool:
    """Whether three numbers are something else: an address (`LOT 5/6/17`), a section (1.2.18), a version, a size (mm).

    `before` and `behind`: the text next to them. `numbers`: day and month with their separator.
    """
    dotted = "." in numbers
    if dotted and _NUMBERED.search(before):
        return True
    if len(year) > 2:
        return False
    if _STREET.search(before) or _UNIT.match(behind):
        return True
    return dotted and len(numbers) < 5 and not _DATED.search(before)
