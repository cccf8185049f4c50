"""How much of what is printed was read: F1 of characters and of tokens, each page a bag.

Texts are normalised (NFKC) and upper-cased. Characters are A-Z, 0-9 and Chinese ones; all others are dropped. Tokens
are runs of A-Z0-9, so "RM:12.50" counts as RM, 12, 50, and single Chinese characters, which have no spaces between
words. Hits are the intersection of the bags of a page, summed over all pages before F1 = 2 hits / (found + expected)
is computed (micro average). The order of lines is not counted, so no program gains or loses by its layout.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

Bag = Counter[str]
_CHARACTER = re.compile("[A-Z0-9\u4e00-\u9fff]")
_TOKEN = re.compile("[A-Z0-9]+|[\u4e00-\u9fff]")


def characters(lines: Iterable[str]) -> Bag:
    """The characters of a page."""
    return Counter(char for line in lines for char in _CHARACTER.findall(_normal(line)))


def tokens(lines: Iterable[str]) -> Bag:
    """The tokens of a page."""
    return Counter(token for line in lines for token in _TOKEN.findall(_normal(line)))


def f1(pages: Iterable[tuple[Bag, Bag]]) -> float:
    """F1 over (found, expected) of all pages; 0 where neither has anything."""
    hits = total = 0
    for found, expected in pages:
        hits += (found & expected).total()
        total += found.total() + expected.total()
    return 2 * hits / total if total else 0.0


def score(
    bag: Callable[[Iterable[str]], Bag], read: Sequence[Iterable[str]], printed: Sequence[Iterable[str]]
) -> float:
    """F1 of one kind of bag, over the lines read on each page and those printed on it."""
    return f1((bag(found), bag(expected)) for found, expected in zip(read, printed, strict=True))


def _normal(line: str) -> str:
    return unicodedata.normalize("NFKC", line).upper()
