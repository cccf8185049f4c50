"""Invoices in UN/CEFACT's Cross Industry Invoice: Factur-X, ZUGFeRD 2, XRechnung, and ZUGFeRD 1 with its own names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.fields.truth import xml_values as xml

if TYPE_CHECKING:
    from lxml.etree import _Element

_DAY = "DateTimeString"
_LINES = ("LineOne", "LineTwo", "LineThree")


def head(root: _Element) -> tuple[str, dict[str, tuple[str, ...]], str | None]:
    """Type code, values by field, and currency."""
    top = _either(root, "ExchangedDocument", "HeaderExchangedDocument")
    trade = _either(root, "SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
    agreed, delivered, settled = (_part(trade, name) for name in ("Agreement", "Delivery", "Settlement"))
    currency = xml.text(settled, "InvoiceCurrencyCode") or None
    sums = _either(
        settled,
        "SpecifiedTradeSettlementHeaderMonetarySummation",
        "SpecifiedTradeSettlementMonetarySummation",
    )
    means = "SpecifiedTradeSettlementPaymentMeans"
    order = "BuyerOrderReferencedDocument"
    values = {
        "number": xml.texts(top, "ID"),
        "date": xml.days(xml.texts(top, f"IssueDateTime/{_DAY}")),
        "due_date": xml.days(xml.texts(settled, f"SpecifiedTradePaymentTerms/DueDateDateTime/{_DAY}")),
        "delivery_date": xml.days(
            xml.texts(delivered, f"ActualDeliverySupplyChainEvent/OccurrenceDateTime/{_DAY}")
        ),
        "order_number": xml.texts(agreed, f"{order}/IssuerAssignedID", f"{order}/ID"),
        **_party("seller", agreed, "SellerTradeParty"),
        **_party("buyer", agreed, "BuyerTradeParty"),
        "iban": xml.compact(xml.texts(settled, f"{means}/PayeePartyCreditorFinancialAccount/IBANID")),
        "bic": xml.compact(xml.texts(settled, f"{means}/PayeeSpecifiedCreditorFinancialInstitution/BICID")),
        "net": xml.amounts(sums, "", "TaxBasisTotalAmount"),
        "tax": xml.amounts(sums, currency or "", "TaxTotalAmount"),
        "total": xml.amounts(sums, "", "GrandTotalAmount"),
        "due": xml.amounts(sums, "", "DuePayableAmount"),
        **xml.by_rate(
            xml.each(settled, "ApplicableTradeTax"),
            ("RateApplicablePercent", "ApplicablePercent"),
            "BasisAmount",
            "CalculatedAmount",
        ),
    }
    return xml.text(top, "TypeCode"), values, currency


def items(root: _Element) -> Iterator[dict[str, str | None]]:
    """The rows, as attributes of `LineItem`; groups and notes, which have no amount of their own, are left out."""
    trade = _either(root, "SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
    for line in xml.each(trade, "IncludedSupplyChainTradeLineItem"):
        if xml.text(line, "AssociatedDocumentLineDocument/LineStatusReasonCode") in (
            "GROUP",
            "INFORMATION",
        ):
            continue
        agreed, delivered, settled = (_part(line, name) for name in ("Agreement", "Delivery", "Settlement"))
        price = "NetPriceProductTradePrice"
        billed = next(xml.each(delivered, "BilledQuantity"), None)
        sums = _either(
            settled,
            "SpecifiedTradeSettlementLineMonetarySummation",
            "SpecifiedTradeSettlementMonetarySummation",
        )
        rate = xml.text(
            settled, "ApplicableTradeTax/RateApplicablePercent", "ApplicableTradeTax/ApplicablePercent"
        )
        row = {
            "quantity": xml.amount((billed.text or "").strip(), 0) or None if billed is not None else None,
            "unit": billed.get("unitCode") if billed is not None else None,
            "unit_price": xml.unit_price(
                xml.text(agreed, f"{price}/ChargeAmount"),
                xml.text(agreed, f"{price}/BasisQuantity"),
            ),
            "amount": xml.amount(xml.text(sums, "LineTotalAmount")) or None,
            "tax_rate": xml.amount(rate, 0) or None,
        }
        name = xml.text(line, "SpecifiedTradeProduct/Name", "SpecifiedTradeProduct/Description")
        if name or row["amount"]:
            yield {"description": name, **row}


def _party(name: str, agreed: _Element, element: str) -> dict[str, tuple[str, ...]]:
    party = next(xml.each(agreed, element), None)
    if party is None:
        return {}
    ids = list(xml.each(party, "SpecifiedTaxRegistration/ID"))
    ids.sort(key=lambda one: one.get("schemeID") != "VA")
    return {
        name: xml.texts(party, "Name")[:1],
        f"{name}_address": xml.address(
            next(xml.each(party, "PostalTradeAddress"), None), _LINES, "PostcodeCode", "CityName"
        ),
        f"{name}_tax_id": tuple(" ".join((one.text or "").split()) for one in ids),
    }


def _either(element: _Element, *names: str) -> _Element:
    """The first child of one of these names; an empty element if there is none."""
    for name in names:
        for found in xml.each(element, name):
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
