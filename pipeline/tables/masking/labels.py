"""The labels behind which personal data stand, and those that end such a value, in a page's text."""

from __future__ import annotations

import re
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
    page = lowered(plain(text))
    scripts = ["latin"] if page.isascii() else list(_SCRIPTS)
    found = [
        _label(match, page, script) for script in scripts for match in _patterns()[script].finditer(page)
    ]
    return tuple(sorted(found))


def _label(match: re.Match[str], page: str, script: str) -> Label:
    group = match.lastgroup or ""
    kind = STOP if group == "STOP" else group.rstrip("_")
    follows = (_HAN_FOLLOWED if script == "han" else _FOLLOWED).match(page, match.end()) is not None
    weak = group.endswith("_") or (script == "latin" and kind in _WEAK)
    return Label(match.start(), match.end(), kind, follows or not weak)
