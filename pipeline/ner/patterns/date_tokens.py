"""The tokens of dates: a page becomes a short signature, one letter per token, that the forms of dates match.

| letter | token |
| --- | --- |
| `n`, `Y`, `x` | number of one or two digits, year 1900 to 2099, any other number |
| `X` | eight digits that read as year, month and day |
| `t` | time of day, also where OCR dropped the blank before it |
| `M`, `o`, `c`, `r` | name of a month; ordinal (`th`), connecting (`of`) and range (`until`) word |
| `k` | word before a date (`Date`, a weekday) |
| `a`, `w`, `h`, `z` | other words of one or two letters, longer ones, Chinese text, anything else |
| `y`, `m`, `d`, `e`, `g` | 年, 月, 日, the name of an era, 元 |
| `N` | end of a row |

Blanks are ` ` and `_` (two: they part columns), marks stand for themselves. Rows without a digit have no tokens.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.ner.patterns.months import Month, months, weekdays

_EIGHT = "(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]"
_CLOCK = "[0-2]?[0-9] ?: ?[0-5][0-9](?![0-9]|[-/.][0-9]{1,2}[-/.])"
_SPECIAL = "년월일年月日号曰號令平昭大民中时時间期所有至到迄"
_TOKEN = re.compile(
    # the most frequent tokens first
    r"(?P<word>[A-Za-z\u00c0-\u024f]+)"
    r"|(?P<blank> +)"
    rf"|(?P<t>(?<![0-9][-/.]){_CLOCK})"
    # OCR may join a time to a date (25/12/201812:33).
    rf"|(?P<number>(?:[0-9]{{8}}|[0-9]{{4}}|(?![0-9]{{4}}(?::[0-9]{{2}}){{3}})[0-9]{{2}})(?={_CLOCK})"
    rf"|{_EIGHT}(?=[0-9]{{6}})|[0-9]+)"
    r"|(?P<mark>[-/.,~:'\u2019`\u00b4])"
    r"|(?P<e>令和|平成|昭和|大正|(?:中[华華])?民[国國])"
    r"|(?P<k>日 ?期|时间|時間|月份|期间|所属期|有效期)"
    r"|(?P<r>起?[至到迄\u301c]|から)"
    r"|(?P<y>[年년])|(?P<m>[月월])|(?P<d>[日号曰號일])|(?P<o>[\u00ba\u00aa\u00b0])"
    rf"|(?P<h>[^\x00-\u2fff\uff00-\uffff{_SPECIAL}]+|[{_SPECIAL}])"
    rf"|(?P<z>[^0-9A-Za-z\u00aa\u00b0\u00b4\u00ba\u00c0-\u024f\u2019\u301c\u3400-\u9fff -/:~`]+|.)"
)
_ROW = re.compile(r"^[^\n0-9]*[0-9][^\n]*", re.MULTILINE)
_DAMAGED = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-3O][0-9O])([-/.])(?:[01O][0-9O])\1(?:[12][0-9O]{3})(?![0-9A-Za-z])"
)
"""O5/01/2O18: the letter O can only be a zero here."""

_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "e", "o", "ste", "de"})
_SPLIT_ORDINALS = frozenset({"st", "nd", "rd", "th"})
"""Those that text layers part from their number, because they are raised."""
_WORDS = {
    **dict.fromkeys(("of", "de", "del", "di", "den", "in"), "c"),
    **dict.fromkeys(("to", "until", "through", "thru", "bis", "au", "a", "à", "al", "tot"), "r"),
    **dict.fromkeys(("hasta", "até", "ate", "sampai", "hingga"), "r"),
    **dict.fromkeys(("date", "dates", "dated", "month", "period", "tarikh", "datum", "fecha", "data"), "k"),
}
_LABEL_ENDS = ("date", "datum")


class Tokens:
    """The tokens of a page: `signature`, and the span of each in the page."""

    def __init__(self, page: str) -> None:
        self.page = page
        clean = _DAMAGED.sub(lambda match: match[0].replace("O", "0"), page) if "O" in page else page
        self.clean = clean
        letters, self.spans = _tokens(clean)
        if _is_japanese(page):
            for number, (start, end) in enumerate(self.spans):
                if letters[number] == "a" and clean[start:end] in _ERA_LETTERS:
                    letters[number] = "e"
        self.signature = bytearray("".join(letters), "ascii")

    def text(self, token: int) -> str:
        """The characters of a token."""
        start, end = self.spans[token]
        return self.clean[start:end]

    def number(self, token: int) -> int:
        """The value of a token of digits."""
        return int(self.text(token))

    def month(self, token: int) -> Month:
        """The month that a token names."""
        return months()[self.text(token).lower()]

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Where the tokens from `first` to before `end` stand in the page."""
        return self.spans[first][0], self.spans[end - 1][1]


_ERA_LETTERS = frozenset("RHST")
_KANA = re.compile("[\u3041-\u30fa]|令和|平成|昭和")


def _is_japanese(page: str) -> bool:
    return not page.isascii() and _KANA.search(page) is not None


def _tokens(page: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The letters of a page's tokens, and their spans."""
    words = _word_letters()
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    for row in _ROW.finditer(page):
        last = ""
        for match in _TOKEN.finditer(page, *row.span()):
            start, end = match.span()
            kind = match.lastgroup
            if kind == "number":
                if last == "M" and end - start == 6:  # Aug092012
                    letters.append("n")
                    spans.append((start, start + 2))
                    start += 2
                letter = _number_letter(page, start, end)
            elif kind == "word":
                word = match[0].lower()
                letter = words.get(word, "")
                if (last in ("n", "Y") and word in _ORDINALS) or (last == " " and word in _SPLIT_ORDINALS):
                    letter = "o"
                elif not letter:
                    letter, start = _unknown_word(word, start)
            elif kind == "blank":
                letter = " _z"[min(end - start, 3) - 1]
            elif kind == "mark":
                letter = match[0] if match[0] in "-/.,~:" else "'"
            else:
                letter = "g" if match[0] == "元" else str(kind)
            letters.append(letter)
            spans.append((start, end))
            last = letter
        letters.append("N")
        spans.append((row.end(), row.end()))
    return letters, spans


def _number_letter(page: str, start: int, end: int) -> str:
    size = end - start
    if size < 3:
        return "n"
    if size == 4:
        return "Y" if page[start : start + 2] in ("19", "20") else "x"
    return "X" if size == 8 and re.match(_EIGHT, page[start:end]) else "x"


def _unknown_word(word: str, start: int) -> tuple[str, int]:
    """The letter of a word and where it begins: `ThuAug` is the month alone."""
    if len(word) < 3:
        return "a", start
    if word.endswith(_LABEL_ENDS):
        return "k", start
    if len(word) > 5 and word[:3] in weekdays() and word[3:] in months():
        return "M", start + 3
    return "w", start


@lru_cache(maxsize=1)
def _word_letters() -> dict[str, str]:
    return {**dict.fromkeys(weekdays(), "k"), **dict.fromkeys(months(), "M"), **_WORDS}
