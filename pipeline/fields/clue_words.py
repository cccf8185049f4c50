"""The words that a pattern can't do without: a text that has none of them need not be searched for it.

Most of the kinds of paper have nothing in common with a given page, and to look up words is much faster than to search
for all their patterns.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\(\?(?::|<?[=!])|\{[0-9,]*\}|.", re.DOTALL)
_LATIN, _HAN = 3, 2
"""Minimum length of a word: nearly every text has all pairs of letters, few have a pair of Han characters."""


def needed(pattern: str) -> frozenset[str]:
    """Words of which every match of a regular expression has at least one; none if it may do without."""
    words = _alternatives(iter(_PIECE.findall(pattern)))
    return frozenset() if any(len(word) < _least(word) for word in words) else frozenset(words)


def _least(word: str) -> int:
    return _LATIN if word.isascii() else _HAN


def _alternatives(pieces: Iterator[str]) -> set[str]:
    """The words of the alternatives up to the end of their group."""
    parts: list[list[str | set[str]]] = [[]]
    for piece in pieces:
        if piece == ")":
            break
        if piece == "|":
            parts.append([])
        elif piece[0] == "(":
            inner = _alternatives(pieces)
            parts[-1].append(inner if piece == "(?:" else set())  # what is around a match is no part of it
        elif piece[0] in "?*+{":
            parts[-1][-1:] = [set()]
        else:
            parts[-1].append(piece if piece.isalpha() else set())
    words = [_longest(part) for part in parts]
    return set().union(*words) if all(words) else set()


def _longest(part: Sequence[str | set[str]]) -> set[str]:
    """Of the letters and groups of an alternative those that make the longest words."""
    found: list[set[str]] = []
    for letters, run in groupby(part, key=lambda one: isinstance(one, str)):
        each = list(run)
        found += [{"".join(map(str, each))}] if letters else [one for one in each if isinstance(one, set)]
    return max(found, key=lambda words: min(map(len, words), default=0), default=set())


class Words:
    """Tells which words of a set a text has, in any place."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_beginning: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for word in words:
            self._by_beginning[tuple(word[: _least(word)])].append(word)

    def within(self, text: str) -> set[str]:
        """The words that are in the text."""
        beginnings: set[tuple[str, ...]] = set(zip(text, text[1:], text[2:], strict=False))
        if not text.isascii():
            beginnings.update(pairwise(text))
        known = self._by_beginning
        return {word for one in known.keys() & beginnings for word in known[one] if word in text}
