"""MONEY: amounts with their currency; the value is a plain decimal string such as `1234.50`.

An amount is next to a currency (RM 80.90, ¥412.00, 100元, USD 1,000), or is written in Chinese
capital numerals (肆佰壹拾贰圆整), or has exactly two decimals on a page with other signs of money: then
the currency is `None`. A `$` alone is read as USD, a `¥` as CNY. A minus sign or accounting brackets
make the value negative.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found, has_digit, plain
from pipeline.ner.patterns.numerals import CAPITALS, SMALL, han_amount

_SIGNS = {
    **{"RM": "MYR", "US$": "USD", "S$": "SGD", "HK$": "HKD", "NT$": "TWD", "A$": "AUD", "C$": "CAD"},
    **{"JP¥": "JPY", "CN¥": "CNY", "RMB": "CNY", "$": "USD", "¥": "CNY", "€": "EUR", "£": "GBP", "₩": "KRW"},
    **{"฿": "THB", "₹": "INR", "人民币": "CNY"},
}
_CODES = (
    "CNY",
    "MYR",
    "USD",
    "EUR",
    "GBP",
    "SGD",
    "HKD",
    "JPY",
    "TWD",
    "AUD",
    "CAD",
    "CHF",
    "KRW",
    "THB",
    "INR",
)
_UNITS = {
    **{"元": "CNY", "圆": "CNY", "圓": "CNY", "块": "CNY", "人民币": "CNY", "美元": "USD", "美金": "USD"},
    **{"港元": "HKD", "港币": "HKD", "欧元": "EUR", "日元": "JPY", "円": "JPY", "英镑": "GBP", "新元": "SGD"},
    **{
        "新加坡元": "SGD",
        "澳元": "AUD",
        "加元": "CAD",
        "韩元": "KRW",
        "泰铢": "THB",
        "令吉": "MYR",
        "林吉特": "MYR",
    },
    **{"新台币": "TWD", "瑞士法郎": "CHF", "€": "EUR", "£": "GBP"},
}
_CURRENCIES = _SIGNS | _UNITS | {code: code for code in _CODES}
_SCALES = {"万": 10**4, "亿": 10**8, "百万": 10**6, "千万": 10**7, "万亿": 10**12}
_SCALES |= {"thousand": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9}


def _any(words: object) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))  # type: ignore[call-overload]


_PREFIX = rf"(?P<currency>{_any([*_SIGNS, *_CODES])})"
_SUFFIX = rf"(?P<currency>{_any([*_UNITS, *_CODES, 'RMB'])})"
_WHOLE = r"(?:[0-9]{1,3}(?:, ?[0-9]{3}){1,4}|[0-9]{1,12})"
_TAX_CODE = r"(?: ?\*?[A-Za-z]{1,3})?"
_AFTER = r"(?![0-9])(?![.,][0-9])(?! ?%)"
_GROUPS = r"[0-9]{1,3}(?:['’ ][0-9]{3}){1,4}\.[0-9]{2}"  # 1'234.50 and 1 234.50
_BEHIND_MINUS = re.compile(r"-(?![-0-9A-Za-z])")
_MINUS = r"(?:(?<![0-9A-Za-z])(?P<minus>-) ?)?"
_WORD_SCALE = r"(?: ?(?P<scale>thousand|million|billion|mn|bn)(?![A-Za-z]))?"
# How OCR renders 80.90 next to a currency: "80 .90", "80. 90", "8O.9O", "80,90", and "80 90" at a row's end.
_NUMBER = (
    rf"(?:(?P<grouped>{_GROUPS}){_AFTER}|(?P<exact>(?:{_WHOLE}|[0-9O]{{1,6}})?(?: ?\. ?|\.)[0-9O]{{2}}){_AFTER}"
    rf"|(?P<comma>[0-9]{{1,6}},[0-9]{{2}}){_AFTER}(?![A-Za-z])"
    rf"|(?P<gap>[0-9]{{1,5}} [0-9]{{2}})(?=[ ]?(?:\n|\Z))"
    rf"|(?P<plain>{_WHOLE}(?:\.[0-9]{{1,4}})?){_AFTER}(?!['’][0-9])"
    rf"{_WORD_SCALE}(?!-(?=[0-9A-Za-z-])|[A-Za-z0-9#_]|/[0-9]))"
)
# OCR drops spaces (TOTALRM10.00, Cash10.00); before a bare amount RN and RH are RM misread.
_GLUED_WORD = r"(?i:(?<=total)|(?<=cash)|(?<=amount)|(?<=change)|(?<=due)|(?<=tax)|(?<=gst)|(?<=price))"
_GLUE = r"(?P<glue> {0,2}|\)? ?[:=]? ?)"

_HAN_SCALE = r"(?: ?(?P<han_scale>万亿|千万|百万|万|亿))?(?:[多余]?(?:元|圆))?"
_CAPITAL = rf"[{CAPITALS}](?: ?[{CAPITALS}]){{0,30}}"
_FRACTION = r"(?: ?(?P<jiao>[{c}]) ?角)?(?: ?零)?(?: ?(?P<fen>[{c}]) ?分)?(?: ?[整正])?"
_NOT_A_UNIT = "(?![素件旦月年宵代朝组气老始首帅])"

_EUROPEAN = re.compile(
    rf"(?<![0-9A-Za-z.,]){_MINUS}(?:{_PREFIX} ?)?(?P<plain>[0-9]{{1,3}}(?:\.[0-9]{{3}}){{1,4}},[0-9]{{2}})"
    rf"(?![0-9A-Za-z.,])(?: ?(?P<after>EUR|€))?",
    re.ASCII,
)
_BEFORE = re.compile(
    rf"{_MINUS}(?:(?<![A-Za-z])|{_GLUED_WORD}){_PREFIX}{_GLUE}(?P<inner>- ?)?{_NUMBER}{_HAN_SCALE}", re.ASCII
)
_BEHIND = re.compile(
    rf"(?<![0-9A-Za-z.,]){_MINUS}(?P<plain>{_WHOLE}(?:\.[0-9]{{1,4}})?) ?(?P<scale>万亿|千万|百万|万|亿)? ?"
    rf"{_SUFFIX}(?![A-Za-z]){_NOT_A_UNIT}(?:(?P<jiao>[0-9])角)?(?:(?P<fen>[0-9])分)?",
    re.ASCII,
)
_IN_CAPITALS = re.compile(
    rf"(?<![{CAPITALS}0-9.数几多余])(?:人民币 ?)?(?:(?P<minus>\(负数?\)|负) ?)?"
    rf"(?P<han>{_CAPITAL}) ?(?P<currency>圆|圓|元|[美港欧日]元)" + _FRACTION.format(c=CAPITALS)
)
_IN_SMALL = re.compile(
    rf"(?<![{SMALL}0-9.数几多余])(?P<han>[{SMALL}]{{2,24}})(?P<currency>{_any(_UNITS)}){_NOT_A_UNIT}"
    + _FRACTION.format(c=SMALL)
)

UNCLEAR = 0.45
"""Confidence of an ambiguous amount."""

_QUANTITY = (
    r"(?: ?(?:kgs?|gm|gms|mg|lbs?|oz|ltrs?|litres?|liters?|ml|cm|mm|km|inch|ft|pcs?|pkts?|units?|ctns?|hrs?"
    r"|kwh?|mmol|ug|umol|am|pm|a\.m|p\.m|points?|pts|times|years?|months?|days?)(?![A-Za-z])|[gGlLmhH](?![A-Za-z])|[\"'°℃×]"
    r"|(?:个|件|公斤|千克|克|吨|米|升|次|小时|天|人|股|倍|度|年|月|%))"
)
_BARE = re.compile(
    rf"(?:(?<![0-9A-Za-z/#$'’])|(?<=[0-9 ][xX])|(?<=\bR[NH])|{_GLUED_WORD})"
    r"(?<![0-9][-~:.,])(?<!--)(?:(?<![0-9A-Za-z-])(?P<minus>-) ?)?"
    r"(?P<plain>(?:[0-9]{1,3}(?:(?:, ?[0-9]{3}){1,4}|(?:['’][0-9]{3}){1,4})|[0-9]{1,7})?\.[0-9]{2})"
    rf"(?![0-9])(?![.,:/][0-9])(?!-{{1,2}}[0-9])(?! ?%)(?!(?i:{_QUANTITY}))(?![A-Za-z]{{4}})",
    re.ASCII,
)
_BARE_SPACED = re.compile(
    r"(?<![0-9A-Za-z.,/:#_$-])(?<![0-9] )(?P<exact>[0-9]{1,6}(?: \.|\. )[0-9]{2})"
    rf"(?={_TAX_CODE} ?(?:\n|\Z))",
    re.ASCII,
)
_ABOUT_MONEY = re.compile(
    r"total|amount|amt|\bcash|price|\bpa(?:y|id)|\bgst|\bvat|balance|change|\bbill|invoice|receipt|\bdue\b|\bcost|\bfees?\b"
    r"|discount|\bRM\b|[$€£¥₹]|金额|合计|小计|总计|价|款|费用|收费|税额|人民币|[0-9]元|收银|找零|应收|实收",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:qty|quantity|pcs|volume|weight|count|rate|points?|数量|重量|税率|汇率)[^0-9\n]{0,8}$", re.IGNORECASE
)
_TOTALLED = re.compile(
    r"total|amount|amt|cash|price|pa(?:y|id)|due|change|balance|tax|gst|合计|金额|价", re.IGNORECASE
)


def find_moneys(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:  # noqa: ARG001
    """Yield the MONEY mentions of `text`, none overlapping another, each on one row.

    Not money: percentages, counts and measures (2.00 KG, QTY 1.00), ranges (3.50-5.50), dates, times.
    """
    page = plain(text)
    taken = bytearray(len(page))
    forms = _IN_WORDS
    if has_digit(page):
        forms = _IN_WORDS + _IN_DIGITS + (_ALONE if _ABOUT_MONEY.search(page) else [])
    for pattern, read in forms:
        for match in pattern.finditer(page):
            if any(taken[match.start() : match.end()]):
                continue
            mention = read(match)
            if mention is not None:
                taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
                yield mention


def _bracketed(page: str, start: int, end: int) -> bool:
    return page[start - 1 : start] == "(" and page[end : end + 1] == ")"


def _written(match: re.Match[str]) -> Mention | None:
    """Read a match whose number is in digits."""
    groups = match.groupdict()
    name = next(n for n in ("grouped", "exact", "comma", "gap", "plain") if groups.get(n))
    digits = groups[name].replace("O", "0")
    if name == "comma":
        digits = digits.replace(",", ".")
    elif name == "gap":
        digits = digits.replace(" ", ".")
    elif match.re is _EUROPEAN:
        digits = digits.replace(".", "").replace(",", ".")
    scale = groups.get("scale") or groups.get("han_scale")
    value = Decimal(re.sub("[ ,'’]", "", digits)) * _SCALES.get(scale or "", 1)
    value += Decimal(groups.get("jiao") or 0) / 10 + Decimal(groups.get("fen") or 0) / 100
    if scale and value == value.to_integral_value():
        value = value.quantize(Decimal(1))
    start, end = match.span()
    # "AMOUNT (RM): 80.90": the currency counts, but the mention is the number.
    if set(groups.get("glue") or "") - {" "}:
        start = match.start("inner") if groups["inner"] else match.start(name)
    behind = not scale and _BEHIND_MINUS.match(match.string, end)
    if groups.get("minus") or groups.get("inner") or behind or _bracketed(match.string, start, end):
        value = -value
    currency = groups.get("currency") or groups.get("after")
    tidy = name == "plain" or groups[name].count(" ") + groups[name].count("O") == 0
    confidence = 0.95 if tidy and name != "comma" else 0.7
    code = _CURRENCIES.get(currency or "")
    if code in ("EUR", "CHF") and re.fullmatch(r"[0-9]{1,3}\.[0-9]{3}", digits):
        return found("MONEY", (start, end), UNCLEAR, None, code)  # thousands, or three decimals
    return found("MONEY", (start, end), confidence, f"{value:f}", code)


def _bare(match: re.Match[str]) -> Mention | None:
    """Read an amount without a currency: two decimals, on a row without a count or measure."""
    page, (start, end) = match.string, match.span()
    row_start = page.rfind("\n", 0, start) + 1
    before = page[max(row_start, start - 60) : start]
    # "3.10 合同金额" at a row's start is a section number.
    heading = not before.strip() and re.match(r" ?[\u4e00-\u9fff]", page[end : end + 2])
    if heading or _COUNTED.search(before):
        return None
    groups = match.groupdict()
    digits = re.sub("[ ,'’]", "", groups.get("plain") or groups["exact"])
    negative = groups.get("minus") or _BEHIND_MINUS.match(page, end) or _bracketed(page, start, end)
    value = -Decimal(digits) if negative else Decimal(digits)
    return found("MONEY", (start, end), 0.75 if _TOTALLED.search(before) else 0.6, f"{value:f}")


def _numerals(match: re.Match[str]) -> Mention | None:
    whole = han_amount(match["han"].replace(" ", ""))
    tenths = [han_amount(match[name]) if match[name] else 0 for name in ("jiao", "fen")]
    if whole is None or None in tenths:
        return None
    value = whole + Decimal(tenths[0] or 0) / 10 + Decimal(tenths[1] or 0) / 100
    if match.groupdict().get("minus"):
        value = -value
    sure = 0.97 if match.re is _IN_CAPITALS else 0.75
    return found("MONEY", match.span(), sure, f"{value:.2f}", _CURRENCIES[match["currency"]])


_Forms = list[tuple[re.Pattern[str], Callable[[re.Match[str]], Mention | None]]]
_IN_WORDS: _Forms = [(_IN_CAPITALS, _numerals), (_IN_SMALL, _numerals)]
_IN_DIGITS: _Forms = [(_EUROPEAN, _written), (_BEFORE, _written), (_BEHIND, _written)]
_ALONE: _Forms = [(_BARE, _bare), (_BARE_SPACED, _bare)]
