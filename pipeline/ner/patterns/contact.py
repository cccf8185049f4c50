"""PHONE, EMAIL, URL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found, is_chinese, plain

_LABEL = (
    r"(?:(?<![A-Za-z])(?:tel|te1|telephone|phone|fax|mobile|hand ?phone|hp|h/p|whatsapps?|contact|cell"
    r"|hotline|careline|helpline)|电话|手机|传真|热线|联系方式|手机号码?)"
)
_GROUPED = r"\+?\(?[0-9]{1,4}\)?(?: ?- ?[0-9]{2,8}|[ .]?[0-9]{3,8}){1,4}(?![0-9])"

_LABELLED = re.compile(
    rf"{_LABEL}(?:[ .]{{0,2}}(?:no|number|号码)|[ .]{{0,2}}[&/] ?{_LABEL})?[ .:)]{{0,4}}"
    rf"(?P<first>{_GROUPED})(?P<more>(?: ?[,、/&;] ?{_GROUPED}){{0,3}})",
    re.ASCII | re.IGNORECASE,
)
# Chinese invoices print "地址、电话:" once, the address, then the number as the row's last words.
_AFTER_ADDRESS = re.compile(
    r"地址[,、. ]?电话[ :]{0,3}[^\n]{0,60}?(?<![0-9-])"
    r"(?P<phone>(?:0[0-9]{2,3}-?)?[2-9][0-9]{6,7}|1[3-9][0-9]{9})(?![0-9号室楼栋-])",
    re.ASCII,
)
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z.+/-])(?P<phone>(?:\(?(?:\+ ?|00)86\)?[- ]?|86[- ])?"
    r"(?P<own>1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}))(?![0-9A-Za-z])(?![.-][0-9])",
    re.ASCII,
)
_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z.+/-])(?P<phone>\(?(?:0(?:10|2[0-9])\)?[- ]?[2-9][0-9]{7}"
    r"|0[3-9][0-9]{2}\)?[- ]?[2-9][0-9]{6,7})|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}|[48]00-[0-9]{4}-[0-9]{3})"
    r"(?:-[0-9]{1,5})?(?![0-9A-Za-z])(?![.-][0-9])",
    re.ASCII,
)
_INTERNATIONAL = re.compile(
    r"(?<![0-9A-Za-z+])(?P<phone>\+ ?[1-9][0-9]{0,2}(?:[ ().-]{0,2}[0-9]){6,12})(?![0-9])", re.ASCII
)
_TRUNK = re.compile(
    r"(?<![0-9A-Za-z./+-])(?P<phone>0[1-9][0-9]?-[0-9]{3,4} ?[0-9]{4})(?![0-9A-Za-z])(?![-/.][0-9])", re.ASCII
)

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])(?P<box>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63})@"
    r"(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,5}[A-Za-z]{2,24})(?![A-Za-z0-9])",
    re.ASCII,
)
_URL = re.compile(r"(?:https?://|ftp://|(?<![A-Za-z0-9@.-])www\.)[!-;=?-~]{3,300}", re.ASCII | re.IGNORECASE)
_CLOSING = re.compile("[，；：！？（）]")
_DOMAIN = re.compile(
    r"(?<![A-Za-z0-9@./_-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,3}"
    r"(?:com|net|org|gov|edu|info|io|cn|my|sg|hk|uk|eu|de)(?:\.[a-z]{2})?(?:/[!-;=?-~]{0,200})?(?![A-Za-z0-9@.-])",
    re.ASCII | re.IGNORECASE,
)


def find_phones(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:  # noqa: ARG001
    """Yield the PHONE mentions of `text`.

    Without a label only unambiguous formats: Chinese mobile, landline and 400 numbers (on a page with
    Chinese), `+CC ...`, and `01x-xxxxxxx` with its trunk zero and dash. After a label such as TEL, FAX,
    电话 any 7 to 15 digits. The value is compact E.164 (ITU-T) where the country is known, else the
    digits as printed.
    """
    page = plain(text)
    chinese = is_chinese(page)
    for match in _LABELLED.finditer(page):
        yield from _labelled(match, chinese)
    for match in _MOBILE.finditer(page):
        yield found("PHONE", match.span("phone"), 0.85, "+86" + _digits(match["own"]))
    for match in _INTERNATIONAL.finditer(page):
        if 8 <= len(_digits(match["phone"])) <= 15:
            yield found("PHONE", match.span("phone"), 0.85, _e164(match["phone"], chinese))
    plain_forms = (_LANDLINE, _AFTER_ADDRESS) if chinese else (_TRUNK,)
    for form in plain_forms:
        for match in form.finditer(page):
            yield found("PHONE", match.span("phone"), 0.7, _e164(match["phone"], chinese))


def _labelled(match: re.Match[str], chinese: bool) -> Iterator[Mention]:
    spans = [match.span("first")]
    offset = match.start("more")
    spans += [(offset + m.start(), offset + m.end()) for m in re.finditer(_GROUPED, match["more"])]
    for start, end in spans:
        number = match.string[start:end]
        if 7 <= len(_digits(number)) <= 15:
            yield found("PHONE", (start, end), 0.95, _e164(number, chinese))


def _digits(number: str) -> str:
    return re.sub("[^0-9]", "", number)


def _e164(number: str, chinese: bool) -> str:
    digits = _digits(number)
    if "+" in number:
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    if chinese and len(digits) == 11 and digits[0] == "1":
        return "+86" + digits
    if chinese and digits[0] == "0" and 10 <= len(digits) <= 12:
        return "+86" + digits[1:]
    return digits


def find_emails(text: str) -> Iterator[Mention]:
    """Yield the EMAIL mentions of `text` (the dot-atom form of RFC 5322); the host in lower case."""
    for match in _EMAIL.finditer(plain(text)):
        if ".." not in match["box"] and not match["box"].endswith("."):
            yield found("EMAIL", match.span(), 0.98, f"{match['box']}@{match['host'].lower()}")


def find_urls(text: str) -> Iterator[Mention]:
    """Yield the URL mentions of `text`: with a scheme, with www., or a bare name under a common domain.

    The value is the text as printed, scheme and host in lower case, without closing punctuation.
    """
    page = plain(text)
    for form, confidence in ((_URL, 0.97), (_DOMAIN, 0.75)):
        for match in form.finditer(page):
            # Full-width punctuation ends a URL, though its ASCII equivalent may be part of one.
            printed = _CLOSING.split(text[match.start() : match.end()], maxsplit=1)[0]
            url = match[0][: len(printed)].rstrip(".,;:!?'\"()[]{}")
            if "." not in url:
                continue
            scheme, mark, rest = url.rpartition("://")
            host, slash, path = rest.partition("/")
            value = (scheme + mark + host).lower() + slash + path
            yield found("URL", (match.start(), match.start() + len(url)), confidence, value)
