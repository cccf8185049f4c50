"""Invoices and credit notes in OASIS UBL 2.1: XRechnung, Peppol BIS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.fields.truth import xml_values as xml

if TYPE_CHECKING:
    from lxml.etree import _Element

_LINES = ("StreetName", "AdditionalStreetName", "AddressLine/Line")


def head(root: _Element) -> tuple[str, dict[str, tuple[str, ...]], str | None]:
    """Type code, values by field, and currency."""
    currency = xml.text(root, "DocumentCurrencyCode") or None
    account = "PaymentMeans/PayeeFinancialAccount"
    sums = "LegalMonetaryTotal"
    values = {
        "number": xml.texts(root, "ID")[:1],
        "date": xml.days(xml.texts(root, "IssueDate")),
        "due_date": xml.days(xml.texts(root, "DueDate", "PaymentMeans/PaymentDueDate")),
        "delivery_date": xml.days(xml.texts(root, "Delivery/ActualDeliveryDate")),
        "order_number": xml.texts(root, "OrderReference/ID")[:1],
        **_party("seller", root, "AccountingSupplierParty/Party"),
        **_party("buyer", root, "AccountingCustomerParty/Party"),
        "iban": xml.compact(xml.texts(root, f"{account}/ID")),
        "bic": xml.compact(xml.texts(root, f"{account}/FinancialInstitutionBranch/ID")),
        "net": xml.amounts(root, "", f"{sums}/TaxExclusiveAmount"),
        "tax": xml.amounts(root, currency or "", "TaxTotal/TaxAmount"),
        "total": xml.amounts(root, "", f"{sums}/TaxInclusiveAmount"),
        "due": xml.amounts(root, "", f"{sums}/PayableAmount"),
        **xml.by_rate(
            xml.each(root, "TaxTotal/TaxSubtotal"), ("TaxCategory/Percent",), "TaxableAmount", "TaxAmount"
        ),
    }
    kind = xml.text(root, "InvoiceTypeCode", "CreditNoteTypeCode")
    return "381" if xml.local(root) == "CreditNote" else kind, values, currency


def items(root: _Element) -> Iterator[dict[str, str | None]]:
    """The rows, as attributes of `LineItem`."""
    for path in ("InvoiceLine", "CreditNoteLine"):
        for line in xml.each(root, path):
            name = "InvoicedQuantity" if path == "InvoiceLine" else "CreditedQuantity"
            billed = next(xml.each(line, name), None)
            yield {
                "description": xml.text(line, "Item/Name", "Item/Description"),
                "quantity": xml.amount((billed.text or "").strip(), 0) or None
                if billed is not None
                else None,
                "unit": billed.get("unitCode") if billed is not None else None,
                "unit_price": xml.unit_price(
                    xml.text(line, "Price/PriceAmount"), xml.text(line, "Price/BaseQuantity")
                ),
                "amount": xml.amount(xml.text(line, "LineExtensionAmount")) or None,
                "tax_rate": xml.amount(xml.text(line, "Item/ClassifiedTaxCategory/Percent"), 0) or None,
            }


def _party(name: str, root: _Element, path: str) -> dict[str, tuple[str, ...]]:
    party = next(xml.each(root, path), None)
    if party is None:
        return {}
    schemes = list(xml.each(party, "PartyTaxScheme"))
    schemes.sort(key=lambda one: xml.text(one, "TaxScheme/ID") != "VAT")
    return {
        name: xml.texts(party, "PartyLegalEntity/RegistrationName", "PartyName/Name"),
        f"{name}_address": xml.address(
            next(xml.each(party, "PostalAddress"), None), _LINES, "PostalZone", "CityName"
        ),
        f"{name}_tax_id": tuple(xml.text(one, "CompanyID") for one in schemes),
    }
