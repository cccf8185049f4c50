"""Which currency and which word of scale belong to a number: in front of it or behind it, never to two numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from pipeline.ner.locale.currencies import HAN, Currency
from pipeline.ner.patterns.money.number import Number, Source
from pipeline.ner.patterns.money.numerals import NOT_A_UNIT
from pipeline.ner.patterns.money.tokens import EAST_ASIAN, SCALES, SHORT, Token

GLUE = re.compile(r"(?P<label> {0,2}|\)? ?[:=]? ?)(?P<minus>- ?)?")
"""Between a currency and its amount: `RM 80.90`, `(RM): 80.90`, `€ -12,00`."""
_IS_UNIT = re.compile(NOT_A_UNIT)
_HAN_FIRST = frozenset(name[0] for name in HAN if len(name) > 1)
_OTHER_THINGS = frozenset({"pound", "pounds", "mark", "marks"})
"""Words for a weight or a grade too: they count on a page with that currency, or with a word of scale."""
_ONLY_BEFORE = frozenset({"Rp", "Rp."})  # 5 Rp. are Swiss cents
_NEXT_TO = ("", " ")
_REACH = 8
_OF_SCALE = ("", " ", ". ")
_UNIT_BEHIND = re.compile(" (?:euros|reais|pesos|d[óo]lares|soles|libras)(?![a-z])")
_PART = re.compile("[0-9]{1,4}|[0-9],[0-9]{3}")
_LONGEST_ROW = 40
_BEHIND_SCALE = frozenset({"", " ", "多", "余", " de ", " d'", " d’", " di ", " of "})


@dataclass(frozen=True, slots=True)
class Behind:
    """What belongs to a number behind it: the first token that does not, a factor, a currency."""

    after: int
    scale: int = 1
    currency: Currency | None = None
    more: Decimal = Decimal(0)


def in_front(source: Source, index: int, free: int) -> Token | None:
    """The currency in front of the number at `index`, if it belongs to no number before (tokens from `free` on)."""
    gap = source.gap(index)
    if gap is None or index - 1 < free or not GLUE.fullmatch(gap):
        return None
    token = source.tokens[index - 1]
    if token.currency is None or not _counts(source, token.currency):
        return None
    if (
        index - 2 >= free
        and source.tokens[index - 2].scale
        and source.gap(index - 1) in _OF_SCALE
        and ":" in gap
    ):
        return None  # "in Tsd. €: 450"
    # 港币4900元
    chinese = gap == "" and token.end - token.start > 1 and source.page[token.start] in _HAN_FIRST
    return token if chinese or not token.currency.noun else None


def behind(source: Source, number: Number, before: Token | None) -> Behind:
    """Scale and currency behind a number, in either order."""
    at, scale, currency, more = number.after, 1, None, Decimal(0)
    end = number.end
    while at < len(source.tokens) and (token := source.tokens[at]).start - end < _REACH:
        gap, end = source.page[end : token.start], token.end
        if token.scale and scale == 1 and _scales(source, token, gap, before, currency):
            scale = SCALES[token.scale.lower()]
            if token.scale in EAST_ASIAN:
                at, more = _more(source, at, scale)
                end = source.tokens[at].end
        elif token.currency and currency is None and _is_behind(source, at, gap, number, before, scale):
            currency = token.currency
        else:
            break
        at += 1
    if before is None and currency is None:
        return Behind(number.after)
    return Behind(at, scale, currency, more)


def _more(source: Source, at: int, scale: int) -> tuple[int, Decimal]:
    """The last token of what follows a scale, and what it adds: the 5千 of 3万5千, the 2000万 of 1亿2000万."""
    more = Decimal(0)
    while at + 2 < len(source.tokens) and source.tokens[at + 1].number:
        digits = source.printed(at + 1)
        following = source.tokens[at + 2].scale if source.gap(at + 2) == "" else None
        step = SCALES.get(following or "", 1)
        if source.gap(at + 1) not in ("", " " if following else "") or not _PART.fullmatch(digits):
            break
        value = Decimal(digits.replace(",", "")) * step
        if value >= scale or (following or len(digits) > 1) is False or (following and step >= scale):
            break
        at, scale, more = at + 1 + (following is not None), step, more + value
    return at, more


def _counts(source: Source, currency: Currency) -> bool:
    return not currency.weak or source.locale.currency in currency.codes


def _scales(source: Source, token: Token, gap: str, before: Token | None, currency: Currency | None) -> bool:
    if (token.scale or "").lower() not in SHORT:
        return gap in _NEXT_TO
    following = source.page[token.end : token.end + 1]
    if following and following in "€$£":  # T€, k$
        return gap in _NEXT_TO
    if token.scale == "mil" and (_UNIT_BEHIND.match(source.page, token.end) or source.locale.decimal == ","):
        return gap in _NEXT_TO  # cinco mil euros, R$ 5 mil
    sure = before is not None and currency is None and gap == "" and token.scale != "t"
    return sure and following not in ("²", "³", "/")


def _is_behind(source: Source, at: int, gap: str, number: Number, before: Token | None, scale: int) -> bool:
    """Whether the currency at `at` belongs to the number in front of it, and not to the one behind."""
    currency = source.tokens[at].currency
    if currency is None or not _counts(source, currency) or not _is_unit(source, at, scale):
        return False
    gap = gap.removeprefix("-") if number.cents else gap  # 12,00- EUR
    if gap not in _NEXT_TO and not (scale > 1 and gap in _BEHIND_SCALE):
        return gap == "-" and currency.noun
    near = source.gap(at + 1)
    if not currency.noun and near in _NEXT_TO and source.tokens[at + 1].number:
        return before is None and _nearer(source, at, number, gap, near or "")
    return before is None or currency.noun or currency.codes == (before.currency or currency).codes


def _is_unit(source: Source, at: int, scale: int) -> bool:
    """Whether the currency at `at` can be one behind an amount, and no other word: 元素, 8 pounds, `1 $AddBacon`."""
    token, name = source.tokens[at], source.printed(at)
    codes, before = (token.currency.codes, token.currency.before) if token.currency else ((), False)
    if name.lower() in _OTHER_THINGS and scale == 1 and source.locale.currency not in codes:
        return False
    glued = before and source.page[token.end : token.end + 1].isalpha()
    return not glued and name not in _ONLY_BEFORE and _IS_UNIT.match(source.page, token.end) is not None


def _nearer(source: Source, at: int, number: Number, gap: str, near: str) -> bool:
    """Whether a currency between two numbers belongs to the first."""
    currency = source.tokens[at].currency
    if _has_own(source, at + 1):
        return True
    if currency is None or currency.before:
        return False
    if len(gap) != len(near):
        return len(gap) < len(near)
    if number.cents != (source.printed(at + 1)[-3:-2] in (".", ",")):
        return number.cents
    return source.locale.decimal != "."


def _has_own(source: Source, index: int) -> bool:
    """Whether a row of numbers and currencies from the number at `index` on ends with a currency: 10 $ 20 $."""
    tokens = source.tokens
    for number in range(index, min(index + _LONGEST_ROW, len(tokens) - 1), 2):
        if not tokens[number + 1].currency or source.gap(number + 1) not in _NEXT_TO:
            return False
        if source.gap(number + 2) not in _NEXT_TO or not tokens[number + 2].number:
            return True
    return False
