"""Subtotal and tip of a receipt: by their labels, and by what makes the total."""

from __future__ import annotations

import re
from decimal import Decimal

from pipeline.fields.receipt.sums import TOTALS, Marked, is_near
from pipeline.fields.receipt.tax import summed
from pipeline.fields.receipt.total import Reading
from pipeline.models import Field

_SUGGESTED = re.compile(r"suggest|guide|recommend|conven|sugerid|helpful|for your", re.IGNORECASE)
_ZERO = Decimal(0)
_NEAR = 4
"""Maximum number of rows between a subtotal without a label and the first tax."""


def find_subtotal(reading: Reading) -> Field | None:
    """The amount before taxes and tip, if it is printed."""
    parts, value = reading.parts, reading.value
    if parts and (parts.proves or parts.net.kind == "subtotal"):
        return summed(reading, "subtotal", [parts.net.amount], 0.93 if parts.proves else 0.8)
    labelled = [m for m in reading.evidence.of("subtotal") if m.amount.last]
    if not labelled:
        return _difference(reading)
    # the last before the total: earlier ones are those of groups of items
    best = labelled[-1]
    if best.value in reading.evidence.items:
        return summed(reading, "subtotal", [best.amount], 0.8)
    checks = [] if value is None or is_near(value, [best.value]) else ["sum_mismatch"]
    return summed(reading, "subtotal", [best.amount], 0.55 if checks else 0.65, checks)


def _difference(reading: Reading) -> Field | None:
    """The amount above the first tax that is the total less what is added, if its row has no label."""
    added = [m for m in reading.evidence.of("tax", "service", "tip") if m.amount.last]
    rest = reading.value - sum((m.value for m in added), _ZERO) if reading.value is not None else _ZERO
    if not added or rest <= 0 or rest == reading.value:
        return None
    first = added[0].amount.row
    for m in reading.evidence.marked:
        if m.value == rest and not m.kind and not m.amount.label and first - _NEAR < m.amount.row < first:
            return summed(reading, "subtotal", [m.amount], 0.7, ["no_label"])
    return None


def find_tip(reading: Reading) -> Field | None:
    """The tip or gratuity that was charged; none of those that the receipt proposes."""
    parts = reading.parts
    if parts and parts.proves and parts.tips:
        return summed(reading, "tip", [m.amount for m in parts.tips], 0.93)
    last = _row_of_total(reading)
    tips = [m for m in reading.evidence.of("tip") if m.amount.last and not _is_suggested(reading, m, last)]
    if len({m.value for m in tips}) != 1 or (reading.value is not None and tips[0].value * 2 > reading.value):
        return None
    return summed(reading, "tip", [tips[-1].amount], 0.6)


def _is_suggested(reading: Reading, tip: Marked, total: int) -> bool:
    """Whether the tip is proposed: below the total, or with words that say so."""
    near = reading.rows[max(tip.amount.row - 4, 0) : tip.amount.row + 1]
    below = reading.value is not None and bool(tip.value) and tip.amount.row > total
    return below or any(_SUGGESTED.search(row.text) for row in near)


def _row_of_total(reading: Reading) -> int:
    rows = [m.amount.row for m in reading.evidence.marked if m.value == reading.value and m.kind in TOTALS]
    return max(rows, default=len(reading.rows))
