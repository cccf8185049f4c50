"""Rates of exchange, whose numbers are no amounts: `1 EUR = 1.0845 USD`, `1美元=7.2345元`, `Wechselkurs 1,0845 USD`."""

from __future__ import annotations

import re

from pipeline.ner.characters import lowered

_CURRENCY = r"[A-Z]{3}(?![A-Za-z])|[$€£¥₩₹฿]|R[MSsp]\.?|kr|Kč|zł|ドル|ユーロ"
_CURRENCY += "|(?:人民[币幣]|[美港欧歐日澳加韩韓新]?[元币幣圆圓]|英[镑鎊]|円)"
_EQUATION = re.compile(
    rf"(?:(?<![0-9.,])(?P<number>10{{0,4}}(?:[.,]0+)?) ?(?P<one>{_CURRENCY})"
    rf"|(?P<before>[$€£¥₹]) ?(?P<number2>1(?:[.,]0+)?))"
    rf" ?[=≈] ?(?P<other>{_CURRENCY})? ?(?P<rate>[0-9]+(?:[.,][0-9]+)?) ?(?P<behind>{_CURRENCY})?"
)
_LABELLED = re.compile(  # in lower case; every alternative begins with a letter of its own: that is fast to search
    r"(?:exchange rate|rate of exchange|wechselkurs|umrechnungskurs|devisenkurs|taux de change|cours de change"
    r"|tipo de cambio|tasso di cambio|wisselkoers|汇率|匯率|牌价|為替レート)[ :=]{0,3}(?P<rate>[0-9]+[.,][0-9]+)"
)


def rates_in(page: str) -> set[int]:
    """Where the numbers of rates begin."""
    starts = {match.start("rate") for match in _LABELLED.finditer(lowered(page))}
    for match in _EQUATION.finditer(page) if "=" in page or "≈" in page else ():
        second = match["other"] or match["behind"]
        if second and second != (match["one"] or match["before"]):
            starts |= {match.start("rate"), max(match.start("number"), match.start("number2"))}
    return starts
