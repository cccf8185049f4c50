"""The words of a page with their place, in the rows that they form: a table is read by the place of its words.

The reading order of a page separates columns and blocks; a table may be cut by it, so its rows are formed again here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import structs

from pipeline.documents.items import Item, cell_edges, items_of, slope_of
from pipeline.fields.items.unit_words import is_unit
from pipeline.models import Page, TextLine
from pipeline.ner.characters import plain
from pipeline.ner.locale.numbers import read_number

_SIGN = r"[$€£¥₹₩฿₽₫₪₴₺]|(?:US|HK|NT|AU?|CA?|NZ|S|R)\$|R\$|Rs\.?|RM|kr\.?|zł|Kč|元"
_CODES = "EUR|USD|GBP|CHF|CNY|RMB|JPY|MYR|SGD|HKD|TWD|AUD|CAD|NZD|INR|THB|KRW|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN"
CURRENCY = rf"(?:{_SIGN}|(?:{_CODES}))"
_NUMBER = (
    r"(?:[0-9]{1,3}(?:[ '’][0-9]{3})+(?:[.,][0-9]{1,4})?(?![0-9])"
    r"|[0-9]{1,9}[.,]-{1,2}|[0-9]{1,18}(?:[.,'’][0-9]{1,15}){0,6}|[.,][0-9]{2})"
)
_FIGURE = (
    rf"(?:\( ?)?(?:[-+] ?)?(?:{CURRENCY} ?)?(?:[-+] ?)?{_NUMBER}(?: ?\))?(?:-(?![0-9A-Za-z]))?"
    rf"(?: ?(?:%|{CURRENCY}(?![A-Za-z])|(?:CR|DR|Cr|Dr|cr|dr)\b\.?))?"
)
_GLUED_DATE = r"[0-9]{1,2}[/.-][0-9]{1,2}(?:[/.-](?:[0-9]{4}|[0-9]{2}))?(?=[^\W\d_])"
_TOKEN = re.compile(rf"(?<!\S)(?P<figure>{_FIGURE})[.,;:*]{{0,2}}(?= |\Z)|(?<!\S){_GLUED_DATE}|\S+")
_LABELLED = re.compile(rf"(?P<label>[^0-9]{{1,40}}[):])(?P<figure>{_FIGURE})")
_NO_DIGITS = re.compile("[^0-9.,']")
_WITH_UNIT = re.compile(rf"(?P<figure>{_FIGURE})(?P<unit>/?[^\W\d_]{{1,8}}[²³]?\.?)")


_DOWN = 12
"""Maximum number of characters of a line that is taken apart because it runs down."""


class Word(NamedTuple):
    """A word, or a figure with its sign, currency and the punctuation behind it, as plain characters.

    `line`: number of its line on the page. `start`, `end`: its place in the page's text. `glued`: only a space
    separates it from the word before it.
    """

    text: str
    left: float
    right: float
    line: int
    start: int
    end: int
    figure: bool
    glued: bool


class WordRow(NamedTuple):
    """Words side by side, left to right; `lines`: the lines they are from."""

    words: tuple[Word, ...]
    top: float
    bottom: float
    lines: tuple[TextLine, ...]

    @property
    def text(self) -> str:
        """Its words with a space between them."""
        return " ".join(word.text for word in self.words)


def word_rows(page: Page) -> tuple[WordRow, ...]:
    """The rows of a page from top to bottom."""
    parts = [part for line in page.lines for part in _upright(line)]
    numbers = {line.start: number for number, line in enumerate(parts)}
    rows = []
    for row in _rows(items_of(parts, slope_of(page.lines, page.width, page.height))):
        words = [word for item in row for word in _words(item, numbers[item.line.start])]
        if words:
            lines = tuple(item.line for item in row)
            top = sum(item.top for item in row) / len(row)
            rows.append(
                WordRow(tuple(words), top, top + sum(i.height for i in row) / len(row), lines),
            )
    return tuple(rows)


def _upright(line: TextLine) -> list[TextLine]:
    """The characters of a line that runs down, such as the units of several rows that OCR took for one word."""
    (left, top), (right, _), (_, bottom), _ = line.box
    size = len(line.text)
    if not 1 < size <= _DOWN or not line.text.isalpha() or bottom - top < 0.8 * size * (right - left):
        return [line]
    edges = [top + (bottom - top) * number / size for number in range(size + 1)]
    return [
        structs.replace(
            line,
            text=character,
            box=((left, upper), (right, upper), (right, lower), (left, lower)),
            start=line.start + number,
        )
        for number, (character, upper, lower) in enumerate(zip(line.text, edges, edges[1:], strict=False))
    ]


def _rows(items: Sequence[Item]) -> list[list[Item]]:
    """Lines side by side; unlike the page's reading order in one pass, however many there are in a row."""
    rows: list[list[Item]] = []
    middle = lowest = 0.0
    for item in sorted(items, key=lambda i: i.middle):
        if rows and abs(item.middle - middle / len(rows[-1])) < 0.5 * min(item.height, lowest):
            rows[-1].append(item)
            middle, lowest = middle + item.middle, min(lowest, item.height)
        else:
            rows.append([item])
            middle, lowest = item.middle, item.height
    return [sorted(row, key=lambda i: i.left) for row in rows]


def _words(item: Item, number: int) -> list[Word]:
    text = plain(item.line.text)
    edges = cell_edges(text)
    scale = (item.right - item.left) / max(edges[-1], 1)
    words: list[Word] = []
    for first, last, figure in _tokens(text):
        words.append(
            Word(
                text=text[first:last],
                left=item.left + edges[first] * scale,
                right=item.left + edges[last] * scale,
                line=number,
                start=item.line.start + first,
                end=item.line.start + last,
                figure=figure,
                glued=bool(words) and first - (words[-1].end - item.line.start) <= 1,
            )
        )
    return words


def _is_number(figure: str) -> bool:
    """Whether it is no date or version: 14.09.2018."""
    digits = _NO_DIGITS.sub("", figure).strip(".,'")
    return len(digits) - sum(map(str.isdigit, digits)) < 2 or read_number(digits) is not None


def _tokens(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where each word is, and whether it is a figure; a unit without a space behind a figure is a word."""
    before = 0
    for match in _TOKEN.finditer(text):
        first, last = match.span()
        word = match[0]
        labelled = None if match["figure"] or not (":" in word or ")" in word) else _LABELLED.fullmatch(word)
        if labelled is not None:
            yield first, first + labelled.end("label"), False
            yield first + labelled.start("figure"), last, True
            before = last
            continue
        counted = None
        if match["figure"] is None and text[first].isdigit() and (not first or first - before > 1):
            counted = _WITH_UNIT.fullmatch(match[0])
        if counted is not None and is_unit(counted["unit"]):
            yield first, first + counted.end("figure"), True
            yield first + counted.start("unit"), last, False
        else:
            yield first, last, match["figure"] is not None and _is_number(match["figure"])
        before = last
