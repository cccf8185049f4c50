"""The rows of a heading and the cells in them: known headings, alone or stacked in several rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pipeline.fields.items.heading_words import Role, fold, headings_in, role_of
from pipeline.fields.items.words import Word, WordRow

_NEAR = 1.3
"""Maximum gap between the rows of one heading, in heights."""
_STACK = 3
"""Maximum number of rows of a heading above its main row, and below it."""
_MOST = 40
"""Maximum number of words in a row of headings."""
_DECIMAL = re.compile(r"[0-9][.,][0-9]")
_SHORT = 22
"""Maximum length of a part of a stacked heading."""


class Cell(NamedTuple):
    """A part of a row that may be a heading of its own; `role`: what it names, if it is known."""

    text: str
    left: float
    right: float
    role: Role | None


class Cells(dict[int, list[Cell]]):
    """The cells of each row, found when they are asked for."""

    def __init__(self, rows: Sequence[WordRow]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, number: int) -> list[Cell]:
        self[number] = _cells(self._rows[number])
        return self[number]


def _cells(row: WordRow) -> list[Cell]:
    """The parts of a row that may be headings of their own: known ones, and what is between them."""
    if len(row.words) > _MOST or any(_DECIMAL.search(word.text) for word in row.words):
        return []
    gap = row.bottom - row.top
    text, places = "", []
    for before, word in zip([None, *row.words], row.words, strict=False):
        if before is not None:
            text += " " if word.glued or word.left - before.right < 0.6 * gap else "\t"
        places.append(len(text))
        text += fold(word.text)
    spans: list[tuple[int, int, Role | None]] = []
    at = 0
    for match in headings_in(text):
        spans += [(*span, None) for span in _between(text, at, match.start())]
        spans.append((*match.span(), role_of(match[0])))
        at = match.end()
    spans += [(*span, None) for span in _between(text, at, len(text))]
    return [_cell(text, *span, row.words, places) for span in _qualified(text, spans)]


def _qualified(
    text: str, spans: Sequence[tuple[int, int, Role | None]]
) -> list[tuple[int, int, Role | None]]:
    """Known headings with the unknown words close to them: `(EUR)` behind one, `line` before one."""
    found: list[tuple[int, int, Role | None]] = []
    for number, (start, end, role) in enumerate(spans):
        close = found and "\t" not in text[found[-1][1] : start]
        if close and role is None and found[-1][2] is not None and text[end - 1] != "-":
            after = spans[number + 1] if number + 1 < len(spans) else None
            ahead = after is not None and after[2] is not None and "\t" not in text[end : after[0]]
            if text[start] in "([/" or not ahead:
                found[-1] = (found[-1][0], end, found[-1][2])
                continue
        if close and role is not None and found[-1][2] is None:
            found[-1] = (found[-1][0], end, role)
        else:
            found.append((start, end, role))
    return found


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Unknown text between known headings, by gaps."""
    for part in text[start:end].split("\t"):
        if any(c.isalnum() for c in part):
            yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        start += len(part) + 1


def _cell(
    text: str, start: int, end: int, role: Role | None, words: Sequence[Word], places: Sequence[int]
) -> Cell:
    left = _edge(start, words, places)
    right = _edge(max(end - 1, start), words, places, behind=True)
    return Cell(text[start:end].strip(), left, right, role)


def _edge(at: int, words: Sequence[Word], places: Sequence[int], *, behind: bool = False) -> float:
    number = max(n for n, place in enumerate(places) if place <= at)
    word = words[number]
    share = (at - places[number] + behind) / max(len(word.text), 1)
    return word.left + (word.right - word.left) * min(share, 1.0)


def is_heading(row: WordRow, cells: Sequence[Cell]) -> bool:
    """Whether a row has two different headings, and little else."""
    roles = {cell.role for cell in cells if cell.role is not None}
    known = sum(len(cell.text) for cell in cells if cell.role is not None)
    letters = sum(len(cell.text) for cell in cells)
    return (
        len(roles) >= 2
        and known >= 0.5 * letters
        and not any(":" in word.text[:1] + word.text[-1:] for word in row.words)
    )


def reach(rows: Sequence[WordRow], cells: Cells, number: int, step: int, limit: int) -> int:
    """The farthest row, in one direction, that belongs to the heading of a row."""
    at = number
    while abs(at + step - number) <= _STACK and at + step != limit and 0 <= at + step < len(rows):
        upper, lower = sorted((at, at + step))
        near = rows[lower].top - rows[upper].bottom < _NEAR * min(
            rows[lower].bottom - rows[lower].top, rows[number].bottom - rows[number].top
        )
        part = cells[at + step]
        fits = bool(part) and all(len(cell.text) <= _SHORT for cell in part)
        if not near or not fits or any(c.isdigit() for cell in part for c in cell.text):
            break
        if not (_belongs(part, cells[number]) if step > 0 else not _is_title(rows[at + step], cells[number])):
            break
        at += step
    return at


def _is_title(row: WordRow, main: Sequence[Cell]) -> bool:
    """Whether a row above a heading is the title of the table: words without gaps at its left."""
    closed = all(word.left - before.right < row.bottom - row.top for before, word in pairwise(row.words))
    return closed and row.words[0].left < main[0].right


def _belongs(part: Sequence[Cell], main: Sequence[Cell]) -> bool:
    """Whether a row below a heading is more of it rather than the first words of the table."""
    known = {cell.role for cell in part if cell.role is not None}
    return (
        bool(known)
        or any(cell.text.startswith("(") or cell.text.endswith("-") for cell in part)
        or len(part) >= len(main)
    )


def stacked(cells: Cells, first: int, main: int, last: int) -> list[Cell]:
    """The cells of a heading, each with what is above and below it."""
    stacks: list[list[tuple[int, Cell]]] = [[(main, cell)] for cell in cells[main]]
    for number in [*range(main - 1, first - 1, -1), *range(main + 1, last + 1)]:
        for cell in cells[number]:
            best, shared = None, 0.0
            for stack in stacks:
                left = min(one.left for _, one in stack)
                right = max(one.right for _, one in stack)
                overlap = min(right, cell.right) - max(left, cell.left)
                if overlap > shared:
                    best, shared = stack, overlap
            if best is None:
                stacks.append([(number, cell)])
            else:
                best.append((number, cell))
    return sorted((_joined(stack) for stack in stacks), key=lambda cell: cell.left)


def _joined(stack: Sequence[tuple[int, Cell]]) -> Cell:
    """One heading of the parts of it: its role is that of the longest known phrase in it, a description first."""
    ordered = [cell for _, cell in sorted(stack, key=lambda one: one[0])]
    text = ""
    for cell in ordered:
        text = text[:-1] + cell.text if text.endswith("-") else f"{text} {cell.text}".strip()
    roles = [(len(match[0]), role_of(match[0])) for match in headings_in(text)]
    role = max(roles, key=lambda one: one[0])[1] if roles else None
    if any(found is Role.DESCRIPTION for _, found in roles):
        role = Role.DESCRIPTION
    return Cell(text, min(c.left for c in ordered), max(c.right for c in ordered), role)
