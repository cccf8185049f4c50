"""How much the titles and phrases of a text speak for each kind of paper, by the table in `clues.txt`."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pipeline.fields.clue_words import Words, needed

_TABLE = Path(__file__).with_name("clues.txt")
_HAN = "\u4e00-\u9fff"
_HAN_RUN = re.compile(f"[{_HAN}]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_LONGEST = 12_000
"""Characters of a document that are searched: its kind is evident on its first page."""
_LATER = 0.3
"""Share of a title below another one, and of clues of several kinds for a kind that the title does not name."""
_NAMED = 0.6
"""Share of all clues below the title of a paper that is of none of the kinds."""
_TITLE = (
    r"^(?:[\W\d]{{0,4}}(?:{words})(?![a-z]){label}[^\n]{{0,90}}"
    r"|[^\n]{{0,32}}[ :/-](?:{words})(?![a-z]){label}[^\n]{{0,30}})$"
)
"""A line that begins with a title, or a short line that contains it."""
_NO_LABEL = r"(?![ -]{0,2}(?:nr|no|number|n[°o]|#|date|datum|id)?\.? {0,2}:)"
"""After a title: invoices have the label "Delivery note no: 5" too."""


class Clue(NamedTuple):
    """A pattern and its weight for some kinds of paper."""

    kinds: tuple[str, ...]
    weight: float
    pattern: re.Pattern[str]
    title: bool
    chinese: bool
    words: frozenset[str]
    """A text without any of them has no match; empty: any text may have one."""


def source() -> str:
    """The text of the table: a part of the rules' digest."""
    return _TABLE.read_text(encoding="utf-8")


@cache
def _clues() -> tuple[Clue, ...]:
    lines = re.sub(r"\n +", "", source()).splitlines()
    kinds: tuple[str, ...] = ()
    clues = []
    for line in lines:
        if line.startswith("["):
            kinds = tuple(line.strip("[]").split())
        elif line and not line.startswith("#"):
            clues.append(_clue(kinds, line))
    return tuple(clues)


@cache
def clued_kinds() -> frozenset[str]:
    """The kinds of paper that have clues."""
    return frozenset(kind for clue in _clues() for kind in clue.kinds)


def _clue(kinds: tuple[str, ...], line: str) -> Clue:
    mark = re.match(r"title(:?) ", line)
    weight, pattern = line[mark.end() if mark else 0 :].split(" ", 1)
    words = needed(pattern)
    if mark:
        pattern = _TITLE.format(words=pattern, label="" if mark[1] else _NO_LABEL)
    chinese = bool(_HAN_RUN.search(pattern)) and not re.search("[a-z]{2}", pattern)
    return Clue(kinds, float(weight), _compiled(pattern), bool(mark), chinese, words)


@cache
def _words() -> Words:
    return Words({word for clue in _clues() for word in clue.words})


def _compiled(pattern: str) -> re.Pattern[str]:
    """A blank of the pattern means one blank or none: OCR loses blanks.

    The boundary of a word is checked behind its first letter: an alternative that begins with a letter is searched
    several times faster.
    """
    loose = re.sub(r"(?<!\[) (?![?{*+])", " ?", pattern)
    return re.compile(re.sub(r"\\b([a-z])", r"\1(?<!\\w\1)", loose), re.MULTILINE)


def bare(text: str) -> str:
    """The text in lower case, without accents and compatibility forms."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def view(text: str) -> str:
    """The text as the clues see it: bare, one cell of a row per line, without blanks between Han characters."""
    cells = re.sub(r"[ \u3000]{2,}|\r\n?|\t", "\n", bare(text[:_LONGEST]))
    joined = re.sub(rf"(?<=[{_HAN}])[ \u3000](?=[{_HAN}])", "", cells)
    return re.sub(r"\b(?:[a-z] ){4,40}[a-z]\b", lambda letters: letters[0].replace(" ", ""), joined)


def weigh(text: str) -> dict[str, float]:
    """The weight of the clues in a text, by kind of paper; kinds without one are left out."""
    seen = view(text)
    chinese = _HAN_RUN.search(seen) is not None
    words = _words().within(seen)
    clues = [clue for clue in _clues() if chinese or not clue.chinese]
    likely = [clue for clue in clues if not clue.words or not clue.words.isdisjoint(words)]
    matches = [(match.start(), clue) for clue in likely if (match := clue.pattern.search(seen))]
    first = min((start for start, clue in matches if clue.title), default=0)
    named = {clue.kinds[0] for start, clue in matches if clue.title and start == first}
    found: dict[str, float] = defaultdict(float)
    for start, clue in matches:
        if len(clue.kinds) == 1:
            found[clue.kinds[0]] += clue.weight * (_LATER if clue.title and start > first else 1.0)
    if named == {"other"}:
        found.update({kind: weight * _NAMED for kind, weight in found.items() if kind != "other"})
    own = named or set(found)
    for _, clue in matches:
        if len(clue.kinds) > 1:
            for kind in clue.kinds:
                found[kind] += clue.weight * (1.0 if kind in own else _LATER)
    return dict(found)
