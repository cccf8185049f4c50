"""The end of a range that leaves out what its other end says: `July 1 - July 31, 2014`, `2014年5月1日至31日`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pipeline.ner.patterns.date_readings import Day, Reading, valid
from pipeline.ner.patterns.date_tokens import Tokens


class Found(NamedTuple):
    """A date over the tokens from `start` to before `end`."""

    start: int
    end: int
    reading: Reading


_TO = r"[ _]?[-~r][ _]?"
_BETWEEN = re.compile(_TO.encode())
_START = r"(?<![nYxX])(?<![nYxX][-/.])"
_FIRST = re.compile(
    (
        rf"(?P<part>{_START}(?P<d>n)o?\.?[ _]?(?:c )?[-/.]?(?P<m>M)"  # 1 Apr - 30 Jun 2019
        r"|(?P<m2>M)\.? ?(?P<d2>n)(?=o?,?)"  # July 1 - July 31, 2014; May 1 to 31, 2014
        rf"|{_START}(?P<a>n)(?P<s>[-/.])(?P<b>n)"  # 01.04.-30.06.2019
        rf"|{_START}(?P<d3>n)"  # 1-31 May 2014
        rf"|(?P<m4>M))o?,?\.?{_TO}(?=B)"  # May - July 2014
    ).encode()
)
_LAST = re.compile(
    (
        rf"(?<=[BI])(?P<to>{_TO})(?P<part>(?P<m>n)[ _]?m(?:[ _]?(?P<d>n)[ _]?d)?"  # 至6月30日, 至6月
        r"|(?P<d2>n)[ _]?d"  # 至31日
        r"|(?P<m3>n)(?P<s>[-/.])(?P<d3>n)(?![nYxX]|[-/.][nYxX]))"  # 2014/05/01 - 05/31
    ).encode()
)


def settled(tokens: Tokens, dates: Sequence[Found]) -> list[Found]:
    """Dates with two readings, read as the page tells.

    By the same day elsewhere (06/10/2019 and 10 June 2019), and by ranges: the last day is not before the first.
    """
    sure = {
        one.reading.day for one in dates if one.reading.order in ("name", "ymd") and not one.reading.other
    }
    unsure = sorted(date for date in dates if date.reading.other and date.reading.order == "dmy")
    as_read = any(date.reading.day in sure for date in unsure)
    otherwise = any(date.reading.other in sure for date in unsure)
    for first, last in pairwise(unsure):
        if _BETWEEN.fullmatch(tokens.signature, first.end, last.start):
            forward = _forward(first.reading.day, last.reading.day)
            if forward != _forward(first.reading.other, last.reading.other):
                as_read, otherwise = as_read or forward, otherwise or not forward
    if as_read == otherwise:
        return list(dates)
    return [date._replace(reading=date.reading.settled(swap=otherwise)) for date in dates]


def _forward(first: Day | None, last: Day | None) -> bool:
    return bool(first and last and first.iso <= last.iso)


def ranges(tokens: Tokens, dates: Sequence[Found]) -> Iterator[Found]:
    """Yield the incomplete ends of ranges; `dates` are the complete ones, marked in the signature of `tokens`."""
    if not dates:
        return
    by_start, by_end = {date.start: date for date in dates}, {date.end: date for date in dates}
    for pattern, ends, read in ((_FIRST, by_start, _first), (_LAST, by_end, _last)):
        for match in pattern.finditer(tokens.signature):
            known = ends.get(match.end() if pattern is _FIRST else match.start())
            reading = read(tokens, match, known.reading) if known else None
            if reading:
                yield Found(*match.span("part"), reading)


def _first(tokens: Tokens, match: re.Match[bytes], last: Reading) -> Reading | None:
    if match["a"]:
        return _numeric_first(tokens, match, last)
    month_token = max(match.start("m"), match.start("m2"), match.start("m4"))
    day_token = max(match.start("d"), match.start("d2"), match.start("d3"))
    if match["d3"] and last.order != "name" and tokens.signature[match.end("d3")] != ord("."):
        return None  # 5-31/05/2014 may be anything
    month = last.day.month if month_token < 0 else tokens.month(month_token).number
    return _before(last, month, None if day_token < 0 else tokens.number(day_token))


def _numeric_first(tokens: Tokens, match: re.Match[bytes], last: Reading) -> Reading | None:
    if tokens.text(match.start("s")) != last.separator:
        return None
    first, second = tokens.number(match.start("a")), tokens.number(match.start("b"))
    day_first, month_first = _before(last, second, first), _before(last, first, second)
    if last.other is None:
        return {"dmy": day_first, "mdy": month_first}.get(last.order)
    other = _before(last._replace(day=last.other), first, second)
    return day_first._replace(other=other.day if other else None) if day_first else None


def _before(last: Reading, month: int, day: int | None) -> Reading | None:
    """The first day of a range: in the year of its last one, or in the year before."""
    end = last.day
    if (day is None) != (end.day is None):
        return None
    found = valid(end.year - (month > end.month), month, day)
    return _derived(last, found) if found and found.iso < end.iso else None


def _last(tokens: Tokens, match: re.Match[bytes], first: Reading) -> Reading | None:
    """The last day of a range: in the year of its first one, or in the year after."""
    start = first.day
    month_token = max(match.start("m"), match.start("m3"))
    day_token = max(match.start("d"), match.start("d2"), match.start("d3"))
    if match["s"] and (first.separator != match["s"].decode() or match["to"] == match["s"]):
        return None
    if first.order != "ymd" or (day_token < 0) != (start.day is None):
        return None
    month = start.month if month_token < 0 else tokens.number(month_token)
    day = None if day_token < 0 else tokens.number(day_token)
    found = valid(start.year + (month < start.month), month, day)
    return _derived(first, found) if found and found.iso > start.iso else None


def _derived(known: Reading, found: Day) -> Reading:
    return Reading(found, known.confidence - 0.05, known.order, known.separator)
