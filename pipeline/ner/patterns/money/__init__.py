"""MONEY: amounts with their currency; the value is a plain decimal string such as `1234.50`.

A page is read as tokens (`tokens`): numbers, names of currencies, words of scale, percent signs, line ends. A number
(`number`: its digits by the page's locale, also where spaces part the thousands or OCR has added some) is an amount if
a currency is next to it (`written`: RM 80.90, 100元, 1.234,56 €, £8.10 million), or if it has two decimals on
a page about money (`bare`); `numerals` reads Chinese ones (肆佰壹拾贰圆整). `signs` tells negative amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention, PageLocale
from pipeline.ner import locale as locales
from pipeline.ner.characters import has_digit, plain
from pipeline.ner.patterns.money.amounts import amounts_in
from pipeline.ner.patterns.money.numerals import numerals_in

_IN_WORDS = re.compile(
    r"\b(?:dollars?|euros?|pounds?|yen|yuan|rupees?|cents?|francs?|USD|EUR|GBP)\b", re.IGNORECASE
)


def find_moneys(text: str, locale: PageLocale | None = None) -> Iterator[Mention]:
    """Yield the MONEY mentions of `text`, none overlapping another, each on one row; sorted by start.

    Not money: percentages, counts and measures (2.00 KG, QTY 1.00), ranges (3.50-5.50), dates, times.
    """
    page = plain(text)
    some = has_digit(page) or _IN_WORDS.search(page)
    locale = locale or locales.read(text)
    written = amounts_in(text, page, locale) if some else []
    end = 0
    for mention in sorted(
        [*written, *numerals_in(page, locale.country)], key=lambda each: (each.start, -each.end)
    ):
        if mention.start >= end:
            yield mention
            end = mention.end
