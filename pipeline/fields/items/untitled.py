"""A statement without headings: rows that begin with a date and end with amounts."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from pipeline.fields.items.columns import Column, Heading
from pipeline.fields.items.days import is_day
from pipeline.fields.items.heading_words import Role, fold
from pipeline.fields.items.label_words import is_opening
from pipeline.fields.items.words import Word, WordRow

_LEAST = 3
"""Minimum number of such rows."""
_ABOVE = 3
"""Maximum number of rows between the opening balance and the first transaction, with it."""
_CENTS = (".", ",")
_SHARE = 0.7
"""Share of the rows that must have a balance."""


def untitled(rows: Sequence[WordRow]) -> Heading | None:
    """The columns of transactions, where enough rows have a date first and an amount last; else `None`.

    The column farthest right is the balance if it is filled in most rows that have a column left of it.
    """
    dated = [row for row in rows if _is_entry(row)]
    if len(dated) < _LEAST:
        return None
    height = median(row.bottom - row.top for row in dated)
    edges = _edges([word.right for row in dated for word in row.words if _is_amount(word)], height)
    last = [row for row in dated if abs(row.words[-1].right - edges[-1]) <= height]
    balanced = len(edges) > 1 and len(last) >= _SHARE * len(dated)
    days = max(row.words[0].right for row in dated)
    left = min(word.left for row in dated for word in row.words if _is_amount(word))
    columns = [
        Column(Role.DATE, min(row.words[0].left for row in dated), days, ""),
        Column(Role.DESCRIPTION, days + 1, max(left - 1, days + 2), ""),
    ]
    for number, edge in enumerate(edges):
        begin = max(edges[number - 1] + 1, left) if number else left
        role = Role.BALANCE if balanced and number == len(edges) - 1 else Role.AMOUNT
        columns.append(Column(role, begin, edge, ""))
    first = rows.index(dated[0])
    above = range(max(first - _ABOVE, 0), first)
    first = next((n for n in above if is_opening(fold(rows[n].text))), first)
    return Heading(tuple(columns), first, first - 1, statement=True)


def _is_entry(row: WordRow) -> bool:
    return len(row.words) > 2 and is_day(row.words[0].text.rstrip(".")) and _is_amount(row.words[-1])


def _is_amount(word: Word) -> bool:
    digits = word.text.rstrip(" -+CRDcr.)€$£")
    return word.figure and digits[-3:-2] in _CENTS and digits[-2:].isdigit()


def _edges(rights: Sequence[float], height: float) -> list[float]:
    """The right edges of columns: amounts are aligned there."""
    edges: list[list[float]] = []
    for right in sorted(rights):
        if edges and right - edges[-1][-1] <= height:
            edges[-1].append(right)
        else:
            edges.append([right])
    return [max(group) for group in edges]
