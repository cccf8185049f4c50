"""The rows below a heading: which words belong to which column, and which rows form one item."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from pipeline.fields.items.columns import NUMERIC, Column, Heading
from pipeline.fields.items.days import is_day
from pipeline.fields.items.heading_words import Role, fold
from pipeline.fields.items.label_words import (
    begins_as_total,
    is_carried,
    is_closing,
    is_opening,
    is_stop,
    is_total,
)
from pipeline.fields.items.unit_words import is_unit
from pipeline.fields.items.words import Word, WordRow

_ANCHORS = NUMERIC | {Role.DATE}
PAID = frozenset({Role.AMOUNT, Role.DEBIT, Role.CREDIT})
"""Columns of amounts."""
_TEXT = frozenset({Role.DESCRIPTION, Role.CODE, Role.UNIT, Role.OTHER, Role.DATE, Role.VALUE_DATE})
_AFTER_SUM = {True: frozenset({Role.DATE}), False: frozenset({Role.QUANTITY, Role.UNIT_PRICE, Role.POSITION})}
"""What a row below a sum must have to be one more of the table."""
_FAR = 3.0
"""A row of text farther below an item than this, in heights, does not belong to it."""
_END = 8.0
"""So does nothing farther below the last row of the table."""
_CODE = 3
"""Maximum length of what may be behind a figure: a tax code, CR."""
_LONG = 400
"""Maximum length of a description."""
_MARKS = {"CR": "CR", "DR": "DR", "S": "DR", "H": "CR", "-": "DR", "+": "CR", "AF": "DR", "BIJ": "CR"}
"""Debit or credit behind an amount: in English, German (Soll, Haben), Dutch."""
_SUBTOTALS = ("sub", "zwischen", "sous", "小")
_PAGE = re.compile(
    r"^(?:page|seite|pagina|blatt|hoja|sheet)\b[: /]*(?:of|von|sur|de|di|van)?[ :]*$|^第.{0,6}页"
)


@dataclass
class Group:
    """The rows of one item: the words in each role, and the words of the description."""

    page: int
    cells: dict[Role, list[Word]] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    rows: list[WordRow] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    @property
    def description(self) -> str:
        """Its text, without what is beyond `_LONG`."""
        return " ".join(self.text or self.codes)[:_LONG].strip()

    def figure(self, role: Role) -> str:
        """What is printed in a column."""
        return " ".join(word.text for word in self.cells.get(role, ()))


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
    for row, read in _cells(_within(rows, heading), page, heading.columns):
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


def _cells(rows: Iterable[WordRow], page: int, columns: Sequence[Column]) -> Iterator[tuple[WordRow, Group]]:
    for row in rows:
        group = Group(page, rows=[row])
        before: Word | None = None
        column: Column | None = None
        for number, word in enumerate(row.words):
            glued = word.glued and before is not None and before.line == word.line
            followed = word.figure and _is_followed(row.words, number)
            column = _column(
                word, columns, before if glued else None, column if glued else None, followed=followed
            )
            _put(group, word, column)
            before = word
        if Role.DATE in group.cells and not is_day(group.figure(Role.DATE)):
            group.text[:0] = [word.text for word in group.cells.pop(Role.DATE)]
        yield row, group


def _put(group: Group, word: Word, column: Column | None) -> None:
    role = column.role if column is not None else Role.OTHER
    if role is Role.DESCRIPTION:
        group.text.append(word.text)
    elif role is Role.CODE:
        group.codes.append(word.text)
    elif role in NUMERIC and not word.figure:
        if word.text.upper() in _MARKS:
            group.marks.append(_MARKS[word.text.upper()])
        elif is_unit(word.text):
            group.cells.setdefault(Role.UNIT, []).append(word)
        else:
            group.codes.append(word.text)
    else:
        group.cells.setdefault(role, []).append(word)


def _column(
    word: Word, columns: Sequence[Column], before: Word | None, its: Column | None, *, followed: bool
) -> Column | None:
    """The column of a word: the one above it, unless it is in the middle of running text.

    `before`: the word close to its left, in the column `its`. `followed`: a figure has text close to its right.
    """
    hit = _over(word, columns)
    running = its is not None and its.role in _TEXT
    if not word.figure:
        other = hit is not None and hit.role in _TEXT and hit != its
        return its if running and not other else hit or its or _left_of(word, columns)
    if running and before is not None and not before.figure:
        apart = hit is not None and _share(word, hit) >= 0.5 and not followed
        if before.text.endswith((":", "=")) or not apart:
            return its
    if followed and hit is not None and hit.role in NUMERIC - {Role.QUANTITY, Role.POSITION}:
        return _left_of(word, columns)
    return hit or _nearest(word, columns)


def _is_followed(words: Sequence[Word], number: int) -> bool:
    """Whether a figure is followed by text that is not only its unit or a code: then it is part of the text."""
    run = list(takewhile(lambda w: w.glued and w.line == words[number].line, words[number + 1 : number + 4]))
    if not run or run[0].figure or (len(run) == 1 and len(run[0].text) <= _CODE):
        return False
    named = next((word for word in run if not is_unit(word.text)), None)
    return named is not None and not named.figure and any(c.isalnum() for c in named.text)


def _share(word: Word, column: Column) -> float:
    return (min(word.right, column.right) - max(word.left, column.left)) / max(word.right - word.left, 1e-6)


def _over(word: Word, columns: Sequence[Column]) -> Column | None:
    best = max(columns, key=lambda c: min(word.right, c.right) - max(word.left, c.left))
    return best if min(word.right, best.right) > max(word.left, best.left) else None


def _left_of(word: Word, columns: Sequence[Column]) -> Column | None:
    """The column of text that begins left of a word."""
    return next((c for c in reversed(columns) if c.role in _TEXT and c.left <= word.left), None) or next(
        (c for c in columns if c.role in _TEXT), None
    )


def _nearest(word: Word, columns: Sequence[Column]) -> Column | None:
    """The nearest column of figures: a heading may be narrower than what is below it."""
    return min(
        columns,
        key=lambda c: max(c.left - word.right, word.left - c.right) - (0.01 if c.role in NUMERIC else 0.0),
    )
