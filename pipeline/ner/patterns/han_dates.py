"""Dates in Chinese numerals: 二〇二三年八月二十六日, 贰零贰叁年零捌月贰拾陆日."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found
from pipeline.ner.patterns.date_readings import valid

_HAN = {c: str(i) for i, row in enumerate(["〇零○Oo0", "一壹", "二贰貳", "三叁參"]) for c in row}
_HAN |= {
    c: str(i) for i, row in enumerate(["四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖"], 4) for c in row
}
_DIGIT = "[" + "".join(_HAN) + "]"
_NUMBER = "[" + "".join(c for c in _HAN if c not in "Oo0") + "十拾廿卅]{1,4}"
_DATE = re.compile(
    rf"(?=[一二壹贰貳])(?<!{_DIGIT})(?P<y>[一二壹贰貳]{_DIGIT}{{3}}) ?年"
    rf" ?(?P<m>{_NUMBER}) ?月(?: ?(?P<d>{_NUMBER}) ?[日号曰])?"
)


def find_han_dates(page: str) -> Iterator[Mention]:
    """Yield the DATE mentions of a plain page whose numbers are Chinese numerals."""
    for match in _DATE.finditer(page):
        day = _number(match["d"]) if match["d"] else None
        date = valid(_number(match["y"]), _number(match["m"]), day)
        if date:
            yield found("DATE", match.span(), 0.9 if day is None else 0.97, date.iso)


def _number(numeral: str) -> int:
    """Read 二〇二三, 二十六, 廿六, 零捌 or 贰拾陆; 0 for anything else."""
    plain_digits = "".join(_HAN.get(c, c) for c in numeral).replace("拾", "十")
    plain_digits = plain_digits.replace("廿", "2十").replace("卅", "3十")
    tens, mark, ones = plain_digits.partition("十")
    parts = (tens.lstrip("0") or "1", ones or "0") if mark else (tens or "0", "0")
    if not all(part.isdecimal() for part in parts):
        return 0
    return int(parts[0]) * 10 + int(parts[1]) if mark else int(parts[0])
