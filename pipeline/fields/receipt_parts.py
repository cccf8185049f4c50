"""Subtotal, tax and tip of a receipt: by their labels, by what makes the total, and by the rates of a tax table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec import structs

from pipeline.fields.amounts import Amount, currency_of
from pipeline.fields.receipt_labels import kind_of
from pipeline.fields.receipt_sums import TOTALS, Marked, is_near
from pipeline.fields.receipt_total import Reading
from pipeline.fields.rows import field
from pipeline.models import Field

_PERCENT = re.compile(r"(?<![0-9.,])([0-9]{1,2}(?:[.,][0-9]{1,3})?) ?%")
_SUGGESTED = re.compile(r"suggest|guide|recommend|conven|sugerid|helpful|for your", re.IGNORECASE)
_CENT = Decimal("0.02")
_HUNDRED = Decimal(100)
_ZERO = Decimal(0)
_TABLE = 12
"""Maximum number of rows of a tax table."""


class _Rate(NamedTuple):
    """A row of a tax table: net amount and tax that fit together."""

    net: Amount
    tax: Amount


def find_parts(reading: Reading) -> list[Field]:
    """The fields subtotal, tax and tip that were found."""
    rates = _rates(reading)
    tax = _tax(reading, rates)
    found = [_subtotal(reading), tax, _tip(reading)]
    return [one for one in found if one is not None]


def _subtotal(reading: Reading) -> Field | None:
    parts, value = reading.parts, reading.value
    if parts and (parts.proves or parts.net.kind == "subtotal"):
        return _field(reading, "subtotal", [parts.net.amount], 0.93 if parts.proves else 0.8)
    labelled = [m for m in reading.evidence.of("subtotal") if m.amount.last]
    if not labelled:
        return None
    # the last before the total: earlier ones are those of groups of items
    best = labelled[-1]
    if best.value in reading.evidence.items:
        return _field(reading, "subtotal", [best.amount], 0.8)
    checks = () if value is None or is_near(value, [best.value]) else ("sum_mismatch",)
    return _field(reading, "subtotal", [best.amount], 0.55 if checks else 0.65, checks)


def _tax(reading: Reading, rates: Sequence[_Rate]) -> Field | None:
    parts, value = reading.parts, reading.value
    if parts and parts.proves and parts.taxes:
        return _field(reading, "tax", [m.amount for m in parts.taxes], 0.93)
    if rates:
        nets, taxes = sum((r.net.value for r in rates), _ZERO), sum((r.tax.value for r in rates), _ZERO)
        whole = value is not None and is_near(value, [nets + taxes, nets])
        return _field(reading, "tax", [r.tax for r in rates], 0.88 if whole else 0.7)
    labelled = list(
        {(m.value, m.amount.label): m for m in reading.evidence.of("tax") if m.amount.last}.values()
    )
    if not labelled:
        return _unlabelled(reading)
    summed = [m for m in labelled if kind_of(m.amount.label) == "tax" and re.search("tota?l", m.amount.label)]
    if len(summed) == 1:
        return _field(reading, "tax", [summed[0].amount], 0.75)
    if len({m.value for m in labelled}) == 1:
        return _field(reading, "tax", [labelled[-1].amount], *_alone(reading, labelled[-1]))
    return _field(reading, "tax", [m.amount for m in labelled], 0.45, ("sum_mismatch",))


def _alone(reading: Reading, tax: Marked) -> tuple[float, tuple[str, ...]]:
    """Confidence in a labelled tax that is not part of a sum, and the checks that failed."""
    if reading.value is None:
        return 0.6, ()
    if not tax.value:
        return 0.75, ()
    text = reading.rows[tax.amount.row].text
    for printed in _PERCENT.findall(text):
        rate = Decimal(printed.replace(",", "."))
        if rate and is_near(
            tax.value, [reading.value * rate / (_HUNDRED + rate), reading.value * rate / _HUNDRED]
        ):
            return 0.88, ()
    if tax.value * 2 > reading.value:
        return 0.3, ("sum_mismatch",)
    return (0.55, ("sum_mismatch",)) if reading.evidence.of("subtotal") and not reading.parts else (0.7, ())


def _unlabelled(reading: Reading) -> Field | None:
    """The amount between subtotal and total that is their difference, if its row has no label."""
    nets = [m for m in reading.evidence.of("subtotal") if m.amount.last]
    if reading.value is None or not nets:
        return None
    net = nets[-1]
    for m in reading.evidence.marked:
        between = m.amount.row > net.amount.row and not m.kind and not m.amount.label
        if between and m.value and net.value + m.value == reading.value:
            return _field(reading, "tax", [m.amount], 0.55, ("no_label",))
    return None


def _tip(reading: Reading) -> Field | None:
    parts = reading.parts
    if parts and parts.proves and parts.tips:
        return _field(reading, "tip", [m.amount for m in parts.tips], 0.93)
    tips = [m for m in reading.evidence.of("tip") if m.amount.last and not _is_suggested(reading, m)]
    if len({m.value for m in tips}) != 1:
        return None
    tip = tips[-1]
    if reading.value is not None and tip.value * 2 > reading.value:
        return None
    return _field(reading, "tip", [tip.amount], 0.6)


def _is_suggested(reading: Reading, tip: Marked) -> bool:
    """Whether the tip is one of those that the receipt proposes."""
    near = reading.rows[max(tip.amount.row - 4, 0) : tip.amount.row + 1]
    return any(_SUGGESTED.search(row.text) for row in near) or bool(
        reading.value is not None and tip.value and tip.amount.row > _row_of_total(reading)
    )


def _row_of_total(reading: Reading) -> int:
    rows = [m.amount.row for m in reading.evidence.marked if m.value == reading.value and m.kind in TOTALS]
    return max(rows, default=len(reading.rows))


def _rates(reading: Reading) -> list[_Rate]:
    """The rows of a tax table: a rate, and two amounts of which one is the tax on the other."""
    first = next((m.amount.row for m in reading.evidence.marked if m.kind in TOTALS), None)
    if first is None:
        return []
    by_row: dict[int, list[Amount]] = {}
    for amount in reading.amounts:
        if amount.row >= first and amount.value > 0:
            by_row.setdefault(amount.row, []).append(amount)
    found: list[_Rate] = []
    for number, inside in by_row.items():
        if len(found) == _TABLE:
            break
        text = reading.rows[number].text
        if 1 < len(inside) <= 4 and (rate := next(_rate_of(text, inside), None)):
            found.append(rate)
    return list({(r.net.value, r.tax.value): r for r in found}.values())


def _rate_of(text: str, inside: Sequence[Amount]) -> Iterator[_Rate]:
    printed = [Decimal(p.replace(",", ".")) for p in _PERCENT.findall(text)]
    if not printed and len(inside) > 2:
        printed = [inside[0].value]
    for rate in printed:
        for net in inside:
            for tax in inside:
                if 0 < rate < 40 and abs(net.value * rate / _HUNDRED - tax.value) <= _CENT and tax is not net:
                    yield _Rate(net, tax)


def _field(
    reading: Reading, name: str, amounts: Sequence[Amount], confidence: float, checks: tuple[str, ...] = ()
) -> Field:
    """A field whose value is the sum of the amounts."""
    value = sum((abs(a.value) for a in amounts), Decimal(0))
    currency = currency_of(amounts[0], reading.amounts, reading.rows)
    spans = [a.span for a in amounts]
    found = field(name, reading.rows[0].page, spans, f"{value:f}", confidence, currency)
    return structs.replace(found, checks=checks)
