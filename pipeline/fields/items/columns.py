"""The columns of a table, by its headings: printed in one row or stacked in several."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pipeline.fields.items.heading_words import HEADING, Role, fold, may_head, role_of
from pipeline.fields.items.label_words import section_mark
from pipeline.fields.items.words import Word, WordRow

_NEAR = 1.3
"""Maximum gap between the rows of one heading, in heights."""
_STACK = 3
"""Maximum number of rows of a heading above its main row, and below it."""
_TITLE = 5
"""Maximum number of words of a title, and its maximum distance in heights."""
_MOST = 40
"""Maximum number of words in a row of headings."""
_DECIMAL = re.compile(r"[0-9][.,][0-9]")
_SHORT = 22
"""Maximum length of a part of a stacked heading."""
_PRICED = {Role.AMOUNT, Role.UNIT_PRICE}
_COUNTED = {Role.DESCRIPTION, Role.QUANTITY, Role.POSITION, Role.CODE, Role.UNIT}
_BOOKED = {Role.DEBIT, Role.CREDIT, Role.AMOUNT, Role.BALANCE}
NUMERIC = frozenset(
    {
        Role.POSITION,
        Role.QUANTITY,
        Role.UNIT_PRICE,
        Role.AMOUNT,
        Role.TAX_RATE,
        Role.TAX,
        Role.DISCOUNT,
        Role.DEBIT,
        Role.CREDIT,
        Role.BALANCE,
    }
)


class Column(NamedTuple):
    """A column: its role and the place of its heading."""

    role: Role
    left: float
    right: float
    label: str


class Heading(NamedTuple):
    """The heading of a table: its columns from left to right, and the rows that it takes up.

    `left`, `right`: where the table begins and ends, if another one is next to it. `mark`: `CR` or `DR`, where a title
    says which transactions these are.
    """

    columns: tuple[Column, ...]
    first: int
    last: int
    statement: bool
    left: float = -math.inf
    right: float = math.inf
    mark: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles of its columns."""
        return frozenset(column.role for column in self.columns)

    @property
    def is_items(self) -> bool:
        """Whether the rows below are items or transactions, not taxes or terms of payment."""
        roles = self.roles
        if Role.FOREIGN in roles:
            return False
        if self.statement:
            return Role.DATE in roles and bool(roles & _BOOKED)
        named = roles & _COUNTED
        return bool(named) and (bool(roles & _PRICED) or {Role.DESCRIPTION, Role.QUANTITY} <= roles)


def headings_of(rows: Sequence[WordRow], *, statement: bool) -> list[Heading]:
    """The headings of tables on a page, of items or of something else, from top to bottom."""
    found: list[Heading] = []
    cells = _Cells(rows)
    for number, row in enumerate(rows):
        if (found and number <= found[-1].last) or not may_head(word.text for word in row.words):
            continue
        if not _is_heading(row, cells[number]):
            continue
        first = _reach(rows, cells, number, -1, found[-1].last if found else -1)
        last = _reach(rows, cells, number, 1, len(rows))
        mark = _mark(rows, first) if statement else ""
        columns = _stacked(cells, first, number, last)
        found += [
            Heading(_resolved(part, statement=statement), first, last, statement, left, right, mark)
            for part, left, right in _side_by_side(columns)
        ]
    return found


def _mark(rows: Sequence[WordRow], first: int) -> str:
    """What the title above a heading says about the transactions below it."""
    for row in reversed(rows[max(first - 2, 0) : first]):
        if rows[first].top - row.bottom > _TITLE * (row.bottom - row.top):
            break
        if len(row.words) <= _TITLE and (mark := section_mark(fold(row.text))):
            return mark
    return ""


def _side_by_side(cells: list[_Cell]) -> list[tuple[list[_Cell], float, float]]:
    """The heading, or its halves where the second half repeats the first: two tables next to each other."""
    half = len(cells) // 2
    roles = [cell.role for cell in cells]
    if half < 2 or len(cells) % 2 or roles[:half] != roles[half:]:
        return [(cells, -math.inf, math.inf)]
    middle = cells[half].left - 1
    return [(cells[:half], -math.inf, middle), (cells[half:], middle, math.inf)]


class _Cell(NamedTuple):
    text: str
    left: float
    right: float
    role: Role | None


class _Cells(dict[int, list[_Cell]]):
    """The cells of each row, found when they are asked for."""

    def __init__(self, rows: Sequence[WordRow]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, number: int) -> list[_Cell]:
        self[number] = _cells(self._rows[number])
        return self[number]


def _cells(row: WordRow) -> list[_Cell]:
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
    for match in HEADING.finditer(text):
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
) -> _Cell:
    left = _edge(start, words, places)
    right = _edge(max(end - 1, start), words, places, behind=True)
    return _Cell(text[start:end].strip(), left, right, role)


def _edge(at: int, words: Sequence[Word], places: Sequence[int], *, behind: bool = False) -> float:
    number = max(n for n, place in enumerate(places) if place <= at)
    word = words[number]
    share = (at - places[number] + behind) / max(len(word.text), 1)
    return word.left + (word.right - word.left) * min(share, 1.0)


def _is_heading(row: WordRow, cells: Sequence[_Cell]) -> bool:
    roles = {cell.role for cell in cells if cell.role is not None}
    known = sum(len(cell.text) for cell in cells if cell.role is not None)
    letters = sum(len(cell.text) for cell in cells)
    return (
        len(roles) >= 2
        and known >= 0.5 * letters
        and not any(":" in word.text[:1] + word.text[-1:] for word in row.words)
    )


def _reach(rows: Sequence[WordRow], cells: _Cells, number: int, step: int, limit: int) -> int:
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


def _is_title(row: WordRow, main: Sequence[_Cell]) -> bool:
    """Whether a row above a heading is the title of the table: words without gaps at its left."""
    closed = all(word.left - before.right < row.bottom - row.top for before, word in pairwise(row.words))
    return closed and row.words[0].left < main[0].right


def _belongs(part: Sequence[_Cell], main: Sequence[_Cell]) -> bool:
    """Whether a row below a heading is more of it rather than the first words of the table."""
    known = {cell.role for cell in part if cell.role is not None}
    return (
        bool(known)
        or any(cell.text.startswith("(") or cell.text.endswith("-") for cell in part)
        or len(part) >= len(main)
    )


def _stacked(cells: _Cells, first: int, main: int, last: int) -> list[_Cell]:
    """The cells of a heading, each with what is above and below it."""
    stacks: list[list[tuple[int, _Cell]]] = [[(main, cell)] for cell in cells[main]]
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


def _joined(stack: Sequence[tuple[int, _Cell]]) -> _Cell:
    """One heading of the parts of it: its role is that of the longest known phrase in it, a description first."""
    ordered = [cell for _, cell in sorted(stack, key=lambda one: one[0])]
    text = ""
    for cell in ordered:
        text = text[:-1] + cell.text if text.endswith("-") else f"{text} {cell.text}".strip()
    roles = [(len(match[0]), role_of(match[0])) for match in HEADING.finditer(text)]
    role = max(roles, key=lambda one: one[0])[1] if roles else None
    if any(found is Role.DESCRIPTION for _, found in roles):
        role = Role.DESCRIPTION
    return _Cell(text, min(c.left for c in ordered), max(c.right for c in ordered), role)


def _resolved(cells: Sequence[_Cell], *, statement: bool) -> tuple[Column, ...]:
    """Columns with one role each: of several of the same kind, one is the amount, one the description."""
    columns = [
        Column(cell.role or Role.OTHER, cell.left, cell.right, cell.text)
        for cell in cells
        if cell.role is not None or len(cell.text) > 1
    ]
    roles = [column.role for column in columns]
    if statement:
        booked = {Role.DEBIT, Role.CREDIT} & set(roles)
        for n, column in enumerate(columns):
            if column.role is Role.AMOUNT and (booked or roles.count(Role.AMOUNT) > 1):
                value = column.label in ("value", "wert", "valeur", "valuta")
                roles[n] = Role.VALUE_DATE if value else Role.OTHER if booked else roles[n]
        if Role.DATE not in roles and Role.VALUE_DATE in roles:
            roles[roles.index(Role.VALUE_DATE)] = Role.DATE
    if Role.DESCRIPTION not in roles and Role.OTHER in roles and not statement:
        unknown = [n for n, role in enumerate(roles) if role is Role.OTHER]
        roles[max(unknown, key=lambda n: _room(columns, n))] = Role.DESCRIPTION
    amounts = [n for n, role in enumerate(roles) if role is Role.AMOUNT]
    if not amounts and Role.UNIT_PRICE in roles and not statement:
        last = max(n for n, role in enumerate(roles) if role is Role.UNIT_PRICE)
        roles[last] = Role.AMOUNT
    elif len(amounts) > 1:
        described = next((n for n, role in enumerate(roles) if role is Role.DESCRIPTION), None)
        if Role.QUANTITY not in roles and described is not None and amounts[0] < described:
            roles[amounts.pop(0)] = Role.QUANTITY
        net = next(
            (n for n in amounts if "net" in columns[n].label or "ht" in columns[n].label.split()), None
        )
        chosen = amounts[-1] if net is None else net
        for n in amounts:
            if n != chosen:
                roles[n] = Role.OTHER
    for single in (Role.DATE, Role.QUANTITY, Role.UNIT_PRICE, Role.POSITION):
        for n in [n for n, role in enumerate(roles) if role is single][1:]:
            roles[n] = Role.VALUE_DATE if single is Role.DATE else Role.OTHER
    return tuple(column._replace(role=role) for column, role in zip(columns, roles, strict=True))


def _room(columns: Sequence[Column], number: int) -> float:
    """From the left edge of a column to the next one: a description is wide."""
    following = columns[number + 1].left if number + 1 < len(columns) else columns[number].right
    return following - columns[number].left
