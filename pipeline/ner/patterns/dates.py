"""DATE: Chinese and English dates, checked against the calendar; the value is ISO 8601.

Years run from 1900 to 2099; two-digit years 00-49 are 20xx, the others 19xx. A numeric date with both
numbers below 13 is read day first (Malaysia, Europe, most of the world); month first is tried only
when day first is not a valid date, as in 12/25/2018. With a two-digit year, dates on a Chinese page are
read year first (10-08-06 is 2010-08-06).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found, has_digit, is_chinese, plain

_MONTHS = {
    **{"jan": 1, "januari": 1, "january": 1, "feb": 2, "februari": 2, "february": 2, "mar": 3, "march": 3},
    **{"mac": 3, "apr": 4, "april": 4, "may": 5, "mei": 5, "jun": 6, "june": 6, "jul": 7, "july": 7},
    **{"julai": 7, "aug": 8, "august": 8, "ogos": 8, "ogo": 8, "sep": 9, "sept": 9, "september": 9},
    **{"oct": 10, "october": 10, "okt": 10, "oktober": 10, "nov": 11, "november": 11, "dec": 12},
    **{"december": 12, "dis": 12, "disember": 12},
}
"""English and Malay month names (receipts of Malaysia print both)."""

_HAN = {c: str(i) for i, row in enumerate(["〇零○Oo0", "一壹", "二贰貳", "三叁參"]) for c in row}
_HAN |= {
    c: str(i) for i, row in enumerate(["四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖"], 4) for c in row
}

_YEAR = "(?:19|20)[0-9]{2}"
_MONTH = "(?P<name>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")(?![a-z])\.?"
# OCR may join a time to a date (25/12/201812:33); another number must not follow (2018-03-12-0042).
_END = r"(?:(?![0-9])(?![-/.][0-9]{1,4}(?![-/.:0-9]))|(?=[0-2]?[0-9] ?: ?[0-5][0-9]))"
_YEAR_END = rf"(?P<y>{_YEAR}(?! ?:[0-5][0-9])|[0-9]{{2}}){_END}"
_KEYWORD = r"(?:date[ds]?|tarikh|日期|时间|日 ?期)[^0-9A-Za-z\n]{0,6}"
_NO_NUMBER_BEFORE = r"(?<![0-9])(?<![0-9][-/.])"
_HAN_DIGIT = "[" + "".join(_HAN) + "]"
_HAN_DAY = "[" + "".join(c for c in _HAN if c not in "Oo0") + "十拾廿卅]{1,4}"
_STREET = re.compile(r"(?:JALAN|JLN|LOT|LORONG|UNIT|NO)[ .:]{0,2}[A-Z0-9]{0,6} ?$", re.ASCII | re.IGNORECASE)

_Reading = tuple[str, float] | None


def find_dates(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:  # noqa: ARG001
    """Yield the DATE mentions of `text`, none overlapping another.

    The value is `YYYY-MM-DD`, or `YYYY-MM` without a day. Invalid dates (31/02/2018) are not mentions.
    """
    page = plain(text)
    taken = bytearray(len(page))
    for pattern, read in _FORMS if has_digit(page) else _HAN_FORMS:
        for match in pattern.finditer(page):
            start, end = match.span("date")
            reading = None if any(taken[start:end]) else read(match)
            if reading is not None:
                taken[start:end] = b"\1" * (end - start)
                yield found("DATE", (start, end), reading[1], reading[0])


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat() if 1900 <= year <= 2099 else None
    except ValueError:
        return None


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < 50 else 1900)


def _year_first(confidence: float) -> Callable[[re.Match[str]], _Reading]:
    def read(match: re.Match[str]) -> _Reading:
        value = _iso(int(match["y"]), int(match["m"]), int(match["d"]))
        return (value, confidence) if value else None

    return read


def _month_only(match: re.Match[str]) -> _Reading:
    month = int(match["m"])
    return (f"{match['y']}-{month:02}", 0.85) if 1 <= month <= 12 else None


def _named_month(match: re.Match[str]) -> _Reading:
    month, year = _MONTHS[match["name"].lower()], _full_year(match["y"])
    day = match.groupdict().get("d")
    if day is None:
        return f"{year}-{month:02}", 0.85
    value = _iso(year, month, int(day))
    return (value, 0.97 if len(match["y"]) == 4 else 0.9) if value else None


def _numeric(match: re.Match[str]) -> _Reading:
    first, second = (int(match[name].replace("O", "0")) for name in "ab")
    year = _full_year(match["y"].replace("O", "0"))
    short = len(match["y"]) == 2
    # "LOT 5/6/17" and "1.2.18" are more often addresses and section numbers than dates.
    if short and (_STREET.search(match.string[max(0, match.start() - 20) : match.start()])):
        return None
    dotted = short and match["s"] == "."
    if dotted and len(match["a"]) + len(match["b"]) < 4:
        return None
    year_first = _iso(_full_year(match["a"]), second, int(match["y"])) if short else None
    if year_first and is_chinese(match.string):
        return year_first, 0.75
    day_first = _iso(year, second, first)
    month_first = None if dotted else _iso(year, first, second)
    value = day_first or month_first
    if value is None:
        return None
    confidence = 0.85 if day_first and month_first and first != second else 0.95
    return value, confidence - (0.1 if short else 0.0) - (0.2 if "O" in match[0] else 0.0)


def _han_number(numeral: str) -> int:
    """Read 二〇二三, 二十六, 廿六, 零捌 or 贰拾陆; 0 for anything else."""
    plain_digits = "".join(_HAN.get(c, c) for c in numeral).replace("拾", "十")
    plain_digits = plain_digits.replace("廿", "2十").replace("卅", "3十")
    tens, mark, ones = plain_digits.partition("十")
    parts = (tens.lstrip("0") or "1", ones or "0") if mark else (tens or "0", "0")
    if not all(part.isdecimal() for part in parts):
        return 0
    return int(parts[0]) * 10 + int(parts[1]) if mark else int(parts[0])


def _han(match: re.Match[str]) -> _Reading:
    year, month = _han_number(match["y"]), _han_number(match["m"])
    if match["d"] is None:
        return (f"{year}-{month:02}", 0.9) if 1900 <= year <= 2099 and 1 <= month <= 12 else None
    value = _iso(year, month, _han_number(match["d"]))
    return (value, 0.97) if value else None


def _chinese(match: re.Match[str]) -> _Reading:
    year, month, day = _full_year(match["y"]), int(match["m"]), match["d"]
    if day is None:
        full = len(match["y"]) == 4 and 1 <= month <= 12
        return (f"{year}-{month:02}", 0.9) if full else None
    value = _iso(year, month, int(day))
    return (value, 0.99 if len(match["y"]) == 4 else 0.85) if value else None


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.IGNORECASE)


_Forms = list[tuple[re.Pattern[str], Callable[[re.Match[str]], _Reading]]]
_HAN_FORMS: _Forms = [
    (
        _form(
            rf"(?<!{_HAN_DIGIT})(?P<date>(?P<y>[一二壹贰貳]{_HAN_DIGIT}{{3}}) ?年 ?(?P<m>{_HAN_DAY}) ?月"
            rf"(?: ?(?P<d>{_HAN_DAY}) ?[日号曰])?)"
        ),
        _han,
    ),
]
_FORMS: _Forms = [
    *_HAN_FORMS,
    (  # 2023年8月26日, with the spaces OCR leaves; 曰 is how 日 is often misread
        _form(
            rf"(?<![0-9])(?P<date>(?P<y>{_YEAR}|[0-9]{{2}}) {{0,2}}年 {{0,2}}(?P<m>[0-9]{{1,2}}) {{0,2}}月"
            r"(?: {0,2}(?P<d>[0-9]{1,2})(?:(?: {0,2}[日号曰])|(?![0-9]| {0,2}[\u4e00-\u9fff])))?)"
        ),
        _chinese,
    ),
    (  # 2023-08-26, 2023/8/26, 2023.08.26, 2018-03-12T10:22
        _form(
            rf"{_NO_NUMBER_BEFORE}(?P<date>(?P<y>{_YEAR}) ?(?P<s>[-/.~]) ?(?P<m>[0-9]{{1,2}}) ?(?P=s) ?"
            rf"(?P<d>[0-9]{{1,2}})){_END}"
        ),
        _year_first(0.97),
    ),
    (  # 25/12/2018, 25-12-18, 25.12.2018; "~" is how "-" is often misread
        _form(
            rf"{_NO_NUMBER_BEFORE}(?P<date>(?P<a>[0-9]{{1,2}}) ?(?P<s>[-/.~]) ?(?P<b>[0-9]{{1,2}}) ?"
            rf"(?:(?P=s)|~) ?(?P<y>{_YEAR}(?! ?:[0-5][0-9]))){_END}"
        ),
        _numeric,
    ),
    (
        _form(
            r"(?:(?<![0-9A-Za-z])|(?<=date))(?<![0-9][-/.])(?P<date>(?P<a>[0-9]{1,2})(?P<s>[-/.~])(?P<b>[0-9]{1,2})"
            rf"(?:(?P=s)|~)(?P<y>[0-9]{{2}})){_END}(?![A-Za-z]{{1,2}}(?![A-Za-z]))"
        ),
        _numeric,
    ),
    (  # 12 Mar 2018, 12-MAR-18, 12/Mar/2018, 12MAR2018, 12th of March, 2018
        _form(
            rf"{_NO_NUMBER_BEFORE}(?P<date>(?P<d>[0-3]?[0-9])(?:st|nd|rd|th)? ?(?:of |[-/.,~] ?)?"
            rf"{_MONTH} ?[-/.,'~]? ?{_YEAR_END})"
        ),
        _named_month,
    ),
    (  # March 12, 2018, Mar/12/2018
        _form(
            rf"(?<![a-z])(?P<date>{_MONTH} ?[-/]? ?(?P<d>[0-3]?[0-9])(?:st|nd|rd|th)?(?: ?[-/,.] ?| )"
            rf"(?P<y>{_YEAR})){_END}"
        ),
        _named_month,
    ),
    (
        _form(rf"{_NO_NUMBER_BEFORE}(?P<date>(?P<y>{_YEAR})[-/. ]?{_MONTH}[-/. ]?(?P<d>[0-3]?[0-9])){_END}"),
        _named_month,
    ),
    (  # March 2018; after a number it is the rest of an invalid date, such as 32 Mar 2018
        _form(rf"(?<![a-z])(?<![0-9])(?<![0-9][ ./-])(?P<date>{_MONTH} ?[-/,]? ?(?P<y>{_YEAR})){_END}"),
        _named_month,
    ),
    (  # 20230826 only next to a keyword or before a time: any eight digits may look like a date
        _form(
            rf"{_KEYWORD}(?P<date>(?P<y>{_YEAR})(?P<m>[01][0-9])(?P<d>[0-3][0-9]))(?![0-9]{{1,5}}(?![0-9]))"
        ),
        _year_first(0.9),
    ),
    (
        _form(
            rf"(?<![0-9A-Za-z])(?P<date>(?P<y>{_YEAR})(?P<m>[01][0-9])(?P<d>[0-3][0-9]))"
            r"(?=T[0-9]{4}| ?[0-2][0-9]:[0-5][0-9])"
        ),
        _year_first(0.85),
    ),
    (  # "Date 25 12 2018", "日期 2023 08 26": the separators are lost or preprinted in another colour
        _form(rf"{_KEYWORD}(?P<date>(?P<a>[0-9]{{1,2}})(?P<s> )(?P<b>[0-9]{{1,2}}) (?P<y>{_YEAR}))(?![0-9])"),
        _numeric,
    ),
    (
        _form(rf"{_KEYWORD}(?P<date>(?P<y>{_YEAR}) (?P<m>[0-9]{{1,2}}) (?P<d>[0-9]{{1,2}}))(?![0-9])"),
        _year_first(0.85),
    ),
    (
        _form(
            r"(?:date|month|period|日期|月份|期间|所属期|有效期)[^0-9A-Za-z\n]{0,6}"
            rf"(?P<date>(?P<y>{_YEAR})[-/.](?P<m>[0-9]{{2}}))(?![0-9]|[-/.][0-9])"
        ),
        _month_only,
    ),
    (  # O5/01/2O18: the letter O can only be a zero here
        re.compile(
            r"(?<![0-9A-Za-z])(?P<date>(?P<a>[0-3O][0-9O])(?P<s>[-/.])(?P<b>[01O][0-9O])(?P=s)"
            r"(?P<y>[12][0-9O]{3}))(?![0-9A-Za-z])"
        ),
        _numeric,
    ),
]
