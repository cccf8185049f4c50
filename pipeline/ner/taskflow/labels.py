"""Convert token labels to spans, for any of the common labelling schemes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_BEFORE = re.compile(r"([BIMESLU])[-_](.+)")
_BEHIND = re.compile(r"(.+)[-_]([BIMESLU])")
_UNNAMED = re.compile(r"LABEL_[0-9]+")
_OUTSIDE = frozenset({"O", "[PAD]", "[CLS]", "[SEP]"})


class Span(NamedTuple):
    """An entity found in one input text: half-open offsets, the model's own type, confidence."""

    start: int
    end: int
    type: str
    confidence: float


def parse(label: str) -> tuple[str, str]:
    """Split a label into position and type: `B-PER` and `PER-B` are ("B", "PER"), `PER` is ("I", "PER").

    Outside labels give ("O", "").
    """
    if label in _OUTSIDE:
        return "O", ""
    if match := _BEFORE.fullmatch(label):
        return match[1], match[2]
    if match := _BEHIND.fullmatch(label):
        return match[2], match[1]
    return "I", label


def are_named(labels: Sequence[str]) -> bool:
    """Whether the labels have real names, not PaddleNLP's default LABEL_0, LABEL_1 …"""
    return bool(types(labels)) and not all(_UNNAMED.fullmatch(label) for label in labels)


def types(labels: Sequence[str]) -> list[str]:
    """Return the entity types in `labels`, in order of appearance."""
    return list(dict.fromkeys(kind for kind in (parse(label)[1] for label in labels) if kind))


def spans(labels: Sequence[str], offsets: Sequence[tuple[int, int]], chances: Sequence[float]) -> list[Span]:
    """Join token labels (BIO, BMES, BIOES, BILOU or types alone) into spans.

    `offsets`: (start, end) of each token in the text; `chances`: the probability of its label. A span's
    confidence is the mean of its labels'. A continuation of another type starts a new span.
    """
    found: list[Span] = []
    begun, before = 0, ""
    parsed = [parse(label) for label in labels]
    for at, (position, kind) in enumerate([*parsed, ("O", "")]):
        if before and (kind != before or position in "BSU" or parsed[at - 1][0] in "ESLU"):
            part = chances[begun:at]
            found.append(Span(offsets[begun][0], offsets[at - 1][1], before, sum(part) / len(part)))
            begun = at
        elif not before:
            begun = at
        before = kind
    return found
