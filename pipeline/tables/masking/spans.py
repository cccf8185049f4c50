"""Ranges of a text that are masked, and what they look like then."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

_KEEP = 4
_VISIBLE = re.compile(r"\S")


class Span(NamedTuple):
    """A half-open range of a page's text that is sensitive; `whole`: nothing of it stays visible."""

    start: int
    end: int
    whole: bool = False


class Spans(tuple[Span, ...]):
    """The sensitive spans of a page, in order."""

    def near(self, start: int, end: int) -> tuple[Span, ...]:
        """The spans that may touch `start:end`: a page can have a hundred thousand of them."""
        return self[bisect_right(self._reach, start) : bisect_left(self, (end,))]

    @cached_property
    def _reach(self) -> list[int]:
        """For each span, how far it and those before it reach."""
        return list(accumulate((span.end for span in self), max))


NO_SPANS = Spans()


def mask(text: str, *, whole: bool = False) -> str:
    """Replace letters and digits by `*` except the last four, or the last half of fewer than eight.

    Length and separators are kept, so spans stay valid. `whole`: replace everything but white space.
    """
    if whole:
        return _VISIBLE.sub("*", text)
    size = sum(c.isalnum() for c in text)
    hidden = size - min(_KEEP, size // 2)
    out = []
    for c in text:
        if c.isalnum() and hidden:
            out.append("*")
            hidden -= 1
        else:
            out.append(c)
    return "".join(out)


def mask_spans(text: str, spans: Spans, offset: int = 0) -> str:
    """Mask the parts of `spans` that are in `text`, which begins at `offset` of the page's text."""
    near = spans.near(offset, offset + len(text))
    if not near:
        return text
    characters = list(text)
    for start, end, whole in near:
        first, last = max(start - offset, 0), min(end - offset, len(text))
        if first < last:
            characters[first:last] = mask("".join(characters[first:last]), whole=whole)
    return "".join(characters)
