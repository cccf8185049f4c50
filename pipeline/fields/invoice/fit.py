"""Which of the labelled amounts of an invoice fit together: net + tax = total."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from pipeline.fields.invoice.figures import Figure, Sum, Taxed

_MOST = 40
"""Maximum number of amounts of a kind that are tried: the best labelled ones, then the last."""
_FEW = 6
"""Maximum number of them where three are combined."""
STRONG = 0.85
"""A label of this weight names its amount without the others."""


class Fit(NamedTuple):
    """Amounts that add up."""

    net: Sum | None
    taxes: tuple[tuple[Figure, int], ...]
    tax: Decimal
    total: Sum
    score: float
    flipped: bool = False
    """The minus of the tax is not next to it."""
    rival: bool = False
    """Amounts in another currency fit as well."""
    charges: bool = False
    """They add up with charges or discounts that are printed between them."""


def best_of(sums: Iterable[Sum]) -> list[Sum]:
    """One for each value, the best labelled ones first, then the last on the pages."""
    by_value: dict[tuple[Decimal, str | None], Sum] = {}
    for found in sums:
        key = found.figure.value, found.figure.currency
        if key not in by_value or found.weight >= by_value[key].weight:
            by_value[key] = found
    return sorted(by_value.values(), key=lambda s: (-s.weight, -s.page, -s.row))[:_MOST]


def fit_of(
    kinds: dict[str, list[Sum]], by_rate: dict[Decimal, Taxed], runs: Sequence[Sequence[Sum]], prepaid: bool
) -> Fit | None:
    """The best labelled net, tax and total with net + tax = total; of equals the largest."""
    totals = kinds["total"] + ([] if prepaid else kinds["due"])
    taxes: dict[Decimal, tuple[tuple[tuple[Figure, int], ...], float]] = {
        s.figure.value: (((s.figure, s.page),), s.weight) for s in reversed(kinds["tax"])
    }
    if len(by_rate) > 1:
        parts = tuple((line.tax, line.page) for line in by_rate.values())
        taxes.setdefault(sum((f.value for f, _ in parts), Decimal(0)), (parts, 0.7))
    for run in runs:
        taxes.setdefault(
            sum((s.figure.value for s in run), Decimal(0)), (tuple((s.figure, s.page) for s in run), 0.6)
        )
    fits: list[Fit] = []
    for total in totals:
        for net in kinds["net"]:
            if not _alike(total.figure, net.figure):
                continue
            tax = total.figure.value - net.figure.value
            score = total.weight + net.weight
            if tax in taxes:
                fits.append(Fit(net, taxes[tax][0], tax, total, score + taxes[tax][1]))
            elif -tax in taxes and tax < 0 and total.figure.value < 0:
                fits.append(Fit(net, taxes[-tax][0], tax, total, score + 0.3, flipped=True))
            elif not tax and not taxes:
                fits.append(Fit(net, (), tax, total, score))
    strong = {s.figure.value for s in totals if s.alone and s.weight >= STRONG}
    if strong:
        fits = [fit for fit in fits if fit.total.figure.value in strong]
    best = max(fits, key=lambda fit: (round(fit.score, 1), abs(fit.total.figure.value)), default=None)
    if best is None:
        return _with_charges(kinds) or _by_rates(totals, by_rate)
    same = [fit for fit in fits if round(fit.score, 1) == round(best.score, 1)]
    return best._replace(rival=any(not _alike(fit.total.figure, best.total.figure) for fit in same))


def _with_charges(kinds: dict[str, list[Sum]]) -> Fit | None:
    """Net + charges + tax = total, such as with shipping: the net is before the charges."""
    others = [s for s in kinds["other"] if s.figure.value]
    extra = {sign * s.figure.value for s in others for sign in (1, -1)}
    for total, net, tax in product(*(kinds[name][:_FEW] for name in ("total", "net", "tax"))):
        between = [
            s.figure.value for s in others if (net.page, net.row) < (s.page, s.row) < (total.page, total.row)
        ]
        rest = total.figure.value - net.figure.value - tax.figure.value
        if rest and (rest in extra or rest == sum(between, Decimal(0))):
            return Fit(net, ((tax.figure, tax.page),), tax.figure.value, total, 0.0, charges=True)
    return None


def _by_rates(totals: Sequence[Sum], by_rate: dict[Decimal, Taxed]) -> Fit | None:
    """What is taxed at each rate and its tax make up the total: no sum of the nets is printed."""
    lines = list(by_rate.values())
    whole = sum((line.net.value + line.tax.value for line in lines if line.net), Decimal(0))
    total = next((s for s in totals if s.alone and s.figure.value == whole), None)
    if total is None or not all(line.net for line in lines):
        return None
    tax = sum((line.tax.value for line in lines), Decimal(0))
    return Fit(None, tuple((line.tax, line.page) for line in lines), tax, total, 0.0)


def runs_of(sums: Sequence[Sum]) -> list[list[Sum]]:
    """Taxes in rows that follow each other, such as those of a state and of its country."""
    runs: list[list[Sum]] = []
    for tax in sums:
        if tax.kind != "tax" or not tax.alone:
            continue
        if runs and (runs[-1][-1].page, runs[-1][-1].row + 1) == (tax.page, tax.row):
            runs[-1].append(tax)
        else:
            runs.append([tax])
    return [run for run in runs if len(run) > 1]


def _alike(one: Figure, other: Figure) -> bool:
    return one.currency == other.currency or not (one.currency and other.currency)
