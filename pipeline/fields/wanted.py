"""What to look for on a page: a field, its labels, and the sort of its value."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pipeline.fields.rows import Span
from pipeline.models import Entity

HAN = "\u4e00-\u9fff"
COLON = 0.93
"""Score of a value behind a label with a colon, in the same cell."""


class Wanted(NamedTuple):
    """A field, the labels that name it, and the sort of its value. Without a name: a label of something else.

    `labels`: alternatives of a regular expression, without regard to case. `sort`: an entity type of `TYPED`,
    `code` (a number or code of one word, with a digit) or `text` (what the cell holds). `pattern`: what a code or text
    begins with; it is the value then. `colon`: only where a colon follows the label: for a word that is also used in
    sentences.
    """

    name: str
    labels: str
    sort: str = "text"
    pattern: str = ""
    colon: bool = False


class Value(NamedTuple):
    """A value that was found: its place, a score, and the entity if it is one; `label`: what names it."""

    value: str
    span: Span
    score: float
    entity: Entity | None = None
    label: str = ""


@lru_cache(maxsize=512)
def pattern_of(labels: str) -> re.Pattern[str]:
    """Labels where a word begins; their Han characters may be spaced out, their blanks be missing."""
    spaced = re.sub(rf"(?<=[{HAN}])(?=[{HAN}])", " {0,4}", labels)
    loose = re.sub(r"(?<=[A-Za-z.]) (?=[A-Za-z(])", r"[ .]{0,2}", spaced)
    return re.compile(rf"(?<![A-Za-z{HAN}])(?:{loose})(?![A-Za-z])", re.IGNORECASE)


@lru_cache(maxsize=64)
def any_label(wanted: tuple[Wanted, ...]) -> re.Pattern[str]:
    """Any label of several fields."""
    return pattern_of("|".join(one.labels for one in wanted))
