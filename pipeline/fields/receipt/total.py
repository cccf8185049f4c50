"""The total of a receipt: found by its label, checked against payment and change and against the sum of its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from pipeline.fields.amounts import Amount, amounts_of, currency_of, squash
from pipeline.fields.receipt.align import realigned
from pipeline.fields.receipt.labels import by_card, kind_of
from pipeline.fields.receipt.sums import NETS, TOTALS, Evidence, Marked, Parts, is_near, mark, weigh
from pipeline.fields.rows import Row, field
from pipeline.models import Entity, Field

_SUMMARY = re.compile(r"(?:gst|tax|sst|vat|ost)(?:am\w*)?(?:summary|analysis|breakdown)|^taxcode|^summary")
_LEAST = 0.3
_MOST = 40
"""Maximum number of different values that are weighed against each other."""


class Reading(NamedTuple):
    """The amounts of a receipt and its total, if it has one."""

    rows: Sequence[Row]
    amounts: Sequence[Amount]
    evidence: Evidence
    end: int
    """Row of the tax summary, whose sums are those of its columns; number of rows without one."""
    total: Field | None
    value: Decimal | None
    parts: Parts | None
    """What makes the total, if the amounts add up."""


def read_total(rows: Sequence[Row], entities: Sequence[Entity]) -> Reading:
    """The amount due, as a plain decimal, if an amount is labelled or confirmed as the total."""
    amounts = amounts_of(rows, entities)
    labelled = mark(amounts)
    end = _summary(rows, [m.amount.row for m in labelled if m.kind in TOTALS and m.kind not in NETS])
    marked = [m if m.amount.row < end else Marked(m.amount, "") for m in labelled]
    evidence = weigh(marked)
    best = _best(rows, evidence, end)
    if best is None and end < len(rows):
        marked, end = labelled, len(rows)
        evidence = weigh(marked)
        best = _best(rows, evidence, end)
    evidence, best = _aligned(rows[:end], marked, evidence, best)
    if best is None or best.score < _LEAST:
        return Reading(rows, amounts, evidence, end, None, None, None)
    currency = currency_of(best.amount, amounts, rows)
    total = field(
        "total", rows[0].page, [best.amount.span], f"{best.value:f}", best.score, currency, best.checks
    )
    parts = evidence.parts.get(best.value)
    return Reading(rows, amounts, evidence, end, total, best.value, parts)


class _Candidate(NamedTuple):
    value: Decimal
    amount: Amount
    kind: str
    score: float
    rows: tuple[int, ...] = ()
    """Rows with a label of a total for this value."""
    checks: tuple[str, ...] = ()


def _aligned(
    rows: Sequence[Row], marked: Sequence[Marked], evidence: Evidence, best: _Candidate | None
) -> tuple[Evidence, _Candidate | None]:
    """The evidence and the best candidate, with the labels given to amounts in other rows if these then add up.

    Without any candidate, the amount nearest to the label of a total is one, if it has no label of its own.
    """
    proof = evidence.strength(best.value) if best else 0
    settled = proof > 1 or (best is not None and len(best.rows) > 1)
    if settled or any(evidence.strength(m.value) > 2 for m in evidence.of(*TOTALS)):
        return evidence, best
    unlabelled = {m.amount.entity.start for m in marked if not m.kind}
    for other in realigned(rows, marked):
        moved = weigh(other)
        one = _best(rows, moved, len(rows))
        if not one or one.kind not in TOTALS:
            continue
        if moved.strength(one.value) > max(proof, 1):
            return moved, one._replace(score=min(one.score, 0.8))
        if best is None and one.amount.entity.start in unlabelled:
            checks = dict.fromkeys([*one.checks, "no_label"])
            evidence, best = moved, one._replace(score=min(one.score, 0.5), checks=tuple(checks))
    return evidence, best


def _best(rows: Sequence[Row], evidence: Evidence, end: int) -> _Candidate | None:
    candidates: dict[Decimal, _Candidate] = {}
    alone = len({marked.value for marked in evidence.marked}) == 1
    for marked in evidence.marked:
        score = _base(marked, evidence, end, alone=alone)
        if not score or (marked.amount.value not in candidates and len(candidates) >= _MOST):
            continue
        score += 0.001 * marked.amount.row / len(rows)  # of equal candidates, the last wins
        named: tuple[int, ...] = (marked.amount.row,) if marked.kind in TOTALS else ()
        one = _Candidate(marked.value, marked.amount, marked.kind, score, named)
        if before := candidates.get(one.value):
            named = (*before.rows, *(row for row in named if row not in before.rows))
            one = max(one, before, key=lambda c: c.score)
            one = one._replace(score=one.score + 0.04, rows=named[:3])
        candidates[one.value] = one
    judged = [_checked(one, evidence, rows) for one in candidates.values()]
    positive = [one for one in judged if one.value] or judged
    return max(positive, key=lambda c: c.score, default=None)


def _base(marked: Marked, evidence: Evidence, end: int, *, alone: bool) -> float:
    """The score of an amount by its label alone; 0 if it can't be the total. `alone`: all amounts are the same."""
    amount, kind = marked.amount, marked.kind
    if kind in TOTALS:
        if amount.value < 0:  # a dash before it, if other amounts confirm it
            return 0.6 if _is_confirmed(marked.value, evidence) else 0.0
        if not amount.value and kind == "totalish":
            return 0.0
        return TOTALS[kind] if amount.last else 0.6 if kind in ("final", "total") else 0.3
    if not marked.value or amount.row >= end or (amount.value < 0 and kind != "cash"):
        return 0.0
    return _unlabelled(marked, evidence, alone=alone)


def _is_confirmed(value: Decimal, evidence: Evidence) -> bool:
    return value in evidence.paid or value in evidence.parts or value in evidence.items


def _unlabelled(marked: Marked, evidence: Evidence, *, alone: bool) -> float:
    """The score of an amount that only other amounts confirm as the total; 0 if they don't."""
    value, kind = marked.value, marked.kind
    if kind in ("", "rounding", "quantity") and (value in evidence.paid or _follows(marked, evidence)):
        return 0.6
    if kind == "cash" and evidence.strength(value) > 2:
        return 0.55
    added = kind in ("", "cash") and marked.amount.entity.start in evidence.counted_up
    charged = (
        kind == "cash"
        and evidence.paid == {value}
        and (alone or evidence.exact or by_card(marked.amount.label))
    )
    # TOTAL 3 ITEMS $6.50: with cents or a currency it is no number of things
    counted = kind == "quantity" and re.match("t[o0]ta[li].*items?$", marked.amount.label)
    priced = bool(counted) and (marked.amount.entity.currency is not None or value % 1 != 0)
    return 0.5 if added or charged or priced else 0.0


def _follows(marked: Marked, evidence: Evidence) -> bool:
    """Whether an amount without a known label is below the parts that make it."""
    parts = evidence.parts.get(marked.value)
    if parts is None or not parts.proves or marked.kind:
        return False
    return marked.amount.row > max(m.amount.row for some in parts[1:] for m in some)


def _checked(one: _Candidate, evidence: Evidence, rows: Sequence[Row]) -> _Candidate:
    """The candidate with what the other amounts say about it."""
    score, checks = one.score, []
    parts = evidence.parts.get(one.value)
    proved = parts is not None and parts.proves
    if one.value in evidence.paid:
        score += 0.15
    elif evidence.paid and not proved and len(one.rows) < 2:
        score *= 0.6 if evidence.counted else 0.8
        checks.append("payment_mismatch")
    score += 0.06 if proved else 0.05 if parts or one.value in evidence.items else 0.0
    if parts is None and evidence.of("subtotal") and not is_near(one.value, evidence.parts):
        score *= 0.85
        checks.append("sum_mismatch")
    elif not proved and one.value < evidence.dearest and not evidence.of("discount"):
        score *= 0.7  # one of the things costs more
        checks.append("sum_mismatch")
    confirmed = one.value in evidence.paid or evidence.strength(one.value) > 1
    if not one.rows or ((one.kind not in TOTALS or one.kind == "totalish") and not confirmed):
        checks.append("no_label")
    if _tip_is_open(one.amount.row, rows):
        score *= 0.7
        checks.append("tip_open")
    return one._replace(score=score, checks=tuple(checks))


def _tip_is_open(row: int, rows: Sequence[Row]) -> bool:
    """Whether a line for a tip and one for the total with it follow, both to be filled in by hand."""
    kinds = [
        kind_of(squash(below.text)) for below in rows[row + 1 : row + 6] if not re.search(r"\d", below.text)
    ]
    return "tip" in kinds and any(kind in TOTALS for kind in kinds[kinds.index("tip") :])


def _summary(rows: Sequence[Row], totals: list[int]) -> int:
    """Row of the tax summary below the first total: its totals are sums of its columns."""
    for number in range(totals[0] + 1 if totals else len(rows), len(rows)):
        if _SUMMARY.search(squash(rows[number].text)):
            return number
    return len(rows)
