"""Invoices in UN/CEFACT's Cross Industry Invoice: Factur-X, ZUGFeRD 2, XRechnung, and ZUGFeRD 1 with its own names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.fields import einvoice

if TYPE_CHECKING:
    from lxml.etree import _Element

_DAY = "DateTimeString"
_LINES = ("LineOne", "LineTwo", "LineThree")


def head(root: _Element) -> tuple[str, dict[str, tuple[str, ...]], str | None]:
    """Type code, values by field, and currency."""
    top = _either(root, "ExchangedDocument", "HeaderExchangedDocument")
    trade = _either(root, "SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
    agreed, delivered, settled = (_part(trade, name) for name in ("Agreement", "Delivery", "Settlement"))
    currency = einvoice.text(settled, "InvoiceCurrencyCode") or None
    sums = _either(
        settled,
        "SpecifiedTradeSettlementHeaderMonetarySummation",
        "SpecifiedTradeSettlementMonetarySummation",
    )
    means = "SpecifiedTradeSettlementPaymentMeans"
    order = "BuyerOrderReferencedDocument"
    values = {
        "number": einvoice.texts(top, "ID"),
        "date": einvoice.days(einvoice.texts(top, f"IssueDateTime/{_DAY}")),
        "due_date": einvoice.days(
            einvoice.texts(settled, f"SpecifiedTradePaymentTerms/DueDateDateTime/{_DAY}")
        ),
        "delivery_date": einvoice.days(
            einvoice.texts(delivered, f"ActualDeliverySupplyChainEvent/OccurrenceDateTime/{_DAY}")
        ),
        "order_number": einvoice.texts(agreed, f"{order}/IssuerAssignedID", f"{order}/ID"),
        **_party("seller", agreed, "SellerTradeParty"),
        **_party("buyer", agreed, "BuyerTradeParty"),
        "iban": einvoice.compact(
            einvoice.texts(settled, f"{means}/PayeePartyCreditorFinancialAccount/IBANID")
        ),
        "bic": einvoice.compact(
            einvoice.texts(settled, f"{means}/PayeeSpecifiedCreditorFinancialInstitution/BICID")
        ),
        "net": einvoice.amounts(sums, "", "TaxBasisTotalAmount"),
        "tax": einvoice.amounts(sums, currency or "", "TaxTotalAmount"),
        "total": einvoice.amounts(sums, "", "GrandTotalAmount"),
        "due": einvoice.amounts(sums, "", "DuePayableAmount"),
    }
    return einvoice.text(top, "TypeCode"), values, currency


def items(root: _Element) -> Iterator[dict[str, str | None]]:
    """The rows, as attributes of `LineItem`; groups and notes, which have no amount of their own, are left out."""
    trade = _either(root, "SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
    for line in einvoice.each(trade, "IncludedSupplyChainTradeLineItem"):
        if einvoice.text(line, "AssociatedDocumentLineDocument/LineStatusReasonCode") in (
            "GROUP",
            "INFORMATION",
        ):
            continue
        agreed, delivered, settled = (_part(line, name) for name in ("Agreement", "Delivery", "Settlement"))
        price = "NetPriceProductTradePrice"
        billed = next(einvoice.each(delivered, "BilledQuantity"), None)
        sums = _either(
            settled,
            "SpecifiedTradeSettlementLineMonetarySummation",
            "SpecifiedTradeSettlementMonetarySummation",
        )
        rate = einvoice.text(
            settled, "ApplicableTradeTax/RateApplicablePercent", "ApplicableTradeTax/ApplicablePercent"
        )
        row = {
            "quantity": einvoice.amount((billed.text or "").strip(), 0) or None
            if billed is not None
            else None,
            "unit": billed.get("unitCode") if billed is not None else None,
            "unit_price": einvoice.unit_price(
                einvoice.text(agreed, f"{price}/ChargeAmount"),
                einvoice.text(agreed, f"{price}/BasisQuantity"),
            ),
            "amount": einvoice.amount(einvoice.text(sums, "LineTotalAmount")) or None,
            "tax_rate": einvoice.amount(rate, 0) or None,
        }
        name = einvoice.text(line, "SpecifiedTradeProduct/Name", "SpecifiedTradeProduct/Description")
        if name or row["amount"]:
            yield {"description": name, **row}


def _party(name: str, agreed: _Element, element: str) -> dict[str, tuple[str, ...]]:
    party = next(einvoice.each(agreed, element), None)
    if party is None:
        return {}
    ids = list(einvoice.each(party, "SpecifiedTaxRegistration/ID"))
    ids.sort(key=lambda one: one.get("schemeID") != "VA")
    return {
        name: einvoice.texts(party, "Name")[:1],
        f"{name}_address": einvoice.address(
            next(einvoice.each(party, "PostalTradeAddress"), None), _LINES, "PostcodeCode", "CityName"
        ),
        f"{name}_tax_id": tuple(" ".join((one.text or "").split()) for one in ids),
    }


def _either(element: _Element, *names: str) -> _Element:
    """The first child of one of these names; an empty element if there is none."""
    for name in names:
        for found in einvoice.each(element, name):
            return found
    return element.makeelement("none")


def _part(element: _Element, name: str) -> _Element:
    """One of the three parts of an invoice or of a line, as ZUGFeRD 2 and 1 call it."""
    return _either(
        element,
        f"ApplicableHeaderTrade{name}",
        f"SpecifiedLineTrade{name}",
        f"ApplicableSupplyChainTrade{name}",
        f"SpecifiedSupplyChainTrade{name}",
    )
