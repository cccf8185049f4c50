"""Cut a text of any length into overlapping windows for a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.ner.pieces import BREAK

SIZE = 256
"""Maximum window length in characters: bounds memory, whatever the text."""

MARGIN = 32
"""Characters at each cut that are only context: mentions that begin there belong to the neighbouring window."""


class Window(NamedTuple):
    """The characters [start, end) of a text; mentions count that begin in [first, last)."""

    start: int
    end: int
    first: int
    last: int


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the parts between line breaks and wide gaps, without surrounding white space."""
    at = 0
    for gap in [*BREAK.finditer(text), None]:
        stop = gap.start() if gap else len(text)
        line = text[at:stop]
        start = at + len(line) - len(line.lstrip())
        if stripped := line.strip():
            yield start, start + len(stripped)
        at = gap.end() if gap else stop


def windows(text: str, size: int = SIZE, margin: int = MARGIN) -> Iterator[Window]:
    """Yield the windows of all lines; neighbours in a long line share `2 * margin` characters.

    Every character of a line is in [first, last) of exactly one window.
    """
    for begin, stop in lines(text):
        start = first = begin
        while stop - start > size:
            last = start + size - margin
            yield Window(start, start + size, first, last)
            first, start = last, last - margin
        yield Window(start, stop, first, stop)
