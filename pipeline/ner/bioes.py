"""The tags of a trained model: O, and B, I, E, S of each entity type (BIOES)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """An entity of type `type` on the characters [start, end)."""

    type: str
    start: int
    end: int


def tags_of(types: Iterable[str]) -> list[str]:
    """The tags a model learns for entity types: O, then B, I, E and S of each (BIOES)."""
    return ["O", *(f"{mark}-{kind}" for kind in sorted(types) for mark in "BIES")]


def may_follow(before: str, tag: str) -> bool:
    """Whether BIOES allows `tag` after `before`; "O" also represents the sentence boundary."""
    if before[0] in "BI":
        return tag[0] in "IE" and tag[2:] == before[2:]
    return tag[0] in "OBS"


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The entities that valid BIOES tags encode."""
    spans, start = [], 0
    for at, tag in enumerate(tags):
        if tag[0] in "BS":
            start = at
        if tag[0] in "ES":
            spans.append(Span(tag[2:], start, at + 1))
    return spans


def spell(spans: Iterable[Span], length: int) -> list[str]:
    """BIOES tags of `length` characters with entities that don't overlap."""
    tags = ["O"] * length
    for kind, start, end in spans:
        tags[start:end] = [f"I-{kind}"] * (end - start)
        tags[start], tags[end - 1] = f"B-{kind}", f"E-{kind}"
        if end - start == 1:
            tags[start] = f"S-{kind}"
    return tags
