"""Cut a long text into windows that overlap, so that memory is bounded and no name falls on a cut.

PaddleNLP reads a text as one batch of all its pieces (its issue 4484: 20,000 characters took 32 GB);
here a window is at most `SIZE` characters and the engine hands over few at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SIZE = 400
"""Longest window in characters; the models take 512 tokens, a character being one token at most."""

OVERLAP = 80
"""Characters two neighbours share; a mention of up to half as many is seen whole wherever it lies."""


class Window(NamedTuple):
    """The characters `start` to `end` of a text. It answers for mentions that begin in `first` to `last`."""

    start: int
    end: int
    first: int
    last: int

    def owns(self, start: int) -> bool:
        """Whether a mention that begins at `start`, an offset in the text, is this window's to report."""
        return self.first <= start < self.last


def cut(text: str, size: int = SIZE, overlap: int = OVERLAP) -> Iterator[Window]:
    """Yield the windows of a text in order; those of white space alone are left out.

    `size` > `overlap` >= 0, in characters. Each offset is owned by exactly one window, the one in which it
    lies further from an inner edge.
    """
    start = first = 0
    while start < len(text):
        end = min(start + size, len(text))
        following = end - overlap
        last = end if end == len(text) else following + overlap // 2
        if not text[start:end].isspace():
            yield Window(start, end, first, last)
        if end == len(text):
            return
        start, first = following, last
