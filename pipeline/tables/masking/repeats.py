"""Names that a document says once behind a label, wherever else it says them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.tables.masking.found import Found

_HAN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2}")
_LONGEST = 60
_KINDS = frozenset({"PERSON", "HEALTH"})
_WORD = re.compile(r"\w")


def terms(text: str, found: Iterable[Found]) -> dict[str, str]:
    """Names and findings that differ from other words: two Han characters or more, or two words; with their kind."""
    known = {}
    for one in found:
        value = text[one.start : one.end].partition("<")[0].strip()  # an e-mail address
        long_enough = _HAN.search(value) or (" " in value and len(value) >= 6)
        if one.kind in _KINDS and long_enough and len(value) <= _LONGEST and "\n" not in value:
            known[value] = one.kind
    return known


class Terms:
    """Terms by their first two characters: a text is gone through once, however many there are."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self._sizes: dict[str, set[int]] = {}
        for term in known:
            self._sizes.setdefault(term[:2], set()).add(len(term))
        first = "".join(sorted({re.escape(head[0]) for head in self._sizes}))
        self._first = re.compile(f"[{first}]") if first else None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._known)

    def find(self, text: str) -> Iterator[Found]:
        """Yield the terms in a text; one of letters only as whole words."""
        for match in self._first.finditer(text) if self._first else ():
            start = match.start()
            for size in self._sizes.get(text[start : start + 2], ()):
                kind = self._known.get(text[start : start + size])
                if kind and not self._inside(text, start, start + size):
                    yield Found(start, start + size, kind)

    @staticmethod
    def _inside(text: str, start: int, end: int) -> bool:
        """Whether a term of Latin letters goes on to either side."""
        if _HAN.search(text, start, end):
            return False
        return bool((start and _WORD.match(text, start - 1)) or (end < len(text) and _WORD.match(text, end)))


NO_TERMS = Terms({})
