"""QR codes with data of an invoice: Chinese VAT invoices, EPC payment codes (GiroCode), Swiss QR bills."""

from __future__ import annotations

import re

from pipeline.fields.rows import fold
from pipeline.fields.truth.stated import Stated
from pipeline.fields.truth.xml_values import amount, compact, days
from pipeline.models import Code

_VAT = re.compile(
    r"01,(?P<kind>\d\d),(?P<code>(?:\d{10}|\d{12})?),(?P<number>\d{8}|\d{20}),"
    r"(?P<amount>-?\d{1,12}(?:\.\d{1,2})?)?,(?P<date>\d{8}),[^,]{0,40},[^,]{0,40},?"
)
_NET = ("01", "04", "08", "10")
"""Types of VAT invoice whose code has the amount without tax; in the fully digital ones it is the total."""
_VAT_KINDS = (*_NET, "31", "32")
_MAX_NAME = 140
_PARTIES = ("seller", "buyer")
"""The payee of a payment code may be a bank or a collector, and the payer somebody else."""


def read(code: Code, page: int) -> Stated | None:
    """What a code on a page says of the document, `None` for any other code."""
    if code.kind != "qr":
        return None
    for parse in (_vat, _epc, _swiss):
        found = parse(code.text.strip())
        if found:
            kind, values, currency, which = found
            return Stated(
                source="qr",
                kind=kind,
                values={name: (value,) for name, value in values.items() if value},
                currency=currency,
                confirming=_PARTIES if kind == "invoice" else (),
                amount=which,
                page=page,
                box=code.box,
            )
    return None


_Found = tuple[str, dict[str, str], str, str]
"""Kind of document, values, currency, and which amount `amount` is."""


def _vat(text: str) -> _Found | None:
    match = _VAT.fullmatch(text)
    if not match or match["kind"] not in _VAT_KINDS:
        return None
    values = {
        "code": match["code"],
        "number": match["number"],
        "date": next(iter(days([match["date"]])), ""),
        "amount": amount(match["amount"] or ""),
    }
    return "vat_invoice", values, "CNY", "net" if match["kind"] in _NET else "total"


def _epc(text: str) -> _Found | None:
    lines = [*text.splitlines(), *[""] * 8]
    if (lines[0], lines[3]) != ("BCD", "SCT") or lines[1] not in ("001", "002"):
        return None
    sum_ = lines[7].strip()
    return _payment(lines[6], {"bic": lines[4], "seller": lines[5], "due": sum_.removeprefix("EUR")}, "EUR")


def _swiss(text: str) -> _Found | None:
    lines = [*text.splitlines(), *[""] * 30]
    if lines[0] != "SPC" or not lines[1].startswith("02"):
        return None
    return _payment(lines[3], {"seller": lines[5], "buyer": lines[21], "due": lines[18]}, lines[19])


def _payment(account: str, values: dict[str, str], currency: str) -> _Found | None:
    """`None` where the check digits of the account are wrong, or the currency is none."""
    from stdnum import iban

    (account,) = compact([account])
    if not iban.is_valid(account) or not re.fullmatch("[A-Z]{3}", currency):
        return None
    bic = "".join(compact([values.get("bic", "")]))
    names = {name: fold(values.get(name, ""))[:_MAX_NAME] for name in ("seller", "buyer")}
    due = amount(values["due"].strip())
    return "invoice", {"iban": account, "bic": bic, **names, "due": due, "currency": currency}, currency, ""
