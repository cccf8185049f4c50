"""TIME: valid times of day; the value is HH:MM or HH:MM:SS in 24-hour format."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, has_digit, plain

_MORNING = ("上午", "早上", "凌晨", "清晨", "午前", "오전")
_LATER = ("下午", "晚上", "傍晚", "中午", "午後", "오후")
_PART = "(?P<part>" + "|".join(_MORNING + _LATER) + ")"
_FIRST = "(?=[0-9" + "".join(part[0] for part in _MORNING + _LATER) + "])"
"""What these forms begin with: the first thing to check, because most characters are none of these."""
# After a date's year OCR often drops the space: 25/12/201812:33.
_START = r"(?:(?<![0-9])(?<![0-9][:.])|(?<=[-/.](?:19|20)[0-9][0-9]))"
_CLOCK = "[0-2]?[0-9]:[0-5][0-9](?![0-9:])"
_MERIDIEM = r"(?: ?(?P<half>[AaPp])(?:\.? ?[Mm]\.?|H|N)(?![A-Za-z])| ?(?P<cut>[Pp])(?![A-Za-z0-9.]))?"

_FORMS = [
    re.compile(
        rf"{_FIRST}{_START}(?P<time>(?:{_PART} {{0,2}})?(?P<h>[01]?[0-9]|2[0-3]) ?: ?(?P<m>[0-5][0-9])"
        rf"(?: ?: ?(?P<s>[0-5][0-9]))?(?![0-9]|-(?!{_CLOCK})[0-9]| ?: ?[0-9]){_MERIDIEM})",
        re.ASCII,
    ),
    re.compile(
        rf"{_FIRST}(?<![0-9])(?P<time>(?:{_PART} {{0,2}})?(?P<h>[01]?[0-9]|2[0-3]) ?[时時点點시]"
        r" ?(?P<m>[0-5]?[0-9]) ?[分분](?: ?(?P<s>[0-5]?[0-9]) ?秒)?)",
        re.ASCII,
    ),
    re.compile(rf"(?P<time>{_PART} {{0,2}}(?P<h>[01]?[0-9]|2[0-3]) ?[时時点點시](?P<m>半)?)", re.ASCII),
    re.compile(
        r"(?=[0-9])(?<![0-9.])(?P<time>(?P<h>0?[1-9]|1[0-2])\.(?P<m>[0-5][0-9]) ?(?P<half>[AaPp])\.?[Mm]\b)",
        re.ASCII,
    ),
    re.compile(
        r"(?=[0-9])(?<![0-9.])(?P<time>(?P<h>0?[1-9]|1[0-2]) ?(?P<half>[AaPp])\.?[Mm](?![A-Za-z]))", re.ASCII
    ),
    re.compile(
        r"(?=[0-2])(?<![0-9])(?P<time>(?P<h>[01][0-9]|2[0-3])(?P<m>[0-5][0-9]) ?(?:HRS?|hrs?)\b)", re.ASCII
    ),
    re.compile(  # 14h30, 14.30 Uhr
        r"(?=[0-9])(?<![0-9A-Za-z.,])(?P<time>(?P<h>[01]?[0-9]|2[0-3])(?:h(?P<m>[0-5][0-9])(?![0-9A-Za-z])"
        r"|(?:\.(?P<minute>[0-5][0-9]))? ?Uhr\b))",
        re.ASCII,
    ),
    re.compile(  # ore 15.30, kl. 14.30
        r"\b(?:[Oo]re|[Kk]l\.?|[Kk]lo) (?P<time>(?P<h>[01]?[0-9]|2[0-3])[.:](?P<m>[0-5][0-9]))"
        r"(?![0-9A-Za-z]|[.,:][0-9])",
        re.ASCII,
    ),
    re.compile(
        r"(?:\btime|时间)[ :.]{1,4}(?P<time>(?P<h>[01][0-9]|2[0-3]) ?(?P<m>[0-5][0-9])"
        r"(?: ?(?P<s>[0-5][0-9]))?)(?![0-9]|[-./:][0-9])",
        re.ASCII | re.IGNORECASE,
    ),
]

_REACH = 12
_NO_TIME = re.compile(
    r"(?:(?:scale|ratio|score|odds|maßstab|échelle|escala|比例|比分)[ :=(]{0,3}|(?:UTC|GMT)[+-]"
    r"|:[0-9]{2}(?:\+|(?<=:[0-9]{2}:[0-9]{2})-))\Z",
    re.IGNORECASE,
)
"""Before a ratio, or the offset of a time zone: 10:15:30+08:00, UTC+08:00."""


def find_times(text: str) -> Iterator[Mention]:
    """Yield the TIME mentions of `text`: 12:31, 5:18:08 PM, 上午9时30分, 14h30, 1000 HRS, TIME 12 31 00.

    Invalid times (12:75) and longer chains of numbers (12:31:22:10) are not mentions.
    """
    page = plain(text)
    taken = bytearray(len(page))
    for pattern in _FORMS if has_digit(page) else ():
        for match in pattern.finditer(page):
            start, end = match.span("time")
            if _NO_TIME.search(page, max(0, start - _REACH), start):
                continue
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                yield found("TIME", (start, end), 0.9, _clock(match))


def _clock(match: re.Match[str]) -> str:
    groups = match.groupdict()
    hour, minute, second = int(groups["h"]), groups.get("m") or groups.get("minute") or "0", groups.get("s")
    half = (groups.get("half") or groups.get("cut") or "").lower()
    part = groups.get("part")
    if (half == "p" or part in _LATER) and hour < 12 and not (part == "中午" and hour == 11):
        hour += 12
    elif (half == "a" or part in _MORNING) and hour == 12:
        hour = 0
    minute = "30" if minute == "半" else minute
    return f"{hour:02}:{int(minute):02}" + (f":{int(second):02}" if second else "")
