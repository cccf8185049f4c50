"""ID_NUMBER, USCC, BANK_CARD, PLATE: numbers with check digits or a strict format.

A number that follows its label and has the right format, but fails its check, is still reported, with
confidence below 0.5 and no value: forms and specimens contain invented numbers, OCR misreads one digit
in a thousand, and masking must cover all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pipeline.models import Mention
from pipeline.ner.characters import found, plain
from pipeline.ner.patterns.labels import UNCHECKED

_GAP = r"[^0-9A-Za-z\n]{0,8}"
_PROVINCES = {
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47),
    *range(50, 55), *range(61, 66), 71, 81, 82, 83,
}  # fmt: skip
_ID_SHAPE = r"[1-9][0-9]{5} ?(?:18|19|20)[0-9]{2} ?[0-9]{4} ?[0-9]{3}[0-9Xx]"
_ID = re.compile(rf"(?=[1-9])(?<![0-9A-Za-z])(?P<id>{_ID_SHAPE})(?![0-9A-Za-z])", re.ASCII)
_ID_LABEL = re.compile(
    rf"(?=[身证I])(?:身份号码|身份证号码?|身份证|证件号码?|(?<![A-Za-z])ID (?:card )?(?:no|number))\.?{_GAP}"
    r"(?P<id>[0-9]{17}[0-9Xx])(?![0-9A-Za-z])",
    re.ASCII | re.IGNORECASE,
)

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(
    r"(?=[1-9ANY])(?<![0-9A-Za-z])(?:1[1239]|2[19]|3[1-5]|4[19]|5[1239]|6[129]|7[129]|8[19]|9[123]|A[19]|N[1239]|Y1)"
    rf"[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}(?![0-9A-Za-z])",
    re.ASCII,
)
_USCC_LABEL = re.compile(
    rf"(?:纳 ?税 ?人 ?识 ?别 ?号|统一社会信用代码|社会信用代码|信用代码|税号|税务登记号)"
    rf"(?:/[\u4e00-\u9fff]{{2,10}})?{_GAP}"
    r"(?P<id>[0-9A-Z]{20}|[0-9A-Z]{17,18}|[0-9A-Z]{15})(?![0-9A-Za-z])",
    re.ASCII,
)
# I, O, S, V, Z are not in the alphabet: where they occur, OCR misread a digit.
_USCC_MISREAD = str.maketrans("IOSZ", "1052")

_CARD = re.compile(
    r"(?=[2-6])(?<![0-9A-Za-z.,/+*-])(?:[2-6][0-9]{14,18}|[2-6][0-9]{3}(?:[ -][0-9]{4}){3}(?:[ -]?[0-9]{1,3})?"
    r"|62[0-9]{4} [0-9]{10,13}|3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5})(?![0-9A-Za-z*])(?![.,/-][0-9])",
    re.ASCII,
)
_CARD_LABEL = re.compile(
    rf"(?=[卡银c])(?:卡 ?号|银行卡|(?<![A-Za-z])card (?:no|number|num)\b\.?){_GAP}"
    r"(?P<card>[0-9](?:[ -]?[0-9]){12,18})(?![0-9A-Za-z*])",
    re.ASCII | re.IGNORECASE,
)
_OTHER_LABEL = re.compile(
    r"(?:单号|编号|代码|(?:order|invoice|bill|receipt|serial|batch|tracking|terminal|merchant)"
    r"(?: id)?[ .:#]{0,4}(?:no|id)?)[ .:#]{0,4}$",
    re.ASCII | re.IGNORECASE,
)
_ANY_LABEL = re.compile(r"(?:no|ref|id|#|号码?)[ .:#]{0,4}$", re.ASCII | re.IGNORECASE)

_PLATE = re.compile(
    r"(?P<head>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]) ?[·.-]? ?"
    r"(?P<tail>[DABCEFGHJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DABCEFGHJK]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9学警挂港澳试超])"
    r"(?![0-9A-Za-z])",
    re.ASCII,
)


def id_check(number: str) -> bool:
    """Whether an 18-character citizen number is valid (GB 11643-1999: province, birthday, ISO 7064 MOD 11-2)."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(number[:17]))
    return int(number[:2]) in _PROVINCES and "10X98765432"[total % 11] == number[17]


def uscc_check(code: str) -> bool:
    """Whether an 18-character unified social credit code is valid (GB 32100-2015, MOD 31, weights 3^i)."""
    if len(code) != 18 or any(c not in _USCC_ALPHABET for c in code):
        return False
    total = sum(_USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return _USCC_ALPHABET[-total % 31] == code[17]


def luhn_check(number: str) -> bool:
    """Whether a digit string passes the Luhn check (ISO/IEC 7812-1, annex B)."""
    doubled = [int(d) if i % 2 == 0 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(number))]
    return sum(doubled) % 10 == 0


def find_id_numbers(text: str) -> Iterator[Mention]:
    """Yield the ID_NUMBER mentions: valid ones anywhere, others after a label (see the module)."""
    page = plain(text)
    for match in _ID.finditer(page):
        number = match["id"].replace(" ", "").upper()
        if id_check(number):
            yield found("ID_NUMBER", match.span("id"), 0.99, number)
    for match in _ID_LABEL.finditer(page):
        if not id_check(match["id"].upper()):
            yield found("ID_NUMBER", match.span("id"), UNCHECKED, None)


def find_usccs(text: str) -> Iterator[Mention]:
    """Yield the USCC mentions: valid ones anywhere; after a label also 15 to 20 characters unchecked.

    The 15-digit tax numbers in use before 2015 have no check digit and are always unchecked.
    """
    page = plain(text)
    for match in _USCC.finditer(page):
        if uscc_check(match[0]):
            yield found("USCC", match.span(), 0.99, match[0])
    for match in _USCC_LABEL.finditer(page):
        code = match["id"].translate(_USCC_MISREAD)
        if uscc_check(code):
            yield found("USCC", match.span("id"), 0.99 if code == match["id"] else 0.9, code)
        else:
            yield found("USCC", match.span("id"), UNCHECKED, None)


def find_bank_cards(text: str) -> Iterator[Mention]:
    """Yield the BANK_CARD mentions: 15 to 19 digits with an issuer's prefix that pass Luhn.

    After a card label also 13 to 19 digits that don't (see the module).
    """
    page = plain(text)
    for match in _CARD_LABEL.finditer(page):
        number = re.sub("[ -]", "", match["card"])
        good = luhn_check(number) and _issuer(number)
        yield found("BANK_CARD", match.span("card"), 0.98 if good else UNCHECKED, number if good else None)
    for match in _CARD.finditer(page):
        number = re.sub("[ -]", "", match[0])
        if not (_issuer(number) and luhn_check(number)):
            continue
        if number != match[0]:
            yield found("BANK_CARD", match.span(), 0.9, number)
            continue
        # One random number in ten passes Luhn: a number with a label of something else is not a card. What is behind
        # "Ref no" may be one: payment slips print it there.
        before = page[max(0, match.start() - 20) : match.start()]
        if not _OTHER_LABEL.search(before):
            yield found("BANK_CARD", match.span(), 0.55 if _ANY_LABEL.search(before) else 0.7, number)


def _issuer(number: str) -> bool:
    """Whether prefix and length match a card scheme (Amex, Visa, Mastercard, JCB, Discover, UnionPay)."""
    size, four = len(number), int(number[:4])
    if number[:2] in {"34", "37"}:
        return size == 15
    if number.startswith("62"):
        return 16 <= size <= 19
    mastercard = 5100 <= four <= 5599 or 2221 <= four <= 2720
    return size == 16 and (
        number[0] == "4" or mastercard or 3528 <= four <= 3589 or number[:2] in {"60", "64", "65"}
    )


def find_plates(text: str) -> Iterator[Mention]:
    """Yield the PLATE mentions (GA 36-2018, with the eight-character plates of new-energy cars).

    An ordinary serial has at most two letters. The value omits the dot.
    """
    for match in _PLATE.finditer(plain(text)):
        tail = match["tail"]
        if len(tail) == 6 or sum(not c.isdecimal() for c in tail) <= 2:
            yield found("PLATE", match.span(), 0.93, match["head"] + tail)
