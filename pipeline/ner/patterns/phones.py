"""PHONE: numbers after a label, with a dialling prefix, or in a form of the page's country.

Forms find candidates; phonenumbers (Google's libphonenumber) tells which are valid numbers of the page's country, and
how they are dialled from abroad (E.164). It is imported when a page has a candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found, has_digit, is_chinese, is_traditional, lowered, plain

_DIGITS = range(7, 16)
"""How many digits a number has (E.164)."""
_EXTENSION = r"(?: ?(?:extension|extn|ext|x|durchwahl|转|分机)[ .:]{0,2}[0-9]{1,6}(?![0-9]))?"
_NUMBER = r"(?:\+ ?|\( ?\+? ?)?[0-9](?:[ ]?[-./()]{0,2}[ ]?[0-9]){6,17}"
"""A number of seven digits and more, in whatever groups."""
_CANDIDATE = re.compile(_NUMBER)
_AND_EXTENSION = re.compile(_EXTENSION, re.IGNORECASE)

_LABEL = re.compile(
    r"(?=[a-z电手传热联客電傳携전휴팩])(?:(?<![a-zà-ÿ])(?:tel|te1|t[ée]l[ée]phone|t[ée]l[ée]fon[oe]?|tél|telf|tlf|tfn|telefoon|phone|ph|(?:tele)?fax"
    r"|mobile?|mob|cel|móvil|handy|cell(?:ular)?|hand ?phone|hp|h/p|what(?:s|s )apps?|contact|hotline|care ?line"
    r"|help ?line|call|toll[- ]?free|gsm|[tfmp](?= ?[:.] ?[+(0]))|电话|手机|传真|热线|联系方式|手机号码?"
    r"|電話|手機|傳真|携帯|전화(?:번호)?|휴대폰|팩스)(?![a-zà-ÿ])"
    r"(?:[ .]{0,2}(?:no|nr|number|nummer|num[eé]ro|num|#|号码|fax|phone|is|us|us at|at|toll[- ]?free)(?![a-zà-ÿ])){0,2}"
    r"(?:[ .]{0,2}[&/] ?(?:tel|fax|phone|whatsapps?|mobile|hp|传真))?[ .:)=-]{0,4}"
)
_MORE = re.compile(r" ?(?:[,、;&]|/(?= ?[0-9+(]{3})) ?")
"""What separates a further number after the same label."""

# What a candidate is cut at unless the whole is a valid number: a date, a time or an amount begins there.
_STOP = re.compile(
    r" +(?=[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}(?![0-9])|[0-9]{4}[-/.][0-9]{1,2}[-/.]|[0-9]+\.[0-9]{2}(?![0-9.])"
    r"|(?:19|20)[0-9]{2}(?![0-9]))"
)
_DATE = re.compile(
    r"[0-9]{1,2}([-/.])[0-9]{1,2}\1(?:[0-9]{2}){1,2}|[0-9]{4}([-/.])[0-9]{1,2}\2[0-9]{1,2}"
    r"|[0-9]{1,2}\.[0-9]{2}[- ]{1,3}[0-9]{1,2}\.[0-9]{2}"
)
"""A date, or hours of opening."""
_OTHER_LABEL = re.compile(
    r"(?:(?:^|[^a-z])(?:no|nr|number|nummer|id|ref|reference|order|part|model|lot|policy|flight|invoice|account|acct|card|serial|siren|siret|rcs|vat|tva"
    r"|gst|abn|ean|isbn|sku|upc|zip|plz|iban|code|auth|tran|trans|batch|konto|kunde|doc|bon|beleg|ticket|terminal|rrn)|(?:^|[^a-z])n[.º]|n°|#|号码?|单号|编号|代码|帐号|账号)"
    r"[ .:#°-]{0,3}\Z"
)
_DIGIT = re.compile("[0-9]")
_BLANKS = re.compile(" +")
_TRUNK_GROUP = re.compile(r"0[0-9]+[ /-]")
_JOINED = re.compile(r"[0-9A-Za-z][-./+]?\Z|[$€£¥] ?\Z")
_NOT_BEFORE = re.compile(r"[0-9A-Za-z][-./+]?\Z|[0-9][ ]\Z|[,.][ ]?\Z(?<=[0-9].)|[$€£¥] ?\Z")

_GOES_ON = re.compile(r"[-./]?[0-9A-Za-z]| ?[-/] ?[0-9]")

_AMERICAN = re.compile(
    r"(?=[(1-9])(?:1[-. ]?)?(?:\((?P<one>[0-9]{3})\)|(?P<two>[2-9][0-9]{2})\)?)[ ]?[-. ]?[ ]?[2-9][0-9]{2}"
    r"[ ]?[-. ][ ]?[0-9]{4}(?![0-9]|[-./][0-9])"
)
_DASHES = re.compile(r"\+[0-9]+(?:-[0-9]+)+")
_NO_EXCHANGE = re.compile(r"1[0-9]{2}-[0-9]{4}")
"""Of the form of a local number in North America, where none begins with 1."""
_INTERNATIONAL = re.compile(
    r"(?=[(+0])(?:\(?\+ ?|\(?00[ ]?)[1-9][0-9]{0,2}(?:[ ]?[-./()]{0,2}[ ]?[0-9]){5,14}(?![0-9])"
)
_TRUNK = re.compile(r"\(?0 ?[1-9](?:(?:[-. /]|\) ?| / )?[0-9]){5,11}(?![0-9])")
_EIGHT = re.compile(r"[235689][0-9]{3}[ -][0-9]{4}(?![0-9]|[-./ ][0-9])")
_NORTH_AMERICA = frozenset({"US", "CA"})
_EIGHT_DIGITS = frozenset({"SG", "HK", "MO", "NO", "DK"})

# Chinese forms.
_AFTER_ADDRESS = re.compile(
    r"地址[,、. ]?电话[ :]{0,3}[^\n]{0,60}?(?<![0-9-])"
    r"(?P<phone>(?:0[0-9]{2,3}-?)?[2-9][0-9]{6,7}|1[3-9][0-9]{9})(?![0-9号室楼栋-])",
    re.ASCII,
)
_MOBILE = re.compile(
    r"(?=[(+018])(?<![0-9A-Za-z.+/-])(?P<phone>(?:\(?(?:\+ ?|00)86\)?[- ]?|86[- ])?"
    r"(?P<own>1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}))(?![0-9A-Za-z])(?![.-][0-9])",
    re.ASCII,
)
_NO_MOBILE = re.compile(r"(?:[单單编編流水工批序凭証证][号號]|代码|代碼|金额|金額)[ :]{0,2}\Z")
_LANDLINE = re.compile(
    r"(?=[(048])(?<![0-9A-Za-z.+/-])(?P<phone>\(?(?:0(?:10|2[0-9])\)?[- ]?[2-9][0-9]{7}"
    r"|0[3-9][0-9]{2}\)?[- ]?[2-9][0-9]{6,7})|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}|[48]00-[0-9]{4}-[0-9]{3})"
    r"(?:-[0-9]{1,5})?(?![0-9A-Za-z])(?![.-][0-9])",
    re.ASCII,
)


def find_phones(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:
    """Yield the PHONE mentions of `text`.

    After a label such as TEL, FAX, 电话 any 7 to 15 digits. Without a label: with a dialling prefix (+49, 0049), the
    forms of North America, Chinese mobile, landline and 400 numbers, and numbers with a trunk zero that are valid in
    the page's country. The value is E.164 (ITU-T) where the country is known, else the digits as printed; an extension
    belongs to the text, not to the value.
    """
    page = plain(text)
    if not has_digit(page):
        return
    country = locale.country if locale else None
    chinese = country == "CN" or (country is None and is_chinese(page) and not is_traditional(page))
    region = "CN" if chinese else country
    yield from _labelled(page, region)
    yield from _dialled(page, region)
    yield from _alone(page, country)
    if chinese:
        yield from _chinese(page)
    else:
        yield from _mobiles(page, country)
        yield from _american(page, country)
        yield from _national(page, country)


def _labelled(page: str, region: str | None) -> Iterator[Mention]:
    for label in _LABEL.finditer(lowered(page)):
        at = label.end()
        for _ in range(4):
            match = _CANDIDATE.match(page, at)
            end = _fitted(match, region) if match else None
            if match is None or end is None or _NO_EXCHANGE.fullmatch(page, match.start(), end):
                break
            number = page[match.start() : end]
            extension = _extension(page, end)
            yield found("PHONE", (match.start(), extension), 0.95, _value(number, region))
            again = _BLANKS if end == match.start() + _twice(match) < match.end() else _MORE
            more = again.match(page, extension)
            if more is None:
                break
            at = more.end()


def _fitted(match: re.Match[str], region: str | None) -> int | None:
    """Where the number ends: the longest part that is valid in its country, else up to what begins something else."""
    text = match[0][: _twice(match)]
    ends = [one.end() for one in re.finditer(r"[0-9](?![0-9])", text)]
    fitting = [end for end in ends if len(_digits(text[:end])) in _DIGITS]
    if not fitting:
        return None
    for end in reversed(fitting):
        if _dial(text[:end], region):
            return match.start() + end
    stop = _STOP.search(text)
    limit = stop.start() if stop else len(text)
    short = [end for end in fitting if end <= limit]
    return match.start() + (short or fitting)[-1]


def _twice(match: re.Match[str]) -> int:
    """Where another number in the same groups begins behind a blank: 030-123456 030-123457; else the length."""
    text, start = match[0], match.start()
    shape = _DIGIT.sub("0", match.string[start : start + 2 * len(text) + 1])
    for blank in _BLANKS.finditer(text):
        first = blank.start()
        behind = shape[blank.end() : blank.end() + first + 1]
        alike = shape[:first] == behind[:first] and behind[first:] != "0"
        trunk = _TRUNK_GROUP.match(text)
        if len(_digits(text[:first])) in _DIGITS and (
            alike or (trunk and text.startswith(trunk[0], blank.end()))
        ):
            return first
    return len(text)


def _dialled(page: str, region: str | None) -> Iterator[Mention]:
    for match in _INTERNATIONAL.finditer(page):
        plus = "+" in match[0]
        if _NOT_BEFORE.search(page[max(0, match.start() - 2) : match.start()]):
            continue
        if plus and len(_digits(match[0])) not in range(8, 16):
            continue
        end = _fitted(match, region)
        if end is None:
            continue
        number = match[0][: end - match.start()]
        # Written with dashes alone, and no valid number: perhaps a sum or a serial number.
        phone = plus and not _DASHES.fullmatch(number)
        if phone or (_dial(number, region) and not _labelled_otherwise(page, match.start())):
            yield found("PHONE", (match.start(), _extension(page, end)), 0.85, _value(number, region))


def _mobiles(page: str, country: str | None) -> Iterator[Mention]:
    """Chinese mobile numbers on other pages: with their prefix, or undivided where no country is known."""
    for match in _MOBILE.finditer(page):
        undivided = match["own"].isdecimal() and country is None
        if match["phone"] != match["own"] or undivided:
            yield found("PHONE", match.span("phone"), 0.75, "+86" + _digits(match["own"]))


def _chinese(page: str) -> Iterator[Mention]:
    for match in _MOBILE.finditer(page):
        if (
            not _NO_MOBILE.search(page, max(0, match.start() - 6), match.start())
            and page[match.end() : match.end() + 1] != "元"
        ):
            yield found("PHONE", match.span("phone"), 0.85, "+86" + _digits(match["own"]))
    for form in (_LANDLINE, _AFTER_ADDRESS):
        for match in form.finditer(page):
            yield found("PHONE", match.span("phone"), 0.7, _value(match["phone"], "CN"))


def _american(page: str, country: str | None) -> Iterator[Mention]:
    if country not in _NORTH_AMERICA and country is not None:
        return
    for match in _AMERICAN.finditer(page):
        bracket = match["one"] is not None
        before = page[max(0, match.start() - 2) : match.start()]
        mixed = "-" in match[0] and "." in match[0]
        if not bracket and (mixed or _JOINED.search(before) or _labelled_otherwise(page, match.start())):
            continue
        divided = bracket or "-" in match[0] or "." in match[0]
        if (divided or country) and (bracket or _dial(match[0], "US")):
            sure = 0.85 if country else 0.7
            yield found(
                "PHONE", (match.start(), _extension(page, match.end())), sure, _value(match[0], country)
            )


def _national(page: str, country: str | None) -> Iterator[Mention]:
    """Numbers with a trunk zero, and of countries whose numbers have two groups of four digits."""
    if country in _NORTH_AMERICA:
        return
    forms = (_TRUNK, _EIGHT) if country in _EIGHT_DIGITS else (_TRUNK,)
    for form in forms:
        for match in form.finditer(page):
            number = match[0]
            if number.isdecimal() or _DATE.fullmatch(number):
                continue
            before = page[max(0, match.start() - 2) : match.start()]
            after = page[match.end() : match.end() + 3]
            if _NOT_BEFORE.search(before) or _GOES_ON.match(after):
                continue
            good = _dial(number, country) if country else _UNKNOWN.fullmatch(number)
            # Whatever has a label of its own is what the label says.
            if good and not (before.rstrip().endswith(":") or _labelled_otherwise(page, match.start())):
                yield found("PHONE", match.span(), 0.7, _value(number, country))


def _alone(page: str, country: str | None) -> Iterator[Mention]:
    """Undivided numbers that are a line of the head of the page, where shops print theirs."""
    if country is None or country == "CN":
        return
    for match in _ALONE.finditer(page):
        if page.count("\n", 0, match.start()) >= _HEAD:
            return
        if _dial(match["phone"], country):
            yield found("PHONE", match.span("phone"), 0.6, _value(match["phone"], country))


_ALONE = re.compile(r"(?:\A|\n) ?(?P<phone>(?:0[1-9]|[2-9][0-9])[0-9]{8,9}) ?(?=\n|\Z)")
_HEAD = 10
"""Lines of the head of a page."""
_UNKNOWN = re.compile(r"0[1-9][0-9]?-[0-9]{3,4} ?[0-9]{4}")
"""The form that needs neither label nor country."""


def _labelled_otherwise(page: str, start: int) -> bool:
    return _OTHER_LABEL.search(page[max(0, start - 16) : start].lower()) is not None


def _extension(page: str, end: int) -> int:
    match = _AND_EXTENSION.match(page, end)
    return match.end() if match else end


def _digits(number: str) -> str:
    return re.sub("[^0-9]", "", number)


def _value(number: str, region: str | None) -> str:
    """E.164 where the country is known, else the digits."""
    dialled = _dial(number, region)
    if dialled and not (region == "CN" and dialled[3:6] in {"400", "800"}):
        return dialled
    digits = _digits(number)
    if "+" in number:
        return "+" + digits
    if region == "CN" and digits[0] == "0" and 10 <= len(digits) <= 12:
        return "+86" + digits[1:]
    return digits


@lru_cache(maxsize=4096)
def _dial(number: str, region: str | None) -> str:
    """The number as E.164 if it is valid, by its own prefix or in `region`; empty if it isn't."""
    import phonenumbers

    digits = _digits(number)
    prefixed = "+" in number or digits.startswith("00")
    if not prefixed and region is None:
        return ""
    plain_number = number if not digits.startswith("00") or "+" in number else "+" + digits[2:]
    if "(0)" in plain_number.replace(" ", ""):
        plain_number = re.sub(r"\( ?0 ?\)", "", plain_number)
    try:
        parsed = phonenumbers.parse(plain_number, None if prefixed else region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
