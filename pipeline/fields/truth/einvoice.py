"""What the XML of an electronic invoice says, in the names of the fields of an invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pipeline.documents.einvoice import parse
from pipeline.errors import Unreadable
from pipeline.fields.truth import cii as einvoice_cii
from pipeline.fields.truth import ubl as einvoice_ubl
from pipeline.fields.truth.stated import Stated
from pipeline.fields.truth.xml_values import local
from pipeline.models import LineItem

CREDIT_NOTES = frozenset(["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"])
"""Type codes of UNTDID 1001 that are credit notes; all others are invoices."""
MAX_ITEMS = 5000


def read(xml: str, page: int) -> Stated:
    """The invoice's fields and items; raises `Unreadable` for XML that is broken or no invoice."""
    root = parse(xml)
    reader = einvoice_cii if local(root).startswith("CrossIndustry") else einvoice_ubl
    kind, values, currency = reader.head(root)
    found = {name: tuple(dict.fromkeys(v for v in several if v)) for name, several in values.items()}
    found = {name: several for name, several in found.items() if several}
    if not found.get("number") and not found.get("total"):
        raise Unreadable("The XML of the invoice has neither a number nor a total.")
    if "seller" in found:
        found["company"] = found["seller"]
    if currency:
        found["currency"] = (currency,)
    items = []
    for row, item in zip(range(1, MAX_ITEMS + 1), reader.items(root), strict=False):
        items.append(LineItem(page=page, row=row, confidence=1.0, **item))
    return Stated(
        source="xml",
        kind="credit_note" if kind in CREDIT_NOTES else "invoice",
        values=found,
        checks=_checks(found),
        currency=currency,
        items=tuple(items),
        page=page,
    )


def _checks(found: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What in the XML contradicts itself: the code of the check by field."""
    from stdnum import iban

    checks = dict[str, str]()
    amounts = [Decimal(found[name][0]) for name in ("net", "tax", "total") if name in found]
    if len(amounts) == 3 and abs(amounts[0] + amounts[1] - amounts[2]) > Decimal("0.01"):
        checks |= dict.fromkeys(("net", "tax", "total"), "sum_mismatch")
    if "iban" in found and not iban.is_valid(found["iban"][0]):
        checks["iban"] = "check_digit"
    return checks
