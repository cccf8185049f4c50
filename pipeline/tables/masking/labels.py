"""The labels behind which personal data stand, and those that end such a value, in a page's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from pipeline.ner.characters import lowered, plain

STOP = ""
"""The kind of labels of what is not personal: a value before them ends there."""


class Label(NamedTuple):
    """A label in a text: its kind, and whether it is one without a colon or a gap behind it."""

    start: int
    end: int
    kind: str
    certain: bool


_WEAK = frozenset({"TRAIT", "HEALTH", "ADDRESS", "ORG", STOP})
"""Kinds whose Latin labels are words of any sentence: a colon, a gap or the end of the line must follow."""
_FOLLOWED = re.compile(r" ?\.? ?[:#=]| {2}| ?(?:\n|\Z)| [-–] (?=\S)| ?[|/]")
_HAN_FOLLOWED = re.compile(r" ?[:=]| |\n|\Z|[|/(]")
_NAMED = re.compile(r"(?:NAME|Name|PATIENT|Patient) [A-Z]")
_INSIDE = re.compile(
    r"(?<=[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]) {1,4}(?=[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af])"
)
_SCRIPTS = {
    "han": ("(?![a-z])", ""),
    "latin": (r"(?<![a-zà-ÿ0-9@._/-])", r"(?![a-zà-ÿ0-9@_])"),
}
"""What must be before and behind a label."""
_SECTION = re.compile(r"\[(\w+) (\w+\??)\]")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """For each script one pattern of all labels, a group per kind, as in `labels.txt`."""
    groups: dict[str, dict[str, list[str]]] = {script: {} for script in _SCRIPTS}
    lines: list[str] = []
    for line in resources.files(__package__).joinpath("labels.txt").read_text("utf-8").splitlines():
        if section := _SECTION.fullmatch(line):
            lines = groups[section[1]].setdefault(section[2].replace("?", "_"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    patterns = {}
    for script, (before, after) in _SCRIPTS.items():
        # A first look that costs little: no label begins with a character that none has.
        first = "".join(
            sorted({c for labels in groups[script].values() for one in labels for c in one if c.isalpha()})
        )
        named = "|".join(f"(?P<{kind}>{'|'.join(labels)})" for kind, labels in groups[script].items())
        patterns[script] = re.compile(f"(?=[{first}]){before}(?:{named}){after}")
    return patterns


@lru_cache(maxsize=4)
def labels_of(text: str) -> tuple[Label, ...]:
    """The labels of a text, in order."""
    page = plain(text)
    lower = lowered(page)
    found = [_label(match.lastgroup, *match.span(), page) for match in _patterns()["latin"].finditer(lower)]
    if not page.isascii():
        found += _han_labels(page, lower)
    return tuple(sorted(found))


def _han_labels(page: str, lower: str) -> Iterator[Label]:
    """The labels in Chinese, Japanese and Korean, which forms write with blanks inside: 姓  名."""
    blanks = {at for match in _INSIDE.finditer(lower) for at in range(*match.span())}
    places = [at for at in range(len(lower)) if at not in blanks] if blanks else range(len(lower))
    dense = "".join(lower[at] for at in places) if blanks else lower
    for match in _patterns()["han"].finditer(dense):
        yield _label(match.lastgroup, places[match.start()], places[match.end() - 1] + 1, page, han=True)


def _label(group: str | None, start: int, end: int, page: str, *, han: bool = False) -> Label:
    group = group or ""
    kind = STOP if group == "STOP" else group.rstrip("_")
    follows = (_HAN_FOLLOWED if han else _FOLLOWED).match(page, end) is not None
    weak = group.endswith("_") or (not han and kind in _WEAK)
    return Label(start, end, kind, follows or not weak or _begins_line(page, start))


def _begins_line(page: str, start: int) -> bool:
    """Whether `Name` or `Patient` begins a line, with a name behind it."""
    return (start == 0 or page[start - 1] == "\n") and _NAMED.match(page, start) is not None
