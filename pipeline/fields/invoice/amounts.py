"""Net, tax, total and amount due of an invoice: of the labelled amounts those that fit together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from pipeline.fields.invoice.figures import Figure, Sum, Taxed, rates_of
from pipeline.fields.invoice.fit import STRONG, Fit, best_of, fit_of, runs_of
from pipeline.fields.invoice.sum_words import PAID
from pipeline.fields.invoice.sums import sums_of
from pipeline.fields.invoice.words import CURRENCY, GAP
from pipeline.fields.rows import field
from pipeline.fields.sheet import Sheet
from pipeline.models import Field

_CODE = re.compile(r"[a-z]{3}(?![a-z])")


def find_amounts(sheets: Sequence[Sheet]) -> list[Field]:
    """The fields net, tax, total, due and currency, and net and tax by rate, that were found on these pages."""
    sums: list[Sum] = []
    taxed: list[Taxed] = []
    for index, sheet in enumerate(sheets):
        found, rows = sums_of(sheet, index)
        sums += found
        taxed += rows
    kinds = {
        kind: best_of(s for s in sums if s.kind == kind)
        for kind in ("net", "tax", "total", "due", "prepaid", "other")
    }
    prepaid = [abs(s.figure.value) for s in kinds["prepaid"] if s.figure.value]
    by_rate = {line.rate: line for line in taxed}
    fit = fit_of(kinds, by_rate, runs_of(sums), bool(prepaid))
    currency = _currency(sheets, fit, kinds)
    found_fields = _fitting(sheets, fit, currency) if fit else _single(sheets, kinds, currency)
    found_fields += _due(sheets, fit, found_fields, kinds, prepaid, currency)
    if fit:
        found_fields += _rates(sheets, fit, by_rate, currency)
    if currency:
        doubt = fit.rival if fit else _in_two_currencies(kinds["total"])
        found_fields.append(_doubted(currency) if doubt else currency)
    return found_fields


def _in_two_currencies(totals: Sequence[Sum]) -> bool:
    """Whether the page has the total in two currencies, and neither is named better."""
    best = [
        s.figure.currency for s in totals if s.alone and s.weight >= totals[0].weight and s.figure.currency
    ]
    return len(set(best)) > 1


def _doubted(currency: Field) -> Field:
    return structs.replace(currency, confidence=0.45, checks=("contradiction",))


def _amount(
    sheets: Sequence[Sheet],
    name: str,
    figures: Sequence[tuple[Figure, int]],
    value: Decimal,
    confidence: float,
    currency: Field | None,
    *checks: str,
) -> Field:
    """A field of figures that are on the same page; their sum where there are several."""
    page = figures[-1][1]
    own = next((f.currency for f, _ in figures if f.currency), currency.value if currency else None)
    spans = [f.span for f, at in figures if at == page]
    found = field(name, sheets[page].page, spans, f"{value:f}", confidence, own)
    return structs.replace(found, checks=tuple(checks))


def _fitting(sheets: Sequence[Sheet], fit: Fit, currency: Field | None) -> list[Field]:
    """Net, tax and total that add up."""
    sure = 0.97 if fit.total.alone else 0.92
    if not fit.taxes:
        sure -= 0.1  # the net equals the total: that proves little
    checks: tuple[str, ...] = ()
    if fit.rival:
        sure, checks = 0.45, ("contradiction",)
    parts: list[tuple[str, Sequence[tuple[Figure, int]], Decimal, float]] = [
        ("total", ((fit.total.figure, fit.total.page),), fit.total.figure.value, sure)
    ]
    if fit.net:
        parts.append(("net", ((fit.net.figure, fit.net.page),), fit.net.figure.value, sure))
    if fit.taxes:
        less = sure - 0.1 * (fit.flipped or len(fit.taxes) > 1)
        parts.append(("tax", fit.taxes, fit.tax, less))
    found = [_amount(sheets, *part, currency, *checks) for part in parts]
    return [f if f.name != "net" or not fit.charges else _before_charges(f) for f in found]


def _before_charges(net: Field) -> Field:
    """A subtotal that lacks the charges is perhaps not what is meant by net."""
    return structs.replace(net, confidence=min(net.confidence, 0.45), checks=("no_sum",))


def _single(sheets: Sequence[Sheet], kinds: dict[str, list[Sum]], currency: Field | None) -> list[Field]:
    """Amounts by their labels alone; where net, tax and total are all there, they contradict each other."""
    best = {name: next((s for s in kinds[name] if s.alone), None) for name in ("net", "tax", "total")}
    if best["total"] is None and not kinds["prepaid"]:
        best["total"] = next((s for s in kinds["due"] if s.alone), None)
    total = best["total"]
    if total and best["net"] and not best["tax"] and best["net"].figure.value == total.figure.value:
        best["net"] = None
    rivals = [s for s in kinds["total"] if s.alone and total and s.weight >= total.weight and s is not total]
    share = total is not None and best["tax"] is not None and _is_share(sheets, best["tax"], total)
    found = []
    for name, candidate in best.items():
        if candidate is None:
            continue
        sure = 0.9 * candidate.weight
        checks: tuple[str, ...] = ()
        if all(best.values()):
            sure, checks = 0.4, ("sum_mismatch",)
        elif name == "total" and rivals:
            sure, checks = 0.45, ("contradiction",)
        elif share:
            sure = 0.92
        elif name != "total" or candidate.weight < STRONG:
            sure, checks = min(sure, 0.55), ("no_sum",)
        figure = candidate.figure
        found.append(_amount(sheets, name, [(figure, candidate.page)], figure.value, sure, currency, *checks))
    return found


def _is_share(sheets: Sequence[Sheet], tax: Sum, total: Sum) -> bool:
    """Whether a tax is contained in a total at a rate that is printed next to one of them."""
    texts = {sheets[s.page].rows[s.row].text for s in (tax, total)}
    rates = {rate for text in texts for rate in rates_of(text) if rate}
    value = total.figure.value
    return any(abs(value * rate / (100 + rate) - tax.figure.value) <= Decimal("0.02") for rate in rates)


def _due(
    sheets: Sequence[Sheet],
    fit: Fit | None,
    found: Sequence[Field],
    kinds: dict[str, list[Sum]],
    prepaid: Sequence[Decimal],
    currency: Field | None,
) -> list[Field]:
    """The amount due by its label, checked against total and prepayments; without either it is the total."""
    total = next((f for f in found if f.name == "total"), None)
    labelled = [s for s in kinds["due"] if s.alone]
    value = fit.total.figure.value if fit else None
    rest = {value - p for p in (*prepaid, sum(prepaid))} if value is not None and prepaid else set()
    if fitting := [s for s in (*labelled, *kinds["total"]) if s.figure.value in rest]:
        due = fitting[0]
        return [_amount(sheets, "due", [(due.figure, due.page)], due.figure.value, 0.97, currency)]
    if labelled:
        due = labelled[0]
        same = value is not None and due.figure.value == value
        sure = 0.95 if same and not prepaid else 0.85 if not prepaid else 0.45
        checks = ["sum_mismatch"] if prepaid else []
        if len({s.figure.value for s in labelled if s.weight == due.weight}) > 1:
            sure, checks = 0.45, [*checks, "contradiction"]
        return [_amount(sheets, "due", [(due.figure, due.page)], due.figure.value, sure, currency, *checks)]
    if total and not prepaid and not any(PAID.search(text) for sheet in sheets for text in sheet.simple):
        return [structs.replace(total, name="due", confidence=round(max(total.confidence - 0.05, 0.0), 3))]
    return []


def _rates(
    sheets: Sequence[Sheet], fit: Fit, by_rate: dict[Decimal, Taxed], currency: Field | None
) -> list[Field]:
    """`net_19`, `tax_19` …: only where the taxes by rate add up to the tax."""
    if not by_rate or sum((line.tax.value for line in by_rate.values()), Decimal(0)) != fit.tax:
        return []
    nets = [line.net.value for line in by_rate.values() if line.net]
    whole = bool(fit.net) and sum(nets, Decimal(0)) == (fit.net.figure.value if fit.net else None)
    found = []
    for rate, line in sorted(by_rate.items()):
        name = f"{rate.normalize():f}"
        if line.net and whole:
            found.append(
                _amount(sheets, f"net_{name}", [(line.net, line.page)], line.net.value, 0.95, currency)
            )
        found.append(_amount(sheets, f"tax_{name}", [(line.tax, line.page)], line.tax.value, 0.95, currency))
    return found


def _currency(sheets: Sequence[Sheet], fit: Fit | None, kinds: dict[str, list[Sum]]) -> Field | None:
    """The total's own currency, else the labelled one, else the only one of the pages."""
    chosen = fit.total if fit else next((s for s in kinds["total"] + kinds["due"]), None)
    if chosen is None:
        return None
    page = sheets[chosen.page].page
    if chosen.figure.currency:
        return field("currency", page, [chosen.figure.span], chosen.figure.currency, 0.95)
    for sheet in sheets:
        for number, text in enumerate(sheet.simple):
            label = CURRENCY.search(text)
            gap = GAP.match(text, label.end()) if label else None
            if gap and (code := _CODE.match(text, gap.end())):
                span = sheet.rows[number].span(*code.span())
                return field("currency", sheet.page, [span], code[0].upper(), 0.95)
    used = {s.figure.currency for found in kinds.values() for s in found if s.figure.currency}
    own = used.pop() if len(used) == 1 else page.locale.currency if page.locale and not used else None
    return field("currency", page, [chosen.figure.span], own, 0.8) if own else None
