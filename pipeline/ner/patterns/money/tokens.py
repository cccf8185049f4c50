"""The tokens of a page that amounts are made of, in one pass; all other text only parts them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.ner.locale.currencies import HAN, Currency, named, phrases
from pipeline.ner.locale.numbers import NUMBER

SCALES = {
    **{"万": 10**4, "亿": 10**8, "百万": 10**6, "千万": 10**7, "万亿": 10**12, "千": 10**3, "百亿": 10**10},
    **{"千亿": 10**11, "十万": 10**5, "十亿": 10**9},
    **{"thousand": 10**3, "million": 10**6, "millions": 10**6, "mn": 10**6, "mln": 10**6, "mio": 10**6},
    **{"billion": 10**9, "billions": 10**9, "bn": 10**9, "bln": 10**9, "trillion": 10**12, "tn": 10**12},
    **{"lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7, "k": 10**3, "m": 10**6, "b": 10**9},
    **{
        "tsd": 10**3,
        "tausend": 10**3,
        "millionen": 10**6,
        "mrd": 10**9,
        "milliarde": 10**9,
        "milliarden": 10**9,
    },
    **{
        "milliard": 10**9,
        "milliards": 10**9,
        "millones": 10**6,
        "mil": 10**3,
        "milioni": 10**6,
        "miliardi": 10**9,
    },
    **{"miljoen": 10**6, "miljard": 10**9},
}
SHORT = frozenset({"k", "m", "b", "mil", "tn"})
"""Scales that stand for other things too: only directly behind an amount with its currency in front."""
# OCR drops spaces (TOTALRM10.00, Cash10.00).
GLUED = ("total", "cash", "amount", "change", "due", "tax", "gst", "price")
_HAN_WORDS = "|".join(sorted([*HAN, *(s for s in SCALES if s > "\u2e80")], key=len, reverse=True))
_TOKEN = re.compile(
    r"(?P<damaged>(?:(?<=RM)|(?<=[$€£¥ ]))(?=[0-9.]{0,8}O)[0-9O]{1,6}\.[0-9O]{2}(?![0-9A-Za-z]))"  # 8O.9O
    rf"|(?P<number>{NUMBER}|\.[0-9]{{2}}(?![0-9.,]))"
    r"|(?P<word>(?:(?:Rs|[Kk]r|Fr|[Ss]Fr|Php|Rp|Ft|Mio|Mrd|Tsd|руб|грн|лв)\.(?=[ 0-9\n])|RM(?=O\.)"
    r"|[uU]\.[sS]\.?(?= ?\$)|[A-Za-zÀ-ɏЀ-ӿ]+)(?: ?[$]|¥)?)"
    r"|(?P<sign>[$£¥฿₠-₿؋៛֏৳])"
    rf"|(?P<han>{_HAN_WORDS})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an amount at `start:end`: a number (neither a currency nor a scale), a currency, a word of scale."""

    start: int
    end: int
    currency: Currency | None = None
    scale: str | None = None

    @property
    def number(self) -> bool:
        """Whether this is a number."""
        return self.currency is None and self.scale is None


def tokens_of(page: str) -> list[Token]:
    """The tokens of a page in order."""
    tokens: list[Token] = []
    first, phrase, table = phrases()
    skip = 0
    for match in _TOKEN.finditer(page):
        kind, start, end = match.lastgroup, match.start(), match.end()
        if start < skip:
            continue
        if kind in ("number", "damaged"):
            tokens.append(Token(start, end))
            continue
        word = match[0]
        if kind == "word" and word.lower() in first and (longer := phrase.match(page, start)):
            skip = longer.end()
            tokens.append(Token(start, skip, currency=table[longer[0].lower()]))
        elif kind == "word":
            tokens += _word(word, start)
        elif (currency := named(word)) is not None:
            tokens.append(Token(start, end, currency=currency))
        else:
            tokens.append(Token(start, end, scale=word))
    return tokens


def _word(word: str, start: int) -> list[Token]:
    """The token of a word: a currency, a scale, a glued label and its currency; none for all other words."""
    end = start + len(word)
    bare = word.rstrip(".")
    if currency := named(word) or named(bare):
        return [Token(start, end, currency=currency)]
    if (scale := bare.lower()) in SCALES:
        return [Token(start, end, scale=scale)]
    if word[-1] in "$¥":  # "price $": the word is no part of the sign
        sign = named(word[-1])
        return [*_word(word[:-1].rstrip(), start), Token(end - 1, end, currency=sign)]
    for size in (2, 3):
        if (
            word[:-size].lower().endswith(GLUED)
            and (currency := named(word[-size:]))
            and word[-size:].isupper()
        ):
            return [Token(end - size, end, currency=currency)]
    return []
