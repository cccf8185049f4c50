"""A page as rows of side-by-side lines, with their positions in the page text and on the page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pipeline.documents.layout import boxes_of
from pipeline.models import Field, Page, TextLine
from pipeline.ner.characters import plain

LOW_OCR = 0.8
"""A line with a lower OCR confidence may be misread."""

Span = tuple[int, int]
"""Half-open character range in a page's text."""


class Row(NamedTuple):
    """The lines of one row, left to right; `text` is the page text from `start` to `end`, as plain characters."""

    page: Page
    lines: tuple[TextLine, ...]
    start: int
    end: int
    text: str

    @property
    def height(self) -> float:
        """Mean height of the lines, pixels."""
        heights = [abs(box[3][1] - box[0][1]) or 1.0 for box in (line.box for line in self.lines)]
        return sum(heights) / len(heights)

    def span(self, start: int, end: int) -> Span:
        """Convert offsets in the row to offsets in the page's text."""
        return self.start + start, self.start + end


def rows_of(page: Page) -> tuple[Row, ...]:
    """The rows of a page in reading order."""
    groups: list[list[TextLine]] = []
    for line in page.lines:
        if groups and "\n" not in page.text[groups[-1][-1].end : line.start]:
            groups[-1].append(line)
        else:
            groups.append([line])
    rows = []
    for group in groups:
        start, end = group[0].start, group[-1].end
        rows.append(Row(page, tuple(group), start, end, plain(page.text[start:end])))
    return tuple(rows)


def left_of(page: Page, span: Span) -> float:
    """Left edge of a span in pixels; 0 where it touches no line."""
    boxes = boxes_of(page.lines, *span)
    return min((x for box in boxes for x, _ in box), default=0.0)


def fold(text: str) -> str:
    """Normalise text to a value: compatibility forms folded (NFKC), each run of white space one space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()


def field(
    name: str,
    page: Page,
    spans: list[Span],
    value: str,
    confidence: float,
    currency: str | None = None,
    checks: Sequence[str] = (),
) -> Field:
    """A field found at `spans` of a page; its confidence is lowered by the OCR confidence of its lines.

    `checks` are those that failed; `low_ocr` is added if OCR was unsure of a line. `start` and `end` are set if only
    white space separates the spans.
    """
    spans = sorted(spans)
    start, end = spans[0][0], spans[-1][1]
    gaps = (page.text[a:b] for (_, a), (b, _) in pairwise(spans))
    whole = not any(gap.strip() for gap in gaps)
    near = [line for line in page.lines if line.start < end and line.start + len(line.text) > start]
    touched = [line.confidence for line in near if any(a < line.end and line.start < b for a, b in spans)]
    read = sum(touched) / len(touched) if touched else 1.0
    return Field(
        name=name,
        value=value,
        text="\n".join(page.text[a:b] for a, b in spans) if not whole else page.text[start:end],
        confidence=round(max(0.0, min(confidence, 0.99)) * read, 3),
        page=page.number,
        boxes=tuple(box for a, b in spans for box in boxes_of(near, a, b)),
        start=start if whole else None,
        end=end if whole else None,
        currency=currency,
        checks=(*checks, *(["low_ocr"] if min(touched, default=1.0) < LOW_OCR else [])),
    )
