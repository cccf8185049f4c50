"""The transactions of an account: signs by column or mark, dates with their year, balances that add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from pipeline.fields.items.cells import Group
from pipeline.fields.items.days import Order, order_of, read_day, with_year
from pipeline.fields.items.heading_words import Role
from pipeline.fields.items.table import Table
from pipeline.fields.items.values import number_of
from pipeline.models import LineItem


class Entry(NamedTuple):
    """What a transaction's columns say; `signed`: whether column or mark tell if money comes or leaves."""

    group: Group
    day: date | None
    amount: Decimal
    balance: Decimal | None
    signed: bool


def entries_of(table: Table, decimal: str | None, usual: Order | None, known: Sequence[date]) -> list[Entry]:
    """The transactions of a table; a row without a date has that of the row above it."""
    order = order_of([group.figure(Role.DATE) for group in table.groups], usual)
    entries: list[Entry] = []
    last: date | None = None
    for group in table.groups:
        money = _money(group, decimal)
        day = read_day(group.figure(Role.DATE), order)
        last = (with_year(day, known) if day else None) or (last if day is None else None)
        if money is None:
            if entries:
                entries[-1].group.text += group.text
            continue
        balance = figure(group, Role.BALANCE, decimal)
        entries.append(Entry(group, last, money[0], balance, money[1]))
    return _signed(entries, opening_of(table, decimal))


def opening_of(table: Table, decimal: str | None) -> Decimal | None:
    """The balance before the transactions, as the table has it."""
    return _balance(table.opening, decimal)


def closing_of(table: Table, decimal: str | None) -> Decimal | None:
    """The balance after the transactions, as the table has it."""
    return _balance(table.closing, decimal)


def figure(group: Group, role: Role, decimal: str | None) -> Decimal | None:
    """The number in a column, negative where a mark behind it says debit."""
    for word in group.cells.get(role, ()):
        number = number_of(word.text, decimal)
        if number is not None:
            return -abs(number.value) if number.mark == "DR" else number.value
    return None


def chained(items: Sequence[LineItem], opening: Decimal | None) -> bool | None:
    """Whether the balances of rows follow from their amounts, newest row first or last; `None` without balances."""
    steps = [
        (Decimal(b.balance) - Decimal(a.balance), Decimal(b.amount), Decimal(a.amount))
        for a, b in pairwise(items)
        if a.balance and b.balance and a.amount and b.amount
    ]
    if not steps:
        return None
    down = sum(step == after for step, after, _ in steps)
    up = sum(-step == before for step, _, before in steps)
    first = items[0]
    begins = (
        opening is None
        or first.balance is None
        or first.amount is None
        or (up > down or opening + Decimal(first.amount) == Decimal(first.balance))
    )
    return max(down, up) == len(steps) and begins


def transaction(entry: Entry, row: int) -> LineItem:
    """The entry as an item, its confidence still without the checks."""
    return LineItem(
        page=entry.group.page,
        row=row,
        description=entry.group.description,
        amount=f"{entry.amount:f}",
        date=entry.day.isoformat() if entry.day else None,
        balance=None if entry.balance is None else f"{entry.balance:f}",
        confidence=0.8 if entry.signed and entry.day else 0.6 if entry.signed else 0.35,
    )


def _money(group: Group, decimal: str | None) -> tuple[Decimal, bool] | None:
    debit, credit = (figure(group, role, decimal) for role in (Role.DEBIT, Role.CREDIT))
    if debit is not None or credit is not None:
        return (credit or Decimal(0)) - abs(debit or Decimal(0)), True
    for word in group.cells.get(Role.AMOUNT, ()):
        number = number_of(word.text, decimal)
        if number is None:
            continue
        mark = number.mark or (group.marks[0] if group.marks else "")
        value = -abs(number.value) if mark == "DR" else number.value
        return value, bool(mark) or number.value < 0
    return None


def _signed(entries: list[Entry], opening: Decimal | None) -> list[Entry]:
    """Take the sign of an unsigned amount from the balances before and after it.

    Where some amounts of the column have a sign, those without are positive.
    """
    some = any(entry.signed for entry in entries)
    found = []
    for entry, old in zip(entries, [opening, *(entry.balance for entry in entries)], strict=False):
        left = old is not None and entry.balance is not None and old - entry.amount == entry.balance
        came = old is not None and entry.balance is not None and old + entry.amount == entry.balance
        if not entry.signed and left:
            found.append(entry._replace(amount=-entry.amount, signed=True))
        else:
            found.append(entry._replace(signed=entry.signed or came or some))
    return found


def _balance(group: Group | None, decimal: str | None) -> Decimal | None:
    if group is None:
        return None
    balance = figure(group, Role.BALANCE, decimal)
    if balance is not None:
        return balance
    money = _money(group, decimal)
    return None if money is None else money[0]
