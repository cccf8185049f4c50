"""Cut a long text into overlapping windows, so that memory is bounded and no name is split.

PaddleNLP reads a text as one batch of all its pieces (its issue 4484: 20,000 characters took 32 GB);
here a window has at most `SIZE` characters and the engine passes a few at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SIZE = 400
"""Maximum window length in characters; the models take 512 tokens, and a character is at most one token."""

OVERLAP = 80
"""Characters shared by two neighbours; a mention of up to half as many is always whole in some window."""


class Window(NamedTuple):
    """The characters `start` to `end` of a text. It reports the mentions that begin in `first` to `last`."""

    start: int
    end: int
    first: int
    last: int

    def owns(self, start: int) -> bool:
        """Whether this window reports a mention that begins at `start`, an offset in the text."""
        return self.first <= start < self.last


def cut(text: str, size: int = SIZE, overlap: int = OVERLAP) -> Iterator[Window]:
    """Yield the windows of a text in order, without those of white space only.

    `size` > `overlap` >= 0, in characters. Each offset is owned by exactly one window, the one in which it
    is further from an inner edge.
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
