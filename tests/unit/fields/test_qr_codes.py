"""QR codes of VAT invoices and payments; all others say nothing."""

from __future__ import annotations

import pytest

from pipeline.fields.truth.qr_codes import read
from pipeline.models import Code
from tests.support.einvoices import IBAN

SWISS = "\n".join(
    [
        *("SPC", "0200", "1", "CH5800791123000889012"),
        *("S", "Muster Elektrik AG", "Werftweg", "8", "8000", "Zürich", "CH"),
        *[""] * 7,
        *("197.50", "CHF"),
        *("S", "Beispiel Bau AG", "Hofgasse", "1", "3000", "Bern", "CH"),
        *("NON", "", "R-2026-417", "EPD"),
    ]
)


def epc(**changes: str) -> str:
    lines = {
        "tag": "BCD",
        "version": "002",
        "set": "1",
        "kind": "SCT",
        "bic": "BYLADEM1001",
        "name": "Muster  Elektrik GmbH",
        "iban": IBAN,
        "sum": "EUR197.5",
        "purpose": "",
        "reference": "",
        "text": "R-2026-417",
    }
    return "\n".join((lines | changes).values())


def values(text: str) -> dict[str, str] | None:
    found = read(Code(kind="qr", text=text), 1)
    return None if found is None else {name: several[0] for name, several in found.values.items()}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_payment_code(end: str) -> None:
    expected = {
        "iban": IBAN,
        "bic": "BYLADEM1001",
        "seller": "Muster Elektrik GmbH",
        "due": "197.50",
        "currency": "EUR",
    }
    assert values(epc().replace("\n", end)) == expected


def test_a_payment_code_without_what_may_be_missing() -> None:
    assert values(epc(bic="", sum="")) == {"iban": IBAN, "seller": "Muster Elektrik GmbH", "currency": "EUR"}
    assert values("\n".join(epc().splitlines()[:7])) == values(epc(sum=""))


def test_a_swiss_bill() -> None:
    assert values(SWISS) == {
        "iban": "CH5800791123000889012",
        "seller": "Muster Elektrik AG",
        "buyer": "Beispiel Bau AG",
        "due": "197.50",
        "currency": "CHF",
    }


@pytest.mark.parametrize(
    ("text", "expected", "amount"),
    [
        (
            "01,10,044001900111,12345678,388.10,20260203,10014320023319812345,A1B2,",
            {"code": "044001900111", "number": "12345678", "date": "2026-02-03", "amount": "388.10"},
            "net",
        ),
        (
            "01,01,4400194130,12345678,388.1,20260203,,A1B2",
            {"code": "4400194130", "number": "12345678", "date": "2026-02-03", "amount": "388.10"},
            "net",
        ),
        (
            "01,32,,24442000000012345678,412.00,20260203,,A1B2",
            {"number": "24442000000012345678", "date": "2026-02-03", "amount": "412.00"},
            "total",
        ),
        (
            "01,04,044001900104,12345678,-5.00,20260203,1,A1B2,",
            {"code": "044001900104", "number": "12345678", "date": "2026-02-03", "amount": "-5.00"},
            "net",
        ),
    ],
)
def test_the_code_of_a_vat_invoice(text: str, expected: dict[str, str], amount: str) -> None:
    found = read(Code(kind="qr", text=text), 2)
    assert found is not None
    assert values(text) == expected
    assert (found.kind, found.amount, found.page, found.source) == ("vat_invoice", amount, 2, "qr")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.com/pay?iban=" + IBAN,
        epc(iban=IBAN[:-1] + "2"),
        epc(iban=""),
        epc(tag="BCE"),
        epc(version="003"),
        epc(kind="INST"),
        "BCD",
        "SPC\n0200",
        SWISS.replace("CHF", "francs"),
        SWISS.replace("CH58", "CH59"),
        "01,10,04400190011,12345678,388.10,20260203,,A1B2,",
        "01,99,044001900111,12345678,388.10,20260203,,A1B2,",
        "01,10,044001900111,12345678,388,10,20260203,,A1B2,",
        "02,10,044001900111,12345678,388.10,20260203,,A1B2,",
        "," * 7000,
    ],
)
def test_other_codes_say_nothing(text: str) -> None:
    assert values(text) is None


def test_a_barcode_and_a_wrong_date_say_nothing() -> None:
    assert read(Code(kind="barcode", text=epc()), 1) is None
    found = values("01,32,,24442000000012345678,412.00,20260231,,A1B2")
    assert found is not None
    assert "date" not in found
