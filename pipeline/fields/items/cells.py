"""The words of a row in their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from pipeline.fields.items.columns import NUMERIC, Column
from pipeline.fields.items.days import is_day
from pipeline.fields.items.heading_words import Role
from pipeline.fields.items.unit_words import is_unit
from pipeline.fields.items.words import Word, WordRow

_TEXT = frozenset({Role.DESCRIPTION, Role.CODE, Role.UNIT, Role.OTHER, Role.DATE, Role.VALUE_DATE})
_CODE = 3
"""Maximum length of what may be behind a figure: a tax code, CR."""
_LONG = 400
"""Maximum length of a description."""
_MARKS = {"CR": "CR", "DR": "DR", "S": "DR", "H": "CR", "-": "DR", "+": "CR", "AF": "DR", "BIJ": "CR"}
"""Debit or credit behind an amount: in English, German (Soll, Haben), Dutch."""


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


def groups_of(
    rows: Iterable[WordRow], page: int, columns: Sequence[Column]
) -> Iterator[tuple[WordRow, Group]]:
    """Each row with its words by column."""
    for row in rows:
        group = Group(page, rows=[row])
        before: Word | None = None
        column: Column | None = None
        for number, word in enumerate(row.words):
            glued = word.glued and before is not None and before.line == word.line
            followed = word.figure and _is_followed(row.words, number)
            if not _is_mark_behind(word, before, column):
                column = _column(
                    word, columns, before if glued else None, column if glued else None, followed=followed
                )
            _put(group, word, column, attached=before is not None and before.end == word.start)
            before = word
        if Role.DATE in group.cells and not is_day(group.figure(Role.DATE)):
            group.text[:0] = [word.text for word in group.cells.pop(Role.DATE)]
        yield row, group


def _is_mark_behind(word: Word, before: Word | None, column: Column | None) -> bool:
    """Whether a word is the mark of debit or credit behind an amount, in a narrow column without a heading."""
    if before is None or not before.figure or column is None or column.role is not Role.AMOUNT:
        return False
    return word.text in _MARKS and word.left > column.right


def _put(group: Group, word: Word, column: Column | None, *, attached: bool) -> None:
    """Add a word to its column; `attached`: nothing separates it from the word before."""
    role = column.role if column is not None else Role.OTHER
    if role in (Role.DESCRIPTION, Role.CODE):
        texts = group.text if role is Role.DESCRIPTION else group.codes
        if attached and texts:
            texts[-1] += word.text
        else:
            texts.append(word.text)
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
