"""Digits as people and OCR write them: in groups, over two lines, with letters that look like digits."""

from __future__ import annotations

import re

ALIKE = str.maketrans("OoQDIl|!BSZz", "000011118522")
"""Letters that OCR reads for digits."""
DIGIT = r"[0-9OoQDIl|!BSZz]"
LINE = r"[ .·/-]{0,2}(?:\n ?)?"
"""What may stand between the groups of a number: at most two marks, and the end of a line."""

_TOKEN = re.compile(r"[0-9A-Za-z*|]+")
_BETWEEN = re.compile(r"[ .·/_()-]{1,2}|[ )]{0,1} ?\(")
_SOMETHING_ELSE = re.compile(
    r"(?:19|20)[0-9]{2}[-/.年][0-9]|[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{2}|[0-9]{1,3}(?:[,.][0-9]{3})*[.,][0-9]{2}(?![0-9])"
)
"""A date or an amount begins here: it is no further group of a number."""
_AMOUNT = re.compile(r"[0-9]{1,3}(?:[,.'][0-9]{3})+(?:[.,][0-9]{2})?(?![0-9])|[0-9]+[.,][0-9]{2}(?![0-9.])")
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}(?:([/.])[0-9]{1,2}\2(?:[0-9]{2}){1,2}|-[0-9]{1,2}-[0-9]{4})(?![0-9])|[0-9]{4}年[0-9]"
)
_GOES_ON = re.compile(r"\n ?(?P<rest>[0-9OolIBSXx][0-9OolIBSXx .-]{0,22}) ?(?=\n|\Z)")
"""A line that has nothing but the rest of a number."""


def count(text: str) -> int:
    """The number of digits in a text."""
    return sum("0" <= c <= "9" for c in text)


def number_at(page: str, start: int, end: int, least: int) -> tuple[int, int] | None:
    """The first number of at least `least` digits between two places: groups of digits and a few capital letters.

    `None` where there is none, or where an amount or a date is.
    """
    tokens = list(_TOKEN.finditer(page, start, end))
    for index, token in enumerate(tokens):
        if not _begins(tokens, index):
            continue
        if _AMOUNT.match(page, token.start()) or _DATE.match(page, token.start()):
            return None
        last = token.end()
        for following in tokens[index + 1 :]:
            if not _continues(page, last, following):
                break
            last = following.end()
        if page[last : last + 1] == ")" and "(" in page[token.start() : last]:
            last += 1
        if count(page[token.start() : last]) >= least:
            return token.start(), last
    return None


def _begins(tokens: list[re.Match[str]], index: int) -> bool:
    """Whether a number begins with this token: digits, or a few letters right before some."""
    token = tokens[index]
    if count(token[0]):
        return True
    if index + 1 == len(tokens) or len(token[0]) > 4 or not token[0].isupper():
        return False
    following = tokens[index + 1]
    return following.start() - token.end() <= 1 and count(following[0]) >= 2


def _continues(page: str, last: int, token: re.Match[str]) -> bool:
    between = page[last : token.start()]
    if between == "  " or not _BETWEEN.fullmatch(between):
        return False
    if " " in between and _SOMETHING_ELSE.match(page, token.start()):
        return False
    digits = count(token[0])
    return digits * 2 >= len(token[0]) or (len(token[0]) <= 3 and (token[0].isupper() or digits > 0))


def over_lines(page: str, end: int, digits: int, most: int) -> int:
    """Where a number with so many digits ends that stops at the end of a line: perhaps in the next one."""
    rest = _GOES_ON.match(page, end)
    if rest and count(rest["rest"]) >= 1 and digits + count(rest["rest"]) <= most:
        return rest.end("rest")
    return end
