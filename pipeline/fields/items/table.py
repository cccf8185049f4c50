"""The rows below a heading: which of them form one item, which are sums, where the table ends."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.fields.items.cells import Group, groups_of
from pipeline.fields.items.columns import NUMERIC, Heading
from pipeline.fields.items.heading_words import Role, fold
from pipeline.fields.items.label_words import (
    begins_as_total,
    is_carried,
    is_closing,
    is_opening,
    is_stop,
    is_total,
)
from pipeline.fields.items.words import WordRow

_ANCHORS = NUMERIC | {Role.DATE}
PAID = frozenset({Role.AMOUNT, Role.DEBIT, Role.CREDIT})
"""Columns of amounts."""
_AFTER_SUM = {True: frozenset({Role.DATE}), False: frozenset({Role.QUANTITY, Role.UNIT_PRICE, Role.POSITION})}
"""What a row below a sum must have to be one more of the table."""
_FAR = 3.0
"""A row of text farther below an item than this, in heights, does not belong to it."""
_END = 8.0
"""So does nothing farther below the last row of the table."""
_SUBTOTALS = ("sub", "zwischen", "sous", "小")
_PAGE = re.compile(
    r"^(?:page|seite|pagina|blatt|hoja|sheet)\b[: /]*(?:of|von|sur|de|di|van)?[ :]*$|^第.{0,6}页"
)


@dataclass
class Table:
    """What is below one heading or several equal ones: items, sums, and the balances of a statement.

    `ended`: its total was reached. `summed`: a sum was. `several`: there is more than one account.
    `named_above`: the first item has its name above its figures.
    """

    heading: Heading
    groups: list[Group] = field(default_factory=list)
    sums: list[Group] = field(default_factory=list)
    opening: Group | None = None
    closing: Group | None = None
    ended: bool = False
    summed: bool = False
    several: bool = False
    named_above: bool = False


def read_rows(table: Table, page: int, rows: Sequence[WordRow], heading: Heading, *, free: bool) -> None:
    """Read the rows of one page below the heading into `table`, until its end.

    `free`: the heading is on a page before; then the first rows must fit its columns.
    """
    current: Group | None = None
    pending: list[tuple[WordRow, Group]] = []
    last: WordRow | None = None
    for row, read in groups_of(_within(rows, heading), page, heading.columns):
        label = fold(" ".join(word.text for word in row.words if not word.figure))
        if last is not None and row.top - last.bottom > _END * (row.bottom - row.top) and not read.cells:
            break
        if is_stop(label) and not PAID & read.cells.keys():
            table.ended = True
            break
        if _is_sum(table, read, label):
            _attach(current, pending, None, None, codes=False)
            current, pending, last = None, [], row
            if table.ended:
                break
            continue
        free = free and not _fits(read)
        if free or (table.summed and not (_AFTER_SUM[table.heading.statement] & read.cells.keys())):
            continue
        if not _ANCHORS & read.cells.keys():
            pending.append((row, read))
            last = row
            continue
        if current is None or _begins(current, read, statement=table.heading.statement):
            above = _attach(current, pending, read, row, codes=table.named_above or not table.groups)
            table.named_above = table.named_above or (above and not table.groups)
            current = read
            if heading.mark and not current.marks:
                current.marks.append(heading.mark)
            table.groups.append(current)
        else:
            for _, part in pending:
                _merge(current, part)
            _merge(current, read)
        pending, last = [], row
    _attach(current, pending, None, None, codes=False)


def _within(rows: Sequence[WordRow], heading: Heading) -> Iterator[WordRow]:
    """The part of each row that is below the heading, where another table is next to it."""
    if heading.left == -math.inf and heading.right == math.inf:
        yield from rows
        return
    for row in rows:
        words = tuple(
            word for word in row.words if heading.left <= (word.left + word.right) / 2 < heading.right
        )
        if words:
            yield row._replace(words=words)


def _is_sum(table: Table, read: Group, label: str) -> bool:
    """Whether a row is no item but a sum, a carried sum, or a balance; keeps it with the table."""
    statement = table.heading.statement
    if _PAGE.search(label) or (statement and _is_balance(table, read, label)):
        return True
    if is_carried(label) and not {Role.QUANTITY, Role.UNIT_PRICE} & read.cells.keys():
        return not statement or bool(table.groups)
    whole = Role.DATE in read.cells if statement else {Role.QUANTITY, Role.UNIT_PRICE} <= read.cells.keys()
    if whole or not (is_total(label) or (statement and begins_as_total(label))):
        return False
    if read.cells:
        table.sums.append(read)
        table.summed = True
        table.ended = table.ended or not (statement or label.startswith(_SUBTOTALS))
    return True


def _is_balance(table: Table, read: Group, label: str) -> bool:
    """Whether a row of a statement is the balance before the transactions, or after them."""
    booked = Role.DATE in read.cells and (Role.DEBIT in read.cells or Role.CREDIT in read.cells)
    filled = bool((PAID | {Role.BALANCE}) & read.cells.keys())
    if is_opening(label) and not table.groups and filled:
        table.opening = table.opening or read
        return True
    if booked or not filled:
        return False
    if is_closing(label):
        table.closing, table.summed = read, True
        return True
    if is_opening(label):  # of the next account, or carried over from the page before
        table.several = table.several or (table.closing is not None and not is_carried(label))
        return True
    return False


def _fits(read: Group) -> bool:
    """Whether a row has enough in its columns to continue the table of the page before."""
    return len(_ANCHORS & read.cells.keys()) >= 2


def _begins(current: Group, read: Group, *, statement: bool) -> bool:
    """Whether a row begins another item: it has what the item already has."""
    if statement and Role.DATE in read.cells:
        return bool((PAID | {Role.DATE}) & current.cells.keys())
    if statement:
        return bool(PAID & current.cells.keys() and PAID & read.cells.keys())
    roles = _ANCHORS
    if Role.AMOUNT in read.cells and Role.AMOUNT not in current.cells and Role.POSITION not in read.cells:
        roles = roles - {Role.TAX, Role.TAX_RATE, Role.DISCOUNT}
    return bool(roles & current.cells.keys() & read.cells.keys())


def _attach(
    current: Group | None,
    pending: Sequence[tuple[WordRow, Group]],
    following: Group | None,
    row: WordRow | None,
    *,
    codes: bool,
) -> bool:
    """Give rows of text to the item above, or to the one below if that has no text of its own; whether it got any.

    `codes`: a code is no text of its own.
    """
    parts = list(pending)
    own: list[tuple[WordRow, Group]] = []
    if following is not None and row is not None and not _is_titled(following, codes=codes):
        take = len(parts) if current is None or not _is_titled(current, codes=codes) else 1
        below = row
        for above, part in reversed(parts[len(parts) - take :]):
            if below.top - above.bottom > 1.5 * (above.bottom - above.top):
                break
            own.append((above, part))
            below = above
        parts = parts[: len(parts) - len(own)]
        for _, part in own:
            following.text[:0] = part.text or part.codes
            following.rows[:0] = part.rows
    if current is not None:
        _append(current, parts)
    return bool(own)


def _append(group: Group, parts: Sequence[tuple[WordRow, Group]]) -> None:
    """Add rows of text to an item, as long as they are close."""
    bottom = group.rows[-1]
    for row, part in parts:
        if row.top - bottom.bottom > _FAR * (row.bottom - row.top):
            return
        _merge(group, part)
        bottom = row


def _is_titled(group: Group, *, codes: bool) -> bool:
    """Whether a row has text of its own; where `codes` are none, more than an article number."""
    if not codes:
        return bool(group.text)
    return any(sum(map(str.isalpha, word)) > 2 and not any(map(str.isdigit, word)) for word in group.text)


def _merge(group: Group, part: Group) -> None:
    for role, words in part.cells.items():
        group.cells.setdefault(role, []).extend(words)
    group.text += part.text
    group.codes += part.codes
    group.marks += part.marks
    group.rows += part.rows
