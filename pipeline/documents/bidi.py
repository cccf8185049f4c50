"""Lines of Arabic and Hebrew: from the order on the page, left to right, to the order in which they are read.

A PDF stores glyphs with positions, and producers list them in either order; only where they stand can be trusted.
This is the inverse of the Unicode bidirectional algorithm for one line without embeddings: levels are given to
what is seen, and the reversals of rule L2 undo themselves.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby

_OPENING = {"(": ")", "[": "]", "{": "}", "\u00ab": "\u00bb"}
_MIRRORED = _OPENING | {closing: opening for opening, closing in _OPENING.items()}
_LAM, _ALEFS = "\u0644", frozenset("\u0622\u0623\u0625\u0627")


def is_right_to_left(char: str) -> bool:
    """Whether the character's script runs from right to left."""
    return char >= "\u0590" and unicodedata.bidirectional(char) in ("R", "AL")


def logical(tokens: Sequence[str]) -> str:
    """Put the tokens of a line (characters, ligatures, blanks; as seen from left to right) in reading order.

    Presentation forms become the letters that they show.
    """
    tokens = [_letters(token) for token in tokens]
    kinds = _kinds(tokens)
    right = kinds.count("R") >= kinds.count("L")
    levels = _levels(kinds, right=right)
    pairs = [
        (_MIRRORED.get(token, token) if level == 1 and not _opens_right(tokens, levels) else token, level)
        for token, level in zip(tokens, levels, strict=True)
    ]
    for least in (2, 1):
        parts = [list(part) for _, part in groupby(pairs, key=lambda pair: pair[1] >= least)]
        pairs = [pair for part in parts for pair in (part[::-1] if part[0][1] >= least else part)]
    return "".join(token for token, _ in pairs)


def _opens_right(tokens: Sequence[str], levels: Sequence[int]) -> bool:
    """Whether brackets are stored as they are read: those of the line open before they close, from the right."""
    brackets = [
        token for token, level in zip(tokens, levels, strict=True) if level == 1 and token in _MIRRORED
    ]
    return not brackets or brackets[-1] in _OPENING


def _kinds(tokens: Sequence[str]) -> list[str]:
    """R and L: letters; N: numbers with their signs; blank: all others."""
    kinds = [_kind(token) for token in tokens]
    for at in range(1, len(kinds) - 1):  # 1,234.50 and 12/05/2023 are one number
        if kinds[at] == "S" and kinds[at - 1] == "N" == kinds[at + 1] and not _parts_figures(tokens, at):
            kinds[at] = "N"
    for at, kind in enumerate(kinds):  # signs of currency and percent
        if kind == "T" and "N" in kinds[max(at - 1, 0) : at + 2]:
            kinds[at] = "N"
    return [kind if kind in "RLN" else " " for kind in kinds]


def _parts_figures(tokens: Sequence[str], at: int) -> bool:
    """Whether a hyphen or plus is between two numbers instead of within one, as behind Arabic letters (rule W2)."""
    if unicodedata.bidirectional(tokens[at][0]) != "ES":
        return False
    strong = (unicodedata.bidirectional(token[0]) for token in tokens[at + 1 :])
    return next((kind for kind in strong if kind in ("R", "AL", "L")), "") == "AL"


def _kind(token: str) -> str:
    match unicodedata.bidirectional(token[0]):
        case "R" | "AL":
            return "R"
        case "L":
            return "L"
        case "EN" | "AN":
            return "N"
        case "CS" | "ES":
            return "S"
        case "ET":
            return "T"
    return " "


def _levels(kinds: Sequence[str], *, right: bool) -> list[int]:
    """Even: from left to right, odd: from right to left. `right`: the line as a whole runs from right to left."""
    before, after = _nearest(kinds, "RLN"), _nearest(kinds[::-1], "RLN")[::-1]
    strong_before, strong_after = _nearest(kinds, "RL"), _nearest(kinds[::-1], "RL")[::-1]
    levels = []
    for at, kind in enumerate(kinds):
        if right:
            inside = (before[at], after[at]) in (("L", "L"), ("L", "N"))
            levels.append(2 if kind in "LN" or (kind == " " and inside) else 1)
        elif kind == "R":
            levels.append(1)
        else:
            between = strong_before[at] == strong_after[at] == "R"
            levels.append((2 if kind == "N" else 1) if between and kind != "L" else 0)
    return levels


def _nearest(kinds: Sequence[str], wanted: str) -> list[str]:
    """For each place the last kind before it that is one of `wanted`, or a blank."""
    found, result = " ", []
    for kind in kinds:
        result.append(found)
        if kind in wanted:
            found = kind
    return result


def _letters(token: str) -> str:
    """A token in plain letters; a ligature of lam and alef that is listed backwards is turned."""
    if len(token) == 2 and token[1] == _LAM and token[0] in _ALEFS:
        return token[::-1]
    if any("\ufb1d" <= char <= "\ufdff" or "\ufe70" <= char <= "\ufefc" for char in token):
        return unicodedata.normalize("NFKC", token)
    return token
