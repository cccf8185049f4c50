"""The columns of a table, by its headings: printed in one row or stacked in several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.fields.items.heading_words import Role, fold, may_head
from pipeline.fields.items.headings import Cell, Cells, is_heading, reach, stacked
from pipeline.fields.items.label_words import section_mark
from pipeline.fields.items.words import WordRow

_TITLE = 5
"""Maximum number of words of a title, and its maximum distance in heights."""
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
    cells = Cells(rows)
    for number, row in enumerate(rows):
        if (found and number <= found[-1].last) or not may_head(word.text for word in row.words):
            continue
        if not is_heading(row, cells[number]):
            continue
        first = reach(rows, cells, number, -1, found[-1].last if found else -1)
        last = reach(rows, cells, number, 1, len(rows))
        mark = _mark(rows, first) if statement else ""
        columns = stacked(cells, first, number, last)
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


def _side_by_side(cells: list[Cell]) -> list[tuple[list[Cell], float, float]]:
    """The heading, or its halves where the second half repeats the first: two tables next to each other."""
    half = len(cells) // 2
    roles = [cell.role for cell in cells]
    if half < 2 or len(cells) % 2 or roles[:half] != roles[half:]:
        return [(cells, -math.inf, math.inf)]
    middle = cells[half].left - 1
    return [(cells[:half], -math.inf, middle), (cells[half:], middle, math.inf)]


def _resolved(cells: Sequence[Cell], *, statement: bool) -> tuple[Column, ...]:
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
