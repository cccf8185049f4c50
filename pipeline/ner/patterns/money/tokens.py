"""The tokens of a page that amounts are made of, in one pass; all other text only parts them."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pipeline.ner.locale.currencies import HAN, Currency, all_names, named, phrases
from pipeline.ner.locale.numbers import NUMBER
from pipeline.ner.patterns.money.spelled import FIRST, spelled_at

SCALES = {
    **{
        "万": 10**4,
        "亿": 10**8,
        "百万": 10**6,
        "千万": 10**7,
        "万亿": 10**12,
        "千": 10**3,
        "百": 100,
        "百亿": 10**10,
    },
    **{"千亿": 10**11, "十万": 10**5, "十亿": 10**9},
    **{
        "萬": 10**4,
        "億": 10**8,
        "百萬": 10**6,
        "千萬": 10**7,
        "만": 10**4,
        "억": 10**8,
        "천": 10**3,
        "백만": 10**6,
    },
    **{"thousand": 10**3, "million": 10**6, "millions": 10**6, "mn": 10**6, "mln": 10**6, "mio": 10**6},
    **{"billion": 10**9, "billions": 10**9, "bn": 10**9, "bln": 10**9, "trillion": 10**12, "tn": 10**12},
    **{"lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7, "k": 10**3, "m": 10**6, "b": 10**9},
    "t": 10**3,
    **{"tsd": 10**3, "tausend": 10**3, "millionen": 10**6, "mrd": 10**9, "milliarde": 10**9},
    **{"milliarden": 10**9, "milliard": 10**9, "milliards": 10**9, "millones": 10**6, "mil": 10**3},
    **{"milioni": 10**6, "miliardi": 10**9, "miljoen": 10**6, "miljard": 10**9},
    **{"milhão": 10**6, "milhões": 10**6, "bilhão": 10**9, "bilhões": 10**9, "millón": 10**6, "tys": 10**3},
}
EAST_ASIAN = frozenset(scale for scale in SCALES if scale > "\u2e80")
SHORT = frozenset({"k", "m", "b", "t", "mil", "tn"})
"""Scales that mean other things too: only directly behind an amount with its currency in front."""
# OCR drops spaces (TOTALRM10.00, Cash10.00).
GLUED = ("total", "cash", "amount", "change", "due", "tax", "gst", "price")
_DOTTED = frozenset(
    {"Mio", "Mrd", "Tsd", "Rs", "kr", "Kr", "Fr", "SFr", "sFr", "Php", "Rp", "Ft", "руб", "грн", "лв"}
)
_HAN_WORDS = "|".join(sorted([*HAN, *EAST_ASIAN], key=len, reverse=True))
_TOKEN = re.compile(
    r"([A-Za-zÀ-ɏЀ-ӿ]+(?: ?\$|¥)?)"
    rf"|({NUMBER})"
    r"|(\.[0-9]{2}(?![0-9.,]))"
    r"|([$£¥฿₠-₿؋៛֏৳])"
    rf"|({_HAN_WORDS})",
    re.ASCII,
)
_WORD, _NUMBER, _CENTS, _SIGN = 1, 2, 3, 4
_AMERICAN = re.compile(r"[uU]\. ?[sS]\. ?\Z")
_SOLES = re.compile(r"/\.?(?= ?[0-9])(?<![0-9A-Za-z/]S/)")
_DAMAGED = re.compile(r"[0-9O]{1,6}\.[0-9O]{2}(?![0-9A-Za-z])")


class Token(NamedTuple):
    """A piece of an amount at `start:end`: a number (neither of the others), a currency, a word of scale.

    `spelled`: the value of a number in words.
    """

    start: int
    end: int
    currency: Currency | None = None
    scale: str | None = None
    spelled: str | None = None

    @property
    def number(self) -> bool:
        """Whether this is a number."""
        return self.currency is None and self.scale is None


def tokens_of(page: str) -> list[Token]:
    """The tokens of a page in order."""
    tokens: list[Token] = []
    known = _known()
    skip = 0
    for match in _TOKEN.finditer(page):
        kind = match.lastindex
        start, end = match.span()
        if start < skip:
            if kind == _CENTS and skip == start + 1:  # Rs.50
                tokens.append(Token(skip, end))
            continue
        if kind == _WORD:
            word = match[0]
            # Most words are none of ours; a digit behind one may hide a currency (TOTALRM10.00, RMO.00).
            if word.lower() in known or word[-1] in "$¥" or page[end : end + 1].isdecimal() or word == "RMO":
                tokens += _word(page, word, start)
        elif kind == _NUMBER:
            tokens.append(_number(page, start, end))
        elif kind == _CENTS:
            tokens.append(Token(start, end))
        elif match[0] == "$" and (letters := _AMERICAN.search(page, max(0, start - 6), start)):
            tokens.append(Token(letters.start(), end, currency=named("US$")))
        elif kind == _SIGN or match[0] not in SCALES:
            if currency := named(match[0]):  # there are signs of which we know no currency: ₰
                tokens.append(Token(start, end, currency=currency))
        else:
            tokens.append(Token(start, end, scale=match[0]))
        if tokens:
            skip = tokens[-1].end
    return tokens


@cache
def _known() -> frozenset[str]:
    """All words of interest, in small letters."""
    return frozenset({name.lower() for name in all_names()} | set(SCALES) | FIRST | phrases()[0] | {"s"})


def _number(page: str, start: int, end: int) -> Token:
    if page[end : end + 1] == "O" and (damaged := _DAMAGED.match(page, start)):  # 8O.9O
        return Token(start, damaged.end())
    return Token(start, end)


def _word(page: str, word: str, start: int) -> list[Token]:
    """The token of a word: a name of several words, a number, a currency, a scale, or what is glued to a label."""
    first, phrase, table = phrases()
    lower, end = word.lower(), start + len(word)
    if word == "S" and (soles := _SOLES.match(page, end)):
        return [Token(start, soles.end(), currency=named("S/"))]
    if lower in first and (longer := phrase.match(page, start)):
        return [Token(start, longer.end(), currency=table[longer[0].lower()])]
    if lower in FIRST and (spelled := spelled_at(page, start)):
        return [Token(start, spelled[0], spelled=spelled[1])]
    end += word in _DOTTED and page[end : end + 1] == "."
    if currency := named(word):
        return [Token(start, end, currency=currency)]
    if lower in SCALES:
        return [Token(start, end, scale=lower)]
    return _signed(page, word, start) if word[-1] in "$¥" else _glued(page, word, start)


def _signed(page: str, word: str, start: int) -> list[Token]:
    """A sign behind a word that is no part of it (`price $`), or `U.S. $`."""
    end = start + len(word)
    if word[0] in "sS" and len(word) <= 3 and page[max(0, start - 2) : start] in ("u.", "U."):
        return [Token(start - 2, end, currency=named("US$"))]
    return [*_word(page, word[:-1].rstrip(), start), Token(end - 1, end, currency=named(word[-1]))]


def _glued(page: str, word: str, start: int) -> list[Token]:
    """A currency behind a label without a space (`TOTALRM`), and `RMO.00`."""
    end = start + len(word)
    if word == "RMO" and (damaged := _DAMAGED.match(page, end - 1)):
        return [Token(start, end - 1, currency=named("RM")), Token(end - 1, damaged.end())]
    for size in (2, 3):
        name = word[-size:]
        if name.isupper() and word[:-size].lower().endswith(GLUED) and (currency := named(name)):
            return [Token(end - size, end, currency=currency)]
    return []
