"""Net, tax and total of a VAT invoice, checked against each other and the total in capital numerals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipeline.fields.amounts import Amount, amounts_of, squash
from pipeline.fields.labels import checked
from pipeline.fields.rows import Row, field
from pipeline.fields.vat_invoice.flat import sums_of
from pipeline.models import Entity, Field

_TOTAL = re.compile(r"价税合计|小写|大写")
_SUM = re.compile(r"(?<!税)合计")
_HEADER = re.compile(r"税[率额]")
_EXEMPT = re.compile(r"免 ?税|不 ?征 ?税")
_CENT = Decimal("0.01")


def find_amounts(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """The fields net, tax and total that were found, in CNY.

    If net + tax = total and the capital numerals agree, confidence is high; a contradiction lowers it.
    An exempt invoice whose net equals its total has the tax 0.00, located at the word for exempt.
    """
    amounts = amounts_of(rows, entities)
    at = next((n for n, row in enumerate(rows) if "价税合计" in squash(row.text)), None)
    if at is None:
        at = next((n for n, row in enumerate(rows) if _TOTAL.search(squash(row.text))), None)
    if at is None:
        return []
    digits, capitals = _totals(amounts, at)
    total = digits or capitals
    net, tax = _net_and_tax(rows, amounts, at, total.value if total else None)
    page = rows[at].page
    if not (total and net and tax and net.value + tax.value == total.value) and (three := sums_of(amounts)):
        net, tax, total = three
        digits = total
    found = []
    if total:
        sums = bool(net and tax and net.value + tax.value == total.value)
        sure = _sure(
            digits.value == capitals.value if digits and capitals else None,
            sums if net and tax else None,
        )
        if capitals and digits and net and tax and not sums and net.value + tax.value == capitals.value:
            total, sure = capitals, 0.7  # two sources against the digits
        contradicted = digits is not None and capitals is not None and digits.value != capitals.value
        made = field("total", page, [total.span], f"{total.value:f}", sure, "CNY")
        found.append(checked(made, "capitals_mismatch") if contradicted else made)
    agree = total is not None and net is not None and tax is not None and net.value + tax.value == total.value
    for name, amount in (("net", net), ("tax", tax)):
        if amount:
            sure = 0.97 if agree else 0.4 if total and net and tax else 0.65
            found.append(field(name, page, [amount.span], f"{amount.value:f}", sure, "CNY"))
    if net and not tax and total and net.value == total.value and (exempt := _exempt(rows[:at])):
        found.append(field("tax", page, [exempt], "0.00", 0.7, "CNY"))
    if total and net and tax and not agree:
        return [checked(one, "sum_mismatch") for one in found]
    return found


def _sure(capitals_agree: bool | None, sums_agree: bool | None) -> float:
    """Confidence of a total that the capitals and the sum confirm (True), contradict (False) or lack (None)."""
    score = 0.75
    for agree, gain in ((capitals_agree, 0.14), (sums_agree, 0.1)):
        score += gain if agree else -0.25 if agree is False else 0.0
    return score


def _totals(amounts: Sequence[Amount], at: int) -> tuple[Amount | None, Amount | None]:
    """The total in digits and in capital numerals, on the total's row or an adjacent one."""
    near = [a for place in (at, at + 1, at - 1) for a in amounts if a.row == place]
    capitals = next((a for a in near if not re.search("[0-9]", a.entity.text)), None)
    digits = [a for a in near if re.search("[0-9]", a.entity.text) and a.row >= at]
    return (digits[-1] if digits and digits[0].row != at else digits[0] if digits else None), capitals


def _net_and_tax(
    rows: Sequence[Row], amounts: Sequence[Amount], at: int, total: Decimal | None
) -> tuple[Amount | None, Amount | None]:
    """The sums of the two columns: the row of 合计 or the last row with amounts above the total's."""
    header = next((n for n, row in enumerate(rows) if _HEADER.search(squash(row.text))), 0)
    labelled = [n for n, row in enumerate(rows[:at]) if n > header and _SUM.search(squash(row.text))]
    table = [a for a in amounts if header < a.row < at and re.search("[0-9]", a.entity.text)]
    if not table:
        return None, None
    wanted = {n for place in labelled for n in (place, place - 1, place + 1)} or {max(a.row for a in table)}
    sums = [a for a in table if a.row in wanted]
    marked = [a for a in sums if re.search("[^0-9., -]", a.entity.text)]
    sums = marked or sums
    pairs = [(a, b) for i, a in enumerate(sums) for b in sums[i + 1 :]]
    if total is not None:
        for net, tax in reversed(pairs):
            if abs(net.value + tax.value - total) < _CENT:
                return (net, tax) if abs(net.value) >= abs(tax.value) else (tax, net)
    if pairs:
        return pairs[-1]
    return (sums[-1], None) if sums else (None, None)


def _exempt(rows: Sequence[Row]) -> tuple[int, int] | None:
    for row in reversed(rows):
        if match := _EXEMPT.search(row.text):
            return row.span(*match.span())
    return None
