"""Invoices and credit notes in OASIS UBL 2.1: XRechnung, Peppol BIS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.fields import einvoice

if TYPE_CHECKING:
    from lxml.etree import _Element

_LINES = ("StreetName", "AdditionalStreetName", "AddressLine/Line")


def head(root: _Element) -> tuple[str, dict[str, tuple[str, ...]], str | None]:
    """Type code, values by field, and currency."""
    currency = einvoice.text(root, "DocumentCurrencyCode") or None
    account = "PaymentMeans/PayeeFinancialAccount"
    sums = "LegalMonetaryTotal"
    values = {
        "number": einvoice.texts(root, "ID")[:1],
        "date": einvoice.days(einvoice.texts(root, "IssueDate")),
        "due_date": einvoice.days(einvoice.texts(root, "DueDate", "PaymentMeans/PaymentDueDate")),
        "delivery_date": einvoice.days(einvoice.texts(root, "Delivery/ActualDeliveryDate")),
        "order_number": einvoice.texts(root, "OrderReference/ID")[:1],
        **_party("seller", root, "AccountingSupplierParty/Party"),
        **_party("buyer", root, "AccountingCustomerParty/Party"),
        "iban": einvoice.compact(einvoice.texts(root, f"{account}/ID")),
        "bic": einvoice.compact(einvoice.texts(root, f"{account}/FinancialInstitutionBranch/ID")),
        "net": einvoice.amounts(root, "", f"{sums}/TaxExclusiveAmount"),
        "tax": einvoice.amounts(root, currency or "", "TaxTotal/TaxAmount"),
        "total": einvoice.amounts(root, "", f"{sums}/TaxInclusiveAmount"),
        "due": einvoice.amounts(root, "", f"{sums}/PayableAmount"),
    }
    kind = einvoice.text(root, "InvoiceTypeCode", "CreditNoteTypeCode")
    return "381" if einvoice.local(root) == "CreditNote" else kind, values, currency


def items(root: _Element) -> Iterator[dict[str, str | None]]:
    """The rows, as attributes of `LineItem`."""
    for path in ("InvoiceLine", "CreditNoteLine"):
        for line in einvoice.each(root, path):
            name = "InvoicedQuantity" if path == "InvoiceLine" else "CreditedQuantity"
            billed = next(einvoice.each(line, name), None)
            yield {
                "description": einvoice.text(line, "Item/Name", "Item/Description"),
                "quantity": einvoice.amount((billed.text or "").strip(), 0) or None
                if billed is not None
                else None,
                "unit": billed.get("unitCode") if billed is not None else None,
                "unit_price": einvoice.unit_price(
                    einvoice.text(line, "Price/PriceAmount"), einvoice.text(line, "Price/BaseQuantity")
                ),
                "amount": einvoice.amount(einvoice.text(line, "LineExtensionAmount")) or None,
                "tax_rate": einvoice.amount(einvoice.text(line, "Item/ClassifiedTaxCategory/Percent"), 0)
                or None,
            }


def _party(name: str, root: _Element, path: str) -> dict[str, tuple[str, ...]]:
    party = next(einvoice.each(root, path), None)
    if party is None:
        return {}
    schemes = list(einvoice.each(party, "PartyTaxScheme"))
    schemes.sort(key=lambda one: einvoice.text(one, "TaxScheme/ID") != "VAT")
    return {
        name: einvoice.texts(party, "PartyLegalEntity/RegistrationName", "PartyName/Name"),
        f"{name}_address": einvoice.address(
            next(einvoice.each(party, "PostalAddress"), None), _LINES, "PostalZone", "CityName"
        ),
        f"{name}_tax_id": tuple(einvoice.text(one, "CompanyID") for one in schemes),
    }
