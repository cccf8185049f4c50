"""How the amounts of a receipt add up: subtotal, taxes and tip make the total; so does cash less change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from pipeline.fields.amounts import Amount
from pipeline.fields.receipt.labels import kind_of

TOTALS = {"final": 0.82, "total": 0.78, "inclusive": 0.74, "totalish": 0.55, "net": 0.52, "fuel": 0.5}
"""Kinds of labels that name the total, and the score of an amount with one."""
NETS = ("subtotal", "part", "net", "fuel")
_FEW = 8
"""Maximum number of amounts of one kind that are tried in sums."""
_CENTS = Decimal("0.05")
"""The largest difference that rounding to coins makes."""
_ZERO = Decimal(0)


class Marked(NamedTuple):
    """An amount and the kind of its label, `""` without a label that is known."""

    amount: Amount
    kind: str

    @property
    def value(self) -> Decimal:
        """The amount, without its sign."""
        return abs(self.amount.value)


class Parts(NamedTuple):
    """A sum that makes a total: net + taxes + tips + what else is added or taken off."""

    net: Marked
    taxes: tuple[Marked, ...] = ()
    tips: tuple[Marked, ...] = ()
    services: tuple[Marked, ...] = ()
    discounts: tuple[Marked, ...] = ()
    rounding: tuple[Marked, ...] = ()

    @property
    def total(self) -> Decimal:
        """What the parts make."""
        added = sum((m.value for m in (*self.taxes, *self.tips, *self.services)), self.net.value)
        return added - sum(m.value for m in self.discounts) + sum(m.amount.value for m in self.rounding)

    @property
    def proves(self) -> bool:
        """Whether something is added or taken off: a net that equals the total alone is weak evidence."""
        if 2 * sum(m.value for m in self.taxes) > self.net.value:
            return False
        return any(m.value for m in (*self.taxes, *self.tips, *self.services, *self.discounts))


class Evidence(NamedTuple):
    """What the amounts of a receipt say about its total."""

    marked: tuple[Marked, ...]
    parts: dict[Decimal, Parts]
    paid: frozenset[Decimal]
    """Cash less change; empty if neither is printed."""
    counted: bool
    """Whether change was given: cash less change then confirms a total."""
    exact: bool
    """Whether the receipt says that no change was given."""
    items: frozenset[Decimal]
    """The sum of the amounts above the first label, with and without discounts."""
    dearest: Decimal
    """The largest amount above the first label."""
    counted_up: frozenset[int]
    """Amounts, by the start of their entity, that are the sum of those above them: of all, or from the subtotal."""

    def of(self, *kinds: str) -> list[Marked]:
        """The amounts of these kinds."""
        return [m for m in self.marked if m.kind in kinds]

    def strength(self, value: Decimal) -> int:
        """How well the amounts confirm a total: 3 by a sum, 2 by a net and a tax of zero, 1 by an equal net, 0 not."""
        parts = self.parts.get(value)
        if (self.counted and value in self.paid) or (parts and parts.proves):
            return 3
        return 0 if parts is None else 2 if parts.taxes else 1


def mark(amounts: Sequence[Amount]) -> list[Marked]:
    """The amounts by the labels in their rows. A tax is not more than half of the largest amount."""
    most = max((amount.value for amount in amounts), default=_ZERO)
    marked = []
    for amount in amounts:
        kind = _kind(amount)
        if kind == "tax" and 2 * amount.value > most and len(amounts) > 1:
            kind = "inclusive" if "inc" in amount.label else ""
        marked.append(Marked(amount, kind))
    return marked


def _kind(amount: Amount) -> str:
    kind = kind_of(amount.label)
    if kind in ("", "totalish", "quantity") and amount.near != amount.label:
        kind = kind_of(amount.near) or kind
    if not kind and len(amount.label) < 3:
        return kind_of(amount.behind)
    return kind


def weigh(marked: Sequence[Marked]) -> Evidence:
    """The sums that the amounts make."""
    cash = _few(m for m in marked if m.kind == "cash" and m.value)
    change = _few(m for m in marked if m.kind == "change")
    tendered = {m.value for m in cash}
    tendered |= {sum(tendered, _ZERO)}
    paid = {given - back for given in tendered for back in {m.value for m in change} or {_ZERO}}
    return Evidence(
        tuple(marked),
        {parts.total: parts for parts in reversed(list(_parts(marked)))},
        frozenset(value for value in paid if value > 0),
        any(m.value for m in change),
        bool(change) and not any(m.value for m in change),
        _items(marked),
        _dearest(marked),
        _counted_up(marked),
    )


def _parts(marked: Sequence[Marked]) -> Iterator[Parts]:
    """Sums to try: from a subtotal first, and the fullest first."""
    nets = sorted(_few(m for m in marked if m.kind in NETS), key=lambda m: m.kind != "subtotal")
    taxes, tips, services, discounts, rounding = (
        _few(m for m in marked if m.kind == kind)
        for kind in ("tax", "tip", "service", "discount", "rounding")
    )
    tax_choices = _choices(taxes, single=True)
    rest = [_choices(some, single=False) for some in (tips, services, discounts, rounding)]
    choices = list(product(tax_choices, *rest))
    for net, choice in product(nets, choices):
        yield Parts(net, *choice)
    # a first total to which taxes are added
    for net, choice in product(_few(m for m in marked if m.kind in TOTALS and m.kind not in NETS), choices):
        parts = Parts(net, *choice)
        if parts.proves and not parts.discounts:
            yield parts


def _choices(some: Sequence[Marked], *, single: bool) -> list[tuple[Marked, ...]]:
    """All of them, each alone, none."""
    distinct = tuple({(m.value, m.amount.label): m for m in some}.values())
    each = [(m,) for m in distinct] if single or len(distinct) <= 2 else []
    return list(dict.fromkeys([tuple(some), distinct, *each, ()]))


def _few(marked: Iterable[Marked]) -> list[Marked]:
    """The first ones."""
    few: list[Marked] = []
    for one in marked:
        few.append(one)
        if len(few) == _FEW:
            break
    return few


def _items(marked: Sequence[Marked]) -> frozenset[Decimal]:
    """The sum of the amounts above the first label, with and without the discounts."""
    first = next((m.amount.row for m in marked if m.kind), 0)
    items = [m.amount.value for m in marked if m.amount.last and m.amount.row < first]
    if not items:
        return frozenset()
    total = sum(items, _ZERO)
    return frozenset({total, *(total - m.value for m in _few(m for m in marked if m.kind == "discount"))})


def _dearest(marked: Sequence[Marked]) -> Decimal:
    first = next((m.amount.row for m in marked if m.kind), 0)
    return max((m.value for m in marked if m.amount.last and m.amount.row < first), default=_ZERO)


def _counted_up(marked: Sequence[Marked]) -> frozenset[int]:
    found, total, items = set(), _ZERO, 0
    for m in marked:
        if not m.amount.last or not m.value:
            continue
        if items > 1 and m.value == total:
            found.add(m.amount.entity.start)
        elif m.kind == "subtotal":
            total, items = m.value, 1
        else:
            total += m.amount.value
            items += 1
    return frozenset(found)


def is_near(value: Decimal, others: Iterable[Decimal]) -> bool:
    """Whether one of the others differs by no more than rounding to coins."""
    return any(abs(value - other) <= _CENTS for other in others)
