"""Tax of a receipt: by its label, by what makes the total, and by the rates of a tax table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from pipeline.fields.amounts import Amount, currency_of
from pipeline.fields.receipt.sums import TOTALS, Marked, is_near
from pipeline.fields.receipt.total import Reading
from pipeline.fields.rows import field
from pipeline.models import Field

_PERCENT = re.compile(r"(?<![0-9.,])([0-9]{1,2}(?:[.,][0-9]{1,3})?) ?%")
_CENT = Decimal("0.02")
_HUNDRED = Decimal(100)
_ZERO = Decimal(0)
_TABLE = 12
"""Maximum number of rows of a tax table."""
_MOST = 6
"""Maximum number of taxes on a receipt."""


class _Rate(NamedTuple):
    """A row of a tax table: an amount, net or gross, and the tax that fits it."""

    base: Amount
    tax: Amount


def find_tax(reading: Reading) -> Field | None:
    """The tax, or the sum of the taxes."""
    parts = reading.parts
    if parts and parts.proves and parts.taxes:
        return summed(reading, "tax", [m.amount for m in parts.taxes], 0.93)
    labelled = list(
        {(m.value, m.amount.label): m for m in reading.evidence.of("tax") if m.amount.last}.values()
    )
    totals = [m for m in labelled if re.search("tota?l", m.amount.label)]
    if len(totals) == 1:
        return summed(reading, "tax", [totals[0].amount], 0.8)
    rates = _rates(reading)
    return _by_rates(reading, rates) if rates else _by_label(reading, labelled)


def summed(
    reading: Reading, name: str, amounts: Sequence[Amount], confidence: float, checks: Sequence[str] = ()
) -> Field:
    """A field whose value is the sum of amounts."""
    value = sum((abs(a.value) for a in amounts), _ZERO)
    currency = currency_of(amounts[0], reading.amounts, reading.rows)
    spans = [a.span for a in amounts]
    return field(name, reading.rows[0].page, spans, f"{value:f}", confidence, currency, checks)


def _by_rates(reading: Reading, rates: Sequence[_Rate]) -> Field:
    bases, taxes = (sum((abs(a.value) for a in column), _ZERO) for column in zip(*rates, strict=True))
    whole = reading.value is not None and is_near(reading.value, [bases + taxes, bases])
    return summed(reading, "tax", [rate.tax for rate in rates], 0.88 if whole else 0.7)


def _by_label(reading: Reading, labelled: Sequence[Marked]) -> Field | None:
    if not labelled:
        return _difference(reading)
    if len({m.value for m in labelled}) == 1:
        confidence, checks = _alone(reading, labelled[-1])
        return summed(reading, "tax", [labelled[-1].amount], confidence, checks)
    if len(labelled) > _MOST:
        return None
    return summed(reading, "tax", [m.amount for m in labelled], 0.45, ["sum_mismatch"])


def _alone(reading: Reading, tax: Marked) -> tuple[float, Sequence[str]]:
    """Confidence in a labelled tax that is not part of a sum, and the checks that failed."""
    total = reading.value
    if total is None or not tax.value:
        return (0.6 if total is None else 0.75), ()
    for printed in _PERCENT.findall(reading.rows[tax.amount.row].text):
        rate = Decimal(printed.replace(",", "."))
        if rate and is_near(tax.value, [total * rate / (_HUNDRED + rate), total * rate / _HUNDRED]):
            return 0.88, ()
    if tax.value * 2 > total:
        return 0.3, ["sum_mismatch"]
    return (0.55, ["sum_mismatch"]) if reading.evidence.of("subtotal") and not reading.parts else (0.7, ())


def _difference(reading: Reading) -> Field | None:
    """The amount between subtotal and total that is their difference, if its row has no label."""
    nets = [m for m in reading.evidence.of("subtotal") if m.amount.last]
    if reading.value is None or not nets:
        return None
    net = nets[-1]
    for m in reading.evidence.marked:
        between = m.amount.row > net.amount.row and not m.kind and not m.amount.label
        if between and m.value and net.value + m.value == reading.value:
            return summed(reading, "tax", [m.amount], 0.55, ["no_label"])
    return None


def _rates(reading: Reading) -> list[_Rate]:
    """The rows of a tax table, below the first total."""
    first = next((m.amount.row for m in reading.evidence.marked if m.kind in TOTALS), None)
    if first is None:
        return []
    rows: dict[int, list[Amount]] = {}
    for amount in reading.amounts:
        if amount.row >= first and amount.value:
            rows.setdefault(amount.row, []).append(amount)
    found: dict[tuple[Decimal, Decimal], _Rate] = {}
    for number, inside in rows.items():
        if 1 < len(inside) <= 4 and (rate := next(_rate_of(reading.rows[number].text, inside), None)):
            found[rate.base.value, rate.tax.value] = rate
        if len(found) == _TABLE:
            break
    return list(found.values())


def _rate_of(text: str, inside: Sequence[Amount]) -> Iterator[_Rate]:
    printed = [Decimal(p.replace(",", ".")) for p in _PERCENT.findall(text)]
    if not printed and len(inside) > 2:
        printed = [inside[0].value]
    for rate in printed:
        for base in inside:
            for tax in inside:
                if 0 < rate < 40 and tax is not base and _fits(abs(base.value), abs(tax.value), rate):
                    yield _Rate(base, tax)


def _fits(base: Decimal, tax: Decimal, rate: Decimal) -> bool:
    """Whether a tax is that on a net amount, or that in a gross amount."""
    return any(abs(base * rate / whole - tax) <= _CENT for whole in (_HUNDRED, _HUNDRED + rate))
