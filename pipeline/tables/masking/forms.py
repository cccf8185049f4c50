"""Numbers of persons, cards and phones by their form: grouped, over two lines, or with a digit misread.

The recognisers of `pipeline.ner` report what is right with high probability; here it is enough that it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pipeline.ner.characters import plain
from pipeline.ner.patterns.identifiers import id_check, luhn_check
from pipeline.tables.masking.digits import ALIKE, DIGIT, LINE, count
from pipeline.tables.masking.found import Found

_PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
    ]
)
_PROVINCES |= frozenset(["61", "62", "63", "64", "65", "71", "81", "82", "83"])
_NOT_BEFORE = r"(?<![0-9A-Za-z])(?<![0-9][.,/-])"
_NOT_BEHIND = r"(?![0-9A-Za-z])(?![.,/-][0-9])"
_CITIZEN = re.compile(
    rf"(?=[1-8lI|SB])(?<![0-9A-Za-z]){DIGIT}(?:{LINE}{DIGIT}){{16}}{LINE}[0-9OoQDIl|!BSZzXx]{_NOT_BEHIND}"
)
_OLD_CITIZEN = re.compile(rf"(?=[1-8]){_NOT_BEFORE}[0-9]{{6}}[ -]?[0-9]{{6}}[ -]?[0-9]{{3}}{_NOT_BEHIND}")
_CARD = re.compile(rf"(?=[2-6lIZSBz]){_NOT_BEFORE}{DIGIT}(?:{LINE}{DIGIT}){{12,18}}{_NOT_BEHIND}")
_SPLIT = re.compile(r"[ .·/\n-]+")
_GROUPS = 6
"""Maximum number of groups of one number."""
_OTHER_LABEL = re.compile(
    r"(?:[单單编編流批序凭訂订件款货貨][号號]|代码|条码|商品码|sku|isbn|ean|upc|imei|serial|order|invoice|tracking|batch|article|artikel|art|part|terminal|merchant|trace|auth|model|item|ref)"
    r"[ .]{0,2}(?:no|number|id|nr|code|#)?[ .:#=]{0,4}\Z"
)
_END = r"(?![0-9A-Za-z]|[-./][0-9])"
_PHONES = (
    re.compile(rf"(?=[1+])(?<![0-9A-Za-z.+/-])(?:\+?86[- ]?)?1[3-9][0-9](?:[ .·-][0-9]{{4}}){{2}}{_END}"),
    re.compile(
        rf"(?=[(+1])(?<![0-9A-Za-z])(?:\+?1[-. ]?)?\([2-9][0-9]{{2}}\) ?[2-9][0-9]{{2}}[-. ][0-9]{{4}}{_END}"
    ),
    re.compile(
        r"(?=[2-9+1])(?<![0-9A-Za-z.,/+-])(?:\+?1[-. ])?[2-9][0-9]{2}([-.])[2-9][0-9]{2}"
        rf"\1[0-9]{{4}}{_END}"
    ),
    re.compile(
        r"(?=0)(?<![0-9A-Za-z.,/+-])(?<![0-9] )0(?:[1-9][0-9][ -][0-9]{4}[ -][0-9]{3,4}"
        r"|(?:[1-9][0-9]{2}[ -]|[1-9][0-9]{3}[ -])[0-9]{3}[ -][0-9]{3,4}|[1-9][0-9]{3} [0-9]{6})"
        rf"{_END}(?! [0-9]|,[0-9])"
    ),
    re.compile(rf"(?=\()\(0[1-9][0-9]{{0,2}}\) ?[0-9]{{3,4}}[ -]?[0-9]{{4}}{_END}"),
    re.compile(rf"(?<=[0-9]{{7}}[/,;、])1[3-9][0-9]{{9}}{_END}"),
    re.compile(rf"(?=\+)(?<![0-9A-Za-z+])\+[1-9][0-9]{{0,2}}(?:[ .()-]{{1,2}}[0-9]{{1,5}}){{2,6}}{_END}"),
)
"""Phone numbers that need neither a label nor a country.

China, North America, the United Kingdom, with an area code in brackets, behind another one, with a prefix.
"""
_IDS = (
    re.compile(r"(?=[A-Z])(?<![0-9A-Za-z])[A-Z]{1,2} ?[0-9]{6} ?\([0-9A]\)"),  # Hong Kong
    re.compile(
        r"(?=[157])(?<![0-9A-Za-z.,/-])[157](?:[0-9]{6} ?\([0-9]\)|/[0-9]{6}/[0-9](?![0-9]))"
    ),  # Macau
    re.compile(
        r"(?=[0-9])(?<![0-9A-Za-z.,/-])(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)"
        rf"[0-9]{{4}}{_END}"
    ),
    re.compile(r"(?=[A-Z])(?<![0-9A-Za-z])[A-CEGHJ-PR-TW-Z]{2}(?: ?[0-9]{2}){3} ?[A-D](?![0-9A-Za-z])"),
)
"""Hong Kong, Macau, social security of the United States, national insurance of the United Kingdom."""
_MALAYSIA = re.compile(r"(?=[0-9])(?<![0-9A-Za-z-])([0-9]{6})-([0-9]{2})-[0-9]{4}(?![0-9A-Za-z-])")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64} ?(?:@|\(at\)|\[at\]) ?"
    r"(?:[A-Za-z0-9-]{1,63}(?:\.| ?\(dot\) ?)){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)


def forms(text: str) -> Iterator[Found]:
    """Yield what has the form of a number of a person, a card or a phone, or of an e-mail address."""
    page = plain(text)
    yield from _citizens(page)
    yield from _cards(page)
    for form in _IDS:
        yield from (_found(match, "ID_NUMBER", page) for match in form.finditer(page))
    for match in _MALAYSIA.finditer(page):
        if _is_date("19" + match[1]) and 1 <= int(match[2]) <= 99:
            yield _found(match, "ID_NUMBER", page)
    for form in _PHONES:
        for match in form.finditer(page):
            if not _labelled_otherwise(page, match.start()):
                yield Found(match.start(), match.end(), "PHONE", certain=False)
    if "@" in page or "at)" in page or "at]" in page:
        yield from (Found(match.start(), match.end(), "EMAIL") for match in _EMAIL.finditer(page))


def _found(match: re.Match[str], kind: str, page: str) -> Found:
    return Found(match.start(), match.end(), kind, certain=not _labelled_otherwise(page, match.start()))


def _citizens(page: str) -> Iterator[Found]:
    """Citizen numbers of China: with the right check digit, or one digit misread and no label of something else."""
    for match in _CITIZEN.finditer(page):
        number = _bare(match[0])
        if len(_SPLIT.split(match[0])) > _GROUPS or count(match[0]) < 13:
            continue
        undivided = "\n" not in match[0] and not _labelled_otherwise(page, match.start())
        if id_check(number) or (undivided and _is_nearly_citizen(number)):
            yield Found(match.start(), match.end(), "ID_NUMBER")
    for match in _OLD_CITIZEN.finditer(page):
        number = _bare(match[0])
        own = not _labelled_otherwise(page, match.start())
        if own and number[:2] in _PROVINCES and _is_date("19" + number[6:12]):
            yield Found(match.start(), match.end(), "ID_NUMBER", certain=False)


def _is_nearly_citizen(number: str) -> bool:
    """Whether province and birthday are right, or all but one digit of them."""
    province, born = number[:2] in _PROVINCES, number[6:14]
    if _is_date(born):
        return True
    near = (born[:4] + "01" + born[6:], born[:6] + "01", "2000" + born[4:])
    return province and any(map(_is_date, near))


def _bare(text: str) -> str:
    """A number without what divides it, and with digits in place of letters that resemble them."""
    return _SPLIT.sub("", text).translate(ALIKE).upper()


def _cards(page: str) -> Iterator[Found]:
    """Cards by prefix and check digit, whatever label they have."""
    for match in _CARD.finditer(page):
        groups = _SPLIT.split(match[0])
        if count(match[0]) >= 12 and _is_divided_like_a_card(match[0], groups) and is_card(_bare(match[0])):
            yield Found(match.start(), match.end(), "BANK_CARD", certain=len(groups) == 1)


def _is_divided_like_a_card(number: str, groups: list[str]) -> bool:
    """Whether a number is undivided, in fours, 6 and the rest, 4-6-5, or undivided but for the end of a line."""
    sizes = [len(group) for group in groups]
    lines = [count(line) for line in number.split("\n")]
    if len(lines) > 2 or (len(lines) == 2 and min(lines) < (8 if max(sizes) < 5 else 4)):
        return False  # a column of short numbers
    in_fours = set(sizes[:-1]) == {4} and 1 <= sizes[-1] <= 4
    return (
        len(sizes) == 1
        or in_fours
        or (len(sizes) == 2 and (sizes[0] == 6 or len(lines) == 2))
        or sizes == [4, 6, 5]
    )


def is_card(number: str) -> bool:
    """Whether digits have the prefix, length and check digit of a payment card."""
    size, two, four = len(number), int(number[:2]), int(number[:4])
    known = (
        (size == 15 and two in {34, 37})
        or (size == 14 and two in {30, 36, 38, 39})
        or (16 <= size <= 19 and two == 62)
        or (size in {16, 19} and number[0] == "4")
        or (size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720 or 3528 <= four <= 3589))
        or (size in {16, 19} and two in {60, 64, 65})
    )
    return known and luhn_check(number)


def _is_date(digits: str) -> bool:
    try:
        return 1900 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year <= 2035
    except ValueError:
        return False


def _labelled_otherwise(page: str, start: int) -> bool:
    return _OTHER_LABEL.search(page[max(0, start - 24) : start].lower()) is not None
