"""Amounts out of the tokens of a page: a number and its currency, in front or behind, with a word of scale."""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import structs

from pipeline.models import Mention, PageLocale
from pipeline.ner.characters import found
from pipeline.ner.locale.currencies import CHINESE, Currency, currency_in
from pipeline.ner.patterns.money.bare import Bare
from pipeline.ner.patterns.money.number import Number, Source, number_at
from pipeline.ner.patterns.money.rates import rates_in
from pipeline.ner.patterns.money.sides import GLUE, Behind, behind, in_front
from pipeline.ner.patterns.money.signs import bracketed, minus_before, minus_behind
from pipeline.ner.patterns.money.tokens import Token, tokens_of

UNCLEAR = 0.55
"""Confidence of an amount with another reading."""
_UNUSUAL = 0.7
_SHARED = 0.85
_DEFAULTS = ("USD", "CNY")
"""What `$` and `¥` mean on a page of no known country, with the confidence `_SHARED`."""
_PERCENT = re.compile(r" ?(?:[%‰]|per ?cent\b|Prozent\b)")
_GOES_ON = re.compile(r"-(?=[0-9A-Za-z-])|[A-Za-z0-9#_]|/[0-9]")
_PER_MEASURE = re.compile(r" ?/ ?(?:[kM]Wh?|GB|MB|km|m[²³23]|min)\b")
_JIAO_FEN = re.compile(
    r"(?:(?P<jiao>[0-9])(?:[角毛]|(?<=[块塊][0-9])(?![0-9.,:%A-Za-z\u4e00-\u9fff])))?(?:(?P<fen>[0-9])分(?!钟))?"
)
"""What follows 元 or 块: 5角, 5毛, 2分; also the 5 of 25块5."""
_MORE = re.compile("[多余]?(?:元|圆)?")
_TO_SCALE = re.compile(
    r" ?(?:-|to|bis|à) ?[$€£¥]?[0-9]+(?:[.,][0-9]+)* ?(?:(?:thousand"
    r"|millions?|billions?|trillion|mn|m|bn|k|mio\.?|mrd\.?"
    r"|million(?:en)?|milliarden?|milliards?|millones|milioni|miliardi|miljoen|miljard)(?![a-z])|[百千]?[万亿萬億])",
    re.IGNORECASE,
)
"""A range whose scale counts for both its ends, perhaps: `$1.5 - 2 billion`."""
_APART = re.compile(r"(?: [0-9.,](?![0-9])){2}")
"""Digits in boxes of their own: ¥ 3 0 0 . 0 0."""
_PART_BEFORE = frozenset("十拾百佰千仟万萬亿億零")
_RATE = re.compile(r"(?:[A-Z]{3}/|\b1 ?(?:[A-Z]{3}|[$€£]) ?= ?)(?:[A-Z]{3}|[$€£])? ?\Z")
_LONGEST = 9
_CENT = Decimal("0.01")
_SENTENCE_END = re.compile(r"[.!?]?\s*(?:\n|\Z)")
_CLOSE = frozenset({"", " ", ", ", ". ", "-", "多", "余"})
_AND_CENTS = frozenset({" ", " and ", ", ", " und ", " et ", " y "})


def amounts_in(text: str, page: str, locale: PageLocale) -> list[Mention]:
    """The amounts of a page that are written with digits, in order; `page` is `plain(text)`."""
    source = Source(text, page, tokens_of(page), locale)
    bare, rates = Bare(source), rates_in(page)
    mentions: list[Mention] = []
    index = free = 0
    while index < len(source.tokens):
        amount = None
        if source.tokens[index].number and source.tokens[index].start not in rates:
            before = in_front(source, index, free)
            if before is not None or not _plain(source, index):
                amount = _amount(source, index, before, bare)
        if amount is None:
            index += 1
        else:
            mentions.append(amount[0])
            index = free = amount[1]
    return mentions


def _amount(source: Source, index: int, before: Token | None, bare: Bare) -> tuple[Mention, int] | None:
    """An amount whose number begins at `index`, with a currency or without, and the index of the token behind it."""
    code = _code(before.currency, source.locale) if before and before.currency else None
    number = number_at(source, index, code, signed=before is not None)
    if number is None:
        return None
    if amount := _written(source, number, before):
        return amount
    if before is not None:
        number = number_at(source, index, None, signed=False)
    return bare.read(number) if number else None


def _plain(source: Source, index: int) -> bool:
    """Whether the token is a whole number with nothing behind it that could make it an amount: most numbers are."""
    gap = source.gap(index + 1)
    return gap not in _CLOSE and source.printed(index).isdecimal() and (gap or "")[1:2] != "-"


def _written(source: Source, number: Number, before: Token | None) -> tuple[Mention, int] | None:
    """The number as an amount with a currency, in front of it or behind it."""
    if _PERCENT.match(source.page, number.end) or _TO_SCALE.match(source.page, number.end):
        return None
    if number.end - number.start == 1 and _APART.match(source.page, number.end):
        return None
    if before and not number.cents and _doubtful(source, before):
        before = None
    rest = behind(source, number, before)
    currency = before.currency if before else rest.currency
    if currency is None or not _whole(source, number, rest, signed=before is not None):
        return None
    start, minus = _start(source, number, before)
    value, end, after = _value(source, number, currency, rest)
    between = (
        number.cents and rest.after > number.after and source.page.startswith("-", number.end)
    )  # 12,00- EUR
    minus = minus or between or (rest.scale == 1 and minus_behind(source.page, end))
    # （￥300.00） repeats an amount in capitals
    chinese = source.text[start - 1 : start] == "（"
    minus = minus or (not chinese and bracketed(source.page, start, end, bare=False))
    other = _times(number.reading.other, rest.scale, currency) if number.reading.other else None
    sure = UNCLEAR if other is not None else 0.95 if number.reading.usual and not number.damaged else _UNUSUAL
    if currency.codes == CHINESE and source.locale.country is None:
        sure = min(sure, _SHARED)  # of Hong Kong, perhaps
    if (
        source.locale.country is None
        and currency.codes[0] in _DEFAULTS
        and len(currency.codes) > 1
        and not currency.noun
    ):
        sure = min(sure, _SHARED)
    mention = found("MONEY", (start, end), sure, _signed(value, minus=minus), _code(currency, source.locale))
    return structs.replace(mention, other=_signed(other, minus=minus) if other is not None else None), after


def _doubtful(source: Source, before: Token) -> bool:
    """Whether a whole number behind this currency may be something else: in another column, a code, `EURO95`."""
    glued = (
        before.start > 0
        and source.page[before.start - 1].isascii()
        and source.page[before.start - 1].isalnum()
    )
    word = source.page[before.start : before.end].lower() in ("euro", "euros")
    return glued or word or source.page.startswith("  ", before.end)


def _whole(source: Source, number: Number, rest: Behind, *, signed: bool) -> bool:
    """Whether nothing goes on in front of the amount or behind it."""
    before = source.page[number.start - 1 : number.start]
    if not signed and ((before.isascii() and before.isalnum()) or before in (".", ",", "/", "#", "_")):
        return False
    if not signed and before == ":" and source.page[number.start - 2 : number.start - 1].isdecimal():
        return False  # 234:50 kr
    if not signed and before in _PART_BEFORE:
        return False  # the end of 2千零5元
    end = source.tokens[rest.after - 1].end
    parts = rest.currency is not None and rest.currency.part > 1
    if (parts or not number.cents) and _PER_MEASURE.match(source.page, end):
        return False
    rate = _RATE.search(source.page, max(0, number.start - 12), number.start)
    long = number.end - number.start > _LONGEST and source.page[number.start : number.end].isdecimal()
    if not number.cents and (rate or long):
        return False
    return rest.after > number.after or number.cents or not _GOES_ON.match(source.page, number.end)


def _start(source: Source, number: Number, before: Token | None) -> tuple[int, bool]:
    """Where the mention begins, and whether a minus sign is there."""
    start, minus = number.start, False
    if before and (glue := GLUE.fullmatch(source.page, before.end, number.start)):
        minus = glue["minus"] is not None
        # "AMOUNT (RM): 80.90": the currency counts, but the mention is the number.
        start = number.start - len(glue["minus"] or "") if glue["label"].strip() else before.start
    at = None if minus else minus_before(source.page, start)
    return (start, minus) if at is None else (at, True)


def _value(source: Source, number: Number, currency: Currency, rest: Behind) -> tuple[Decimal, int, int]:
    """The value, where the mention ends, and the index of the token behind it."""
    value = _times(number.reading.value, rest.scale, currency) + rest.more
    end = max(number.end, source.tokens[rest.after - 1].end)
    if rest.scale > 1 and (more := _MORE.match(source.page, end)):
        end = more.end()
    if currency.noun and (small := _JIAO_FEN.match(source.page, end)) and small[0]:
        value += Decimal(small["jiao"] or 0) / 10 + Decimal(small["fen"] or 0) / 100
        return value, small.end(), rest.after
    if currency.part == rest.scale == 1 and (parts := _cents(source, rest.after, currency)) is not None:
        cents, after = parts
        return (value + cents).quantize(_CENT), source.tokens[after - 1].end, after
    return value, end, rest.after


def _cents(source: Source, index: int, currency: Currency) -> tuple[Decimal, int] | None:
    """`50 cents` behind `3 dollars`; the 50 of `3€50`, and of `15 dollars 50.`"""
    digits = source.printed(index) if source.gap(index) == "" else ""
    if len(digits) == 2 and digits.isdecimal() and source.page[source.tokens[index].start - 1] == "€":
        return Decimal(digits) / 100, index + 1
    if source.gap(index) not in _AND_CENTS or not source.tokens[index].number:
        return None
    number = number_at(source, index, None, signed=False)
    if number is None or number.reading.decimals or len(number.reading.value) > 2:
        return None
    cents = Decimal(number.reading.value) / 100
    unit = source.tokens[index + 1].currency if source.gap(index + 1) == " " else None
    if unit is None or unit.part == 1:
        last = currency.noun and _SENTENCE_END.match(source.page, number.end)
        return (cents, index + 1) if last else None
    return cents, index + 2


def _times(number: str, scale: int, currency: Currency) -> Decimal:
    if currency.part > 1:
        value = Decimal(number) / currency.part
        return value.quantize(_CENT) if value == value.quantize(_CENT) else value
    factor = scale if scale > 1 else currency.scale
    value = Decimal(number) * factor
    return value.quantize(Decimal(1)) if factor > 1 and value == value.to_integral_value() else value


def _code(currency: Currency, locale: PageLocale) -> str | None:
    """What a currency means on a page; 元 is what the country pays with."""
    if currency.codes == CHINESE:
        return currency.code(currency_in(locale.country))
    return currency.code(locale.currency)


def _signed(value: Decimal, *, minus: bool) -> str:
    return f"{-value if minus and value else value:f}"
