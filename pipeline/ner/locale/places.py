"""The currency of a page."""

from __future__ import annotations

import re
from collections import Counter

from pipeline.ner.locale.currencies import currency_in, named

_NAME = re.compile(
    r"[A-Z]{1,3}[$¥]|[A-Z]{3}(?![A-Za-z])|[$¥£€฿₠-₿]|RM|Rs|kr|Kč|zł|Rp|TL|人民币|[美港欧日]?元|円|英镑"
)
# A currency next to a number, in brackets or behind a word such as "in" or "Currency:".
_LABEL = re.compile(
    r"(?:\b(?:in|currency|(?:rechnungs)?währung|devise|monnaie|moneda|valuta|amount|betrag|total)|币种|单位|\()"
    r" {0,2}[:：]? {0,2}\Z",
    re.IGNORECASE,
)
_NUMBER_BEHIND = re.compile(r"\)?[ .:]{0,3}-?[0-9]")
_NUMBER_BEFORE = re.compile(r"[0-9] ?\Z")
_REACH = 20
_BY_FAR = 4
"""How many times as often as the next one a currency must be named."""


def currency_of(page: str, country: str | None) -> str | None:
    """The currency that the page names most, by far; else that of its country, unless the page names others.

    A sign that several currencies share names the country's own if that is one of them.
    """
    home = currency_in(country)
    seen: Counter[str] = Counter()
    for match in _NAME.finditer(page):
        currency = named(match[0])
        if currency is None or (currency.weak and home not in currency.codes):
            continue
        start, end = match.span()
        if page[start - 1 : start].isascii() and page[start - 1 : start].isalpha():
            continue
        before = max(0, start - _REACH)
        if (
            _NUMBER_BEHIND.match(page, end)
            or _NUMBER_BEFORE.search(page, before, start)
            or _LABEL.search(page, before, start)
        ) and (code := currency.code(home)):
            seen[code] += 1
    if not seen:
        return home
    (most, count), *others = seen.most_common(2)
    return most if not others or count >= _BY_FAR * others[0][1] else None
