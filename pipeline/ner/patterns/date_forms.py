"""The forms of dates: patterns over the letters of tokens (`date_tokens`), each with its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pipeline.ner.patterns.date_readings import (
    Reading,
    era_day,
    full_year,
    is_no_date,
    numeric,
    valid,
    year_first_short,
)
from pipeline.ner.patterns.date_tokens import Tokens


class Context(NamedTuple):
    """A page's tokens and locale."""

    tokens: Tokens
    order: str | None
    languages: tuple[str, ...]


_Numbers = Mapping[str, int]
"""Tokens of a form by their name in its pattern; -1: not there."""


def _chinese(context: Context, at: _Numbers) -> Reading | None:
    text, number = context.tokens.text, context.tokens.number
    month, day = number(at["m"]), number(at["d"]) if at["d"] >= 0 else None
    year = text(at["y"])
    if len(year) > 4:
        return None
    if at["e"] >= 0:
        found_day = era_day(text(at["e"]), year, month, day)
    elif len(year) == 3:  # 103年5月7日: years of three digits are those of the Republic
        found_day = era_day("民國", year, month, day)
    elif len(year) == 1 or (len(year) == 2 and day is None):
        return None
    else:
        found_day = valid(full_year(year), month, day)
    if found_day is None:
        return None
    confidence = 0.9 if day is None else 0.85 if len(year) < 4 and at["e"] < 0 else 0.99
    return Reading(found_day, confidence, "ymd", "年")


def _era(context: Context, at: _Numbers) -> Reading | None:
    tokens = context.tokens
    month, day = tokens.number(at["m"]), tokens.number(at["d"])
    found_day = era_day(tokens.text(at["e"]), tokens.text(at["y"]), month, day)
    return Reading(found_day, 0.85, "ymd", tokens.text(at["s"])) if found_day else None


def _year_first(confidence: float) -> Callable[[Context, _Numbers], Reading | None]:
    def read(context: Context, at: _Numbers) -> Reading | None:
        number = context.tokens.number
        day = valid(number(at["y"]), number(at["m"]), number(at["d"]))
        return Reading(day, confidence, "ymd", context.tokens.text(at["s"])) if day else None

    return read


def _compact(confidence: float) -> Callable[[Context, _Numbers], Reading | None]:
    def read(context: Context, at: _Numbers) -> Reading | None:
        digits = context.tokens.text(at["date"])
        day = valid(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return Reading(day, confidence, "ymd") if day else None

    return read


def _numeric(context: Context, at: _Numbers) -> Reading | None:
    text = context.tokens.text
    first, second, year, separator = text(at["a"]), text(at["b"]), text(at["y"]), text(at["s"])
    if len(year) == 1:
        return None
    start, end = context.tokens.span(at["a"], at["y"] + 1)
    before = context.tokens.clean[max(0, start - 20) : start]
    if is_no_date(before, first + separator + second, year, context.tokens.clean[end : end + 4]):
        return None
    year_first = year_first_short(first, second, year, separator) if context.order == "ymd" else None
    return year_first or numeric(first, second, year, separator, context.order)


def _named(context: Context, at: _Numbers) -> Reading | None:
    month, year = context.tokens.month(at["m"]), context.tokens.text(at["y"])
    token = at.get("d", -1)
    known = month.common or not month.languages.isdisjoint(context.languages)
    if len(year) == 1 or (not known and (token < 0 or len(year) == 2)):
        return None
    day = valid(full_year(year), month.number, None if token < 0 else context.tokens.number(token))
    if day is None:
        return None
    confidence = 0.97 if len(year) == 4 else 0.9
    return Reading(day, 0.85 if token < 0 else confidence, "name")


def _month_only(context: Context, at: _Numbers) -> Reading | None:
    if len(context.tokens.text(at["m"])) != 2:
        return None
    day = valid(context.tokens.number(at["y"]), context.tokens.number(at["m"]), None)
    return Reading(day, 0.85, "ymd", context.tokens.text(at["s"])) if day else None


def _days_of_month(context: Context, at: _Numbers) -> Reading | None:
    """`May 1-31, 2014`: the last day; `date_ranges` reads the first."""
    first, last = context.tokens.number(at["f"]), context.tokens.number(at["d"])
    return _named(context, at) if 0 < first < last else None


class Form(NamedTuple):
    """A form and its reader, which returns `None` for what is no date."""

    needed: bytes  # a letter without which the page has no date of this form
    pattern: re.Pattern[bytes]
    read: Callable[[Context, _Numbers], Reading | None]


def _form(needed: str, pattern: str, read: Callable[[Context, _Numbers], Reading | None]) -> Form:
    return Form(needed.encode(), re.compile(pattern.encode()), read)


# What precedes and follows no date: it is part of a longer number (2018-03-12-0042, 192.168.10.18).
_START = "(?<![nYxX])(?<![nYxX][-/.])"
_START_OF_END = f"(?:{_START}|(?<=n[/.]n-))"  # 01/05-31/05/2014
_END = "(?![nYxX])(?![-/.][nYxX](?![-/.:nYxX]))"
_LABEL = "k[-_ :.,~/hz']{0,4}"

FORMS = (
    _form(  # 2023年8月26日, 令和6年5月7日, 民國103年5月7日, with the blanks OCR leaves
        "y",
        r"(?<![nYxX])(?P<date>(?:(?P<e>e)[ _]?|(?<!e)(?<!e[ _]))(?P<y>[Ynxg])[ _]?y[ _]?(?P<m>n)[ _]?m"
        r"(?:[ _]?(?P<d>n)(?:[ _]?d|(?![nYxX]|[ _]?[hymke])))?)",
        _chinese,
    ),
    _form("e", rf"(?P<date>(?P<e>e) ?(?P<y>[ng])(?P<s>[-/.])(?P<m>n)(?P=s)(?P<d>n)){_END}", _era),  # R6.5.7
    _form(  # 2023-08-26, 2023/8/26, 2023.08.26, 2018-03-12T10:22; "~" is how "-" is often misread
        "Y",
        rf"{_START}(?P<date>(?P<y>Y) ?(?P<s>[-/.~]) ?(?P<m>n) ?(?P=s) ?(?P<d>n)){_END}",
        _year_first(0.97),
    ),
    _form(  # 25/12/2018, 25-12-2018, 25 . 12 . 2018
        "Y",
        rf"{_START_OF_END}(?P<date>(?P<a>n) ?(?P<s>[-/.~]) ?(?P<b>n) ?(?:(?P=s)|~) ?(?P<y>Y)){_END}",
        _numeric,
    ),
    _form(  # 25/12/18, but not XC12-08-17 or 12-08-17A
        "n",
        rf"(?<![acorwM]){_START_OF_END}(?P<date>(?P<a>n)(?P<s>[-/.~])(?P<b>n)(?:(?P=s)|~)(?P<y>n)){_END}(?![acor])",
        _numeric,
    ),
    # 20230826 only next to a label or before a time: any eight digits may look like a date
    _form("X", rf"{_LABEL}(?P<date>X)", _compact(0.9)),
    _form("X", r"(?<![nYxXaworcMk])(?P<date>X)(?= ?t|a[nYxX])", _compact(0.85)),
    _form("M", rf"(?P<date>(?P<m>M)\.? ?(?P<d>n)(?: ?o)? ?'(?P<y>[nY])){_END}", _named),  # Jul19'14
    _form(  # 12 Mar 2018, 12/Mar/2018, 12MAR2018, 12. März 2018, 5 de mayo de 2020, 12th of March, 2018
        "M",
        r"(?<![nYxX])(?<![nYxX][/.])(?<![YxX]-)"
        rf"(?P<date>(?P<d>n)(?: ?o)? ?(?:c |[-/.,~] ?)?(?P<m>M)\.? ?(?:c |[-/.,'~] ?)?(?P<y>Y)){_END}",
        _named,
    ),
    _form(  # 12-MAR-18, 12 Mar 18, 12MAR18: equal signs, or "1 - July 31" would be one
        "M",
        r"(?<![nYxX])(?<![nYxX][/.])(?<![YxX]-)(?P<date>(?P<d>n)(?: ?o)?(?P<s> ?[-/.~] ?| |)(?P<m>M)\.?"
        rf"(?:(?P=s)|~| ?'|, ?)(?P<y>n)){_END}(?! ?,? ?Y)(?! ?[-~]? ?M)",
        _named,
    ),
    _form(  # March 12, 2018, Mar/12/2018, ThuAug09,2012, Aug092012
        "M",
        rf"(?P<date>(?P<m>M)\.? ?[-/.]? ?(?P<d>n)(?: ?o)?(?: ?[-/,.] ?| (?:c )?|)(?P<y>Y)){_END}",
        _named,
    ),
    _form(  # Aug/09/12
        "M", rf"(?P<date>(?P<m>M)(?P<s>[-/.])(?P<d>n)(?P=s)(?P<y>n)){_END}(?![acor])", _named
    ),
    _form(  # Aug 09,12 before a time or at the end of a row: "May 5, 14 and 20" are days
        "M", r"(?P<date>(?P<m>M)\.? ?(?P<d>n), ?(?P<y>n))(?= ?[tN]| ?[-@] ?t)", _named
    ),
    _form(
        "M",
        rf"(?P<m>M)\.? ?(?P<f>n)o?[ _]?[-~r][ _]?(?P<date>(?P<d>n)(?: ?o)?(?: ?, ?| )(?P<y>Y)){_END}",
        _days_of_month,
    ),
    _form("M", rf"{_START}(?P<date>(?P<y>Y)[-/. ]?(?P<m>M)[-/. ]?(?P<d>n)){_END}", _named),  # 2018-Mar-12
    _form("M", rf"{_START}(?P<date>(?P<y>Y)(?P<s>[-/])(?P<d>n)(?P=s)(?P<m>M))", _named),
    _form("M", rf"{_START}(?P<date>(?P<d>n)(?P<s>[-/])(?P<y>Y)(?P=s)(?P<m>M))", _named),
    _form("M", rf"(?P<date>(?P<m>M)(?P<s>[-/])(?P<y>Y)(?P=s)(?P<d>n)){_END}", _named),
    _form(  # March 2018, Mai 2014, mayo de 2020; after a number it is the rest of an invalid date, such as 32 Mar 2018
        "M",
        rf"(?<![nYxX])(?<![nYxX][ ./-])(?<![nYxX]o )(?P<date>(?P<m>M)\.? ?(?:[-/,'] ?|c )?(?P<y>Y)){_END}",
        _named,
    ),
    # "Date 25 12 2018", "日期 2023 08 26": the separators are lost or preprinted in another colour
    _form("k", rf"{_LABEL}(?P<date>(?P<a>n)(?P<s> )(?P<b>n) (?P<y>Y))(?![nYxX])", _numeric),
    _form("k", rf"{_LABEL}(?P<date>(?P<y>Y)(?P<s> )(?P<m>n) (?P<d>n))(?![nYxX])", _year_first(0.85)),
    _form("k", rf"{_LABEL}(?P<date>(?P<y>Y)(?P<s>[-/.])(?P<m>n))(?![nYxX]|[-/.][nYxX])", _month_only),
)
