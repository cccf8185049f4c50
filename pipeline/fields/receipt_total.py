"""The total of a receipt: found by its label, checked against payment and change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipeline.fields.amounts import Amount, amounts_of, currency_of, squash
from pipeline.fields.rows import Row, field
from pipeline.models import Entity, Field

_T = "t[o0]ta[li]"
# Labels without spaces, digits and punctuation; the first match gives the kind.
_KINDS = [
    ("quantity", r"qty|quantity|quantlty|items?$|noofitem|pcs|units?$|points?|件数|数量|积分"),
    ("change", r"change|^baki|找零|找回"),
    ("rounding", r"^round(?:ing|lng)?(?:ad[jl].*)?(?:rm|rn|rk|myr)?$|抹零"),
    ("part", r"exc[li]|before|sub-?" + _T + r"|taxable|supplies|summary|小计|税前"),
    ("discount", r"discount|saving|voucher|rebate|less|优惠|折扣|立减"),
    (
        "tax",
        r"^(?:add)?(?:gst|sst|tax|vat|pst|hst)|"
        + _T
        + r"(?:gst|tax|sst|vat)|(?:gst|tax|vat)(?:pay|am)|serv\w*c[a-z]*ha?r?g|^serv|税额|服务费",
    ),
    (
        "final",
        r"grand|^fina[li]|nett?" + _T + r"|" + _T + r"nett?|rounded|after|"
        r"pa[yv]ab[li]e|topay|(?:amount|total|tota|balance|bal|amt)due|dueto|bill"
        + _T
        + "|应付|实付|实收|实际",
    ),
    ("inclusive", r"(?:" + _T + r"|sales|amount|amt).*inc|inc[li].*" + _T),
    (
        "total",
        r"^(?:tot|tt[li])(?:rm|rn|myr)?$|(?:^|bill|sales|am(?:oun)?t)"
        + _T
        + r"(?:am(?:oun)?t|bill|price|cost)?(?:rm|rn|myr|usd|sgd|s)?$|合计|总计|总额|总金额|消费金额|付款金额",
    ),
    (
        "cash",
        r"^cash|^tunai|tender|paid|payment|visa|master|amex|debit|credit|^card|^nets|paywave"
        r"|现金|支付|刷卡|微信|付款",
    ),
    ("totalish", _T + r"|^ttl|jumlah|^amount|^amt|金额|应收"),
]
_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _KINDS]
_BASE = {"final": 0.82, "total": 0.78, "inclusive": 0.74, "totalish": 0.55}
_SUMMARY = re.compile(r"(?:gst|tax|sst|vat|ost)(?:am\w*)?(?:summary|analysis|breakdown)|^taxcode|^summary")
_LEAST = 0.4


def kind_of(label: str) -> str:
    """The kind of amount that a squashed label names: a key of `_KINDS`, `""` for an unknown label."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(label)), "")


def find_total(rows: Sequence[Row], entities: Sequence[Entity]) -> Field | None:
    """The amount due, as a plain decimal; `None` if no amount is labelled or confirmed as the total."""
    amounts = [a for a in amounts_of(rows, entities) if a.value > 0]
    kinds = [kind_of(a.label) for a in amounts]
    end = _summary(rows, [a.row for a, kind in zip(amounts, kinds, strict=True) if kind in _BASE])
    kinds = ["" if a.row >= end else kind for a, kind in zip(amounts, kinds, strict=True)]
    paid = _paid(rows, entities, end)
    parts = _parts(amounts, kinds)
    best: dict[Decimal, tuple[float, Amount]] = {}
    for amount, kind in zip(amounts, kinds, strict=True):
        score = _BASE.get(kind, 0.0) if amount.last else 0.0
        if not score and kind in ("", "rounding") and amount.row < end and amount.value in paid:
            score = 0.6
        if not score:
            continue
        score += 0.001 * amount.row / len(rows)  # of equal candidates, the last wins
        before = best.get(amount.value)
        if before is None:
            best[amount.value] = score, amount
        else:
            best[amount.value] = (
                max(score, before[0]) + 0.04,
                max((score, amount), before, key=lambda b: b[0])[1],
            )
    scored = {value: _checked(score, value, paid, parts) for value, (score, _) in best.items()}
    if not scored:
        return None
    value = max(scored, key=scored.__getitem__)
    if scored[value] < _LEAST:
        return None
    amount = best[value][1]
    currency = currency_of(amount, amounts, rows)
    return field("total", rows[0].page, [amount.span], f"{value:f}", scored[value], currency)


def _summary(rows: Sequence[Row], totals: list[int]) -> int:
    """Row of the tax summary below the first total: its totals are sums of its columns."""
    for number, row in enumerate(rows):
        if totals and number > totals[0] and _SUMMARY.search(squash(row.text)):
            return number
    return len(rows)


def _paid(rows: Sequence[Row], entities: Sequence[Entity], end: int) -> frozenset[Decimal]:
    """Amount paid minus change: all candidates, empty if the receipt does not state it."""
    amounts = amounts_of(rows[:end], entities)
    cash = [a.value for a in amounts if kind_of(a.label) == "cash" and a.value > 0]
    change = [abs(a.value) for a in amounts if kind_of(a.label) == "change"]
    differences = {tender - back for tender in cash for back in change or [Decimal(0)]}
    return frozenset(d for d in differences if d > 0)


def _parts(amounts: Sequence[Amount], kinds: Sequence[str]) -> frozenset[Decimal]:
    """The sum of the items, and the sum of subtotals and taxes."""
    first = next((a.row for a, kind in zip(amounts, kinds, strict=True) if kind), 0)
    items = [a.value for a in amounts if a.last and a.row < first]
    sums = {sum(items, Decimal(0))} if items else set()
    less = [abs(a.value) for a, kind in zip(amounts, kinds, strict=True) if kind == "discount"]
    sums |= {total - discount for total in sums for discount in less}
    nets = [a.value for a, kind in zip(amounts, kinds, strict=True) if kind == "part"]
    taxes = [a.value for a, kind in zip(amounts, kinds, strict=True) if kind == "tax"]
    sums |= {net + tax for net in nets for tax in taxes} | {net + sum(taxes) for net in nets}
    return frozenset(sums)


def _checked(score: float, value: Decimal, paid: frozenset[Decimal], parts: frozenset[Decimal]) -> float:
    if value in paid:
        score += 0.15
    elif paid:
        score *= 0.6
    return score + (0.05 if value in parts else 0.0)
