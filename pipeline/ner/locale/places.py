"""The currency of a page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.ner.characters import is_japanese
from pipeline.ner.locale.currencies import Currency, currency_in, named

_NAME = re.compile(
    r"(?=[A-Zekz$¥£€฿₠-₿人元円台新日欧港美臺英])(?:"
    r"[Ee][Uu][Rr][Oo][Ss]?(?![A-Za-z])|[A-Z]{1,3}[$¥]|[A-Z]{3}(?![A-Za-z])|[$¥£€฿₠-₿]"
    r"|RM|Rs|kr|Kč|zł|Rp|TL|人民[币幣]|[美港欧日]?元|新?[台臺][币幣]|港[币幣]|円|英镑)"
)
_LABEL = re.compile(
    r"(?:\b(?:in|currency|(?:rechnungs)?währung|devise|monnaie|moneda|valuta|amount|betrag|total)|币种|单位|\()"
    r" {0,2}[:：]? {0,2}\Z",
    re.IGNORECASE,
)
_NUMBER_BEHIND = re.compile(r"\)?[ .:]{0,3}-?[0-9]")
_AMOUNT_BEHIND = re.compile(r"[ .:]{0,3}\n?-?[0-9.]{1,9}[.,][0-9]{2}(?![0-9])")
_NUMBER_BEFORE = re.compile(r"[0-9] ?\Z")
_REACH = 20
_JAPANESE = 3
_RANDS = re.compile(r"(?<![A-Za-z0-9])R ?[0-9]+(?:[ ,][0-9]{3})*\.[0-9]{2}(?![0-9])")
_SOUTH_AFRICAN = 3
_BY_FAR = 4
"""How many times as often as the next one a currency must be named."""


def currency_of(page: str, country: str | None) -> str | None:
    """The currency that the page names most, by far; else that of its country, unless the page names others.

    A sign of several currencies means the one of them that the page names otherwise, else the country's.
    """
    home = "JPY" if is_japanese(page, _JAPANESE) else currency_in(country)
    counts = Counter(_names(page)).items()
    each: list[tuple[Currency, int]] = [(one, count) for name, count in counts if (one := named(name))]
    printed = [(one, count) for one, count in each if not one.weak or home in one.codes]
    if not printed:
        return "ZAR" if len(_RANDS.findall(page)) >= _SOUTH_AFRICAN else home
    sure = {currency.codes[0] for currency, _ in printed if len(currency.codes) == 1}
    seen: Counter[str] = Counter()
    for currency, count in printed:
        own = [] if currency.noun else [code for code in currency.codes if code in sure]
        if code := own[0] if len(own) == 1 else currency.code(home):
            seen[code] += count
    if not seen:
        return home
    (most, count), *others = seen.most_common(2)
    return most if not others or count >= _BY_FAR * others[0][1] else None


def _names(page: str) -> Iterator[str]:
    """The names of currencies next to a number, in brackets, or behind a word such as `in` or `Currency:`."""
    for match in _NAME.finditer(page):
        if named(match[0]) is None:
            continue
        start, end = match.span()
        before = max(0, start - _REACH)
        word = match[0].lower().startswith("euro")
        if not word and page[start - 1 : start].isalpha() and page[start - 1 : start].isascii():
            continue
        if page[start - 1 : start].isdecimal() and page[end : end + 1].isdecimal():
            continue  # letters of a number, such as AB1234RSD001
        if (
            (_AMOUNT_BEHIND if word else _NUMBER_BEHIND).match(page, end)
            or (match[0] != "Rp" and _NUMBER_BEFORE.search(page, before, start))
            or _LABEL.search(page, before, start)
        ):
            yield match[0]
