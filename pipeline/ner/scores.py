"""Precision, recall and F1 of entities: a span is correct if its type, start and end are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec


class Figures(msgspec.Struct, frozen=True):
    """Shares from 0 to 1, and the counts behind them."""

    precision: float
    recall: float
    f1: float
    right: int
    found: int
    support: int


class Scores(msgspec.Struct, frozen=True):
    """All types together (`micro`) and each by itself."""

    micro: Figures
    types: dict[str, Figures]
    sentences: int


def score(
    gold: Iterable[Iterable[tuple[str, int, int]]], found: Iterable[Iterable[tuple[str, int, int]]]
) -> Scores:
    """Compare the (type, start, end) found in each text with the expected ones."""
    right, guessed, there = Counter[str](), Counter[str](), Counter[str]()
    sentences = 0
    for expected, guess in zip(map(set, gold), map(set, found), strict=True):
        sentences += 1
        for counts, spans in ((right, expected & guess), (guessed, guess), (there, expected)):
            counts.update(kind for kind, _, _ in spans)
    types = {k: _figures(right[k], guessed[k], there[k]) for k in sorted(guessed.keys() | there.keys())}
    return Scores(_figures(right.total(), guessed.total(), there.total()), types, sentences)


def _figures(right: int, found: int, support: int) -> Figures:
    f1 = 2 * right / max(found + support, 1)
    return Figures(
        precision=round(right / max(found, 1), 4),
        recall=round(right / max(support, 1), 4),
        f1=round(f1, 4),
        right=right,
        found=found,
        support=support,
    )
