"""The items of an invoice or a delivery note from the rows of its table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from statistics import mode

from pipeline.fields.items.cells import Group
from pipeline.fields.items.days import Order, order_of, read_day, with_year
from pipeline.fields.items.heading_words import Role
from pipeline.fields.items.statement import figure
from pipeline.fields.items.table import Table
from pipeline.fields.items.unit_words import is_unit
from pipeline.fields.items.values import number_of, plain_decimal
from pipeline.models import LineItem

_COUNTED = frozenset({Role.QUANTITY, Role.UNIT_PRICE, Role.POSITION})
"""Columns that a sum has nothing in."""
_RATE = Decimal(100)
_CENT = Decimal("0.011")


def items_of(
    table: Table, decimal: str | None, usual: Order | None, known: Sequence[date]
) -> list[tuple[LineItem, Group]]:
    """The items of a table; a row without an amount is more text of the item above it."""
    roles = table.heading.roles
    needed = Role.AMOUNT if Role.AMOUNT in roles else Role.QUANTITY
    order = (
        order_of([group.figure(Role.DATE) for group in table.groups], usual) if Role.DATE in roles else usual
    )
    usual_places = _places(table.groups, decimal) if needed is Role.AMOUNT else 0
    kept: list[Group] = []
    for group in table.groups:
        value = figure(group, needed, decimal)
        if value is not None and (usual_places < 2 or places(value) >= 2):
            (kept if _is_named(group, roles) else table.sums).append(group)
        elif kept and kept[-1].page == group.page:
            kept[-1].text += group.text
    rows = _before_sums(kept, needed, decimal)
    table.sums += kept[len(rows) :]
    return [(_item(group, decimal, order, known), group) for group in rows]


def _before_sums(groups: Sequence[Group], needed: Role, decimal: str | None) -> Sequence[Group]:
    """The rows above the first sum: a row that adds up those above it, and has no quantity and no price as they do."""
    if needed is not Role.AMOUNT:
        return groups
    total = Decimal(0)
    for number, group in enumerate(groups):
        value = figure(group, needed, decimal) or Decimal(0)
        if number and value == total != 0 and not _COUNTED & group.cells.keys():
            return groups[:number]
        if not number and not _COUNTED & group.cells.keys():
            return groups
        total += value
    return groups


def _is_named(group: Group, roles: frozenset[Role]) -> bool:
    """Whether a row says what it is an amount of: one without name, quantity and price is a sum."""
    if Role.DESCRIPTION not in roles or group.text or group.codes:
        return True
    return bool(_COUNTED & group.cells.keys())


def places(value: Decimal) -> int:
    """Number of decimals, as printed."""
    return max(-int(value.as_tuple().exponent), 0)


def _places(groups: Sequence[Group], decimal: str | None) -> int:
    """The decimals that most amounts of a table have: a whole number among amounts with cents is something else."""
    found = [figure(group, Role.AMOUNT, decimal) for group in groups]
    return mode([places(value) for value in found if value is not None] or [0])


def _item(group: Group, decimal: str | None, order: Order | None, known: Sequence[date]) -> LineItem:
    quantity, price = (figure(group, role, decimal) for role in (Role.QUANTITY, Role.UNIT_PRICE))
    amount = figure(group, Role.AMOUNT, decimal)
    if price is None and product(quantity, per_unit := figure(group, Role.UNIT, decimal), amount) > 0:
        price = per_unit  # a heading such as "unit EUR"
    day = read_day(group.figure(Role.DATE), order)
    dated = with_year(day, known) if day else None
    return LineItem(
        page=group.page,
        row=0,
        description=group.description,
        quantity=plain_decimal(quantity),
        unit=_unit(group),
        unit_price=plain_decimal(price),
        amount=plain_decimal(amount),
        tax_rate=plain_decimal(_rate(group, decimal)),
        date=dated.isoformat() if dated else None,
        confidence=0.8 + product(quantity, price, amount),
    )


def product(quantity: Decimal | None, price: Decimal | None, amount: Decimal | None) -> float:
    """What quantity x unit price = amount adds to the confidence: less than nothing where it does not hold."""
    if quantity is None or price is None or amount is None:
        return 0.0
    return 0.1 if abs(quantity * price - amount) <= max(_CENT, abs(amount) / 1000) else -0.2


def _unit(group: Group) -> str | None:
    words = [word.text for word in group.cells.get(Role.UNIT, ()) if not word.figure]
    named = [word for word in words if is_unit(word)]
    return next(iter(named or words), None)


def _rate(group: Group, decimal: str | None) -> Decimal | None:
    """The rate of tax: from a column of rates, or a figure with a per cent sign in a column of taxes."""
    for role in (Role.TAX_RATE, Role.TAX):
        for word in group.cells.get(role, ()):
            number = number_of(word.text, decimal)
            if number and 0 <= number.value < _RATE and (role is Role.TAX_RATE or number.mark == "%"):
                return number.value
    return None
