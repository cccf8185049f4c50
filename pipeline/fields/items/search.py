"""The table of items of a document, from page to page, and the sums that are printed outside of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from pipeline.fields.items.columns import headings_of
from pipeline.fields.items.heading_words import fold
from pipeline.fields.items.label_words import is_sum
from pipeline.fields.items.table import PAID, Table, read_rows
from pipeline.fields.items.untitled import untitled
from pipeline.fields.items.words import WordRow, word_rows
from pipeline.models import Page

Sheet = tuple[Page, Sequence[WordRow]]
"""A page and its rows."""
_LABEL = 12
"""Maximum number of words of a row that is a sum and its label."""
_MOST = 100
"""Maximum number of sums that are looked at."""


def sheets_of(pages: Sequence[Page]) -> list[Sheet]:
    """The pages with their rows."""
    return [(page, word_rows(page)) for page in pages]


def find_table(sheets: Sequence[Sheet], *, statement: bool, unpaid: bool = False) -> Table | None:
    """The document's table; of several, the one with the most rows, and those with the same columns.

    `unpaid`: it may have no column of amounts.
    """
    tables: list[Table] = []
    table: Table | None = None
    for page, rows in sheets:
        headings = headings_of(rows, statement=statement)
        if statement and not headings and table is None and (heading := untitled(rows)):
            headings = [heading]
        starts = sorted({heading.first for heading in headings} | {len(rows)})
        if table is not None and not table.ended:
            read_rows(table, page.number, rows[: starts[0]], table.heading, free=True)
        for heading in headings:
            if not heading.is_items:
                continue
            if table is None or table.heading.roles != heading.roles:
                table = Table(heading)
                tables.append(table)
            table.ended, table.summed = False, table.summed and statement
            end = starts[bisect_right(starts, heading.first)]
            read_rows(table, page.number, rows[heading.last + 1 : end], heading, free=False)
    filled = [table for table in tables if table.groups]
    paid = [table for table in filled if table.heading.roles & PAID]
    kept = paid or (filled if unpaid else [])
    return _joined(kept, every=statement) if kept else None


def _joined(tables: Sequence[Table], *, every: bool) -> Table:
    """Tables with the same roles are one, such as the transactions of two months; of a statement, all are."""
    best = max(tables, key=lambda table: len(table.groups))
    whole = Table(best.heading)
    for table in tables:
        if every or table.heading.roles == best.heading.roles:
            whole.groups += table.groups
            whole.sums += table.sums
            whole.opening = whole.opening or table.opening
            whole.closing = table.closing or whole.closing
            whole.several = whole.several or table.several
    return whole


def printed_sums(sheets: Sequence[Sheet]) -> Iterator[str]:
    """The figures that are labelled as sums anywhere, the last ones first."""
    count = 0
    for _, rows in reversed(sheets):
        for row in reversed(rows):
            figures = [word.text for word in row.words if word.figure]
            if not figures or len(row.words) > _LABEL:
                continue
            if is_sum(fold(" ".join(word.text for word in row.words if not word.figure))):
                count += 1
                yield figures[-1]
                if count == _MOST:
                    return
