"""Labelled text, independent of the file format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.ner.bioes import Span


class Sentence(NamedTuple):
    """A text and its entities."""

    text: str
    spans: tuple[Span, ...]


def apart(spans: Iterable[Span]) -> list[Span]:
    """Of overlapping spans keep the longer, then the earlier; sorted by start."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
