"""The XML of an electronic invoice gives the fields and rows of an invoice, whatever its syntax."""

from __future__ import annotations

import pytest

from pipeline.errors import Unreadable
from pipeline.fields.truth.einvoice import MAX_ITEMS, read
from pipeline.fields.truth.stated import Stated
from tests.support.einvoices import IBAN, cii, ubl, zugferd1

EXPECTED = {
    "number": "R-2026-417",
    "date": "2026-03-04",
    "due_date": "2026-04-03",
    "delivery_date": "2026-03-01",
    "order_number": "B-77",
    "seller": "Muster Elektrik GmbH",
    "seller_address": "Werftweg 8, 20095 Hamburg",
    "seller_tax_id": "DE123456788",
    "buyer": "Beispiel Bau AG",
    "buyer_address": "Hofgasse 1, 80331 München",
    "iban": IBAN,
    "bic": "BYLADEM1001",
    "net": "250.00",
    "tax": "47.50",
    "total": "297.50",
    "due": "197.50",
    "net_19": "250.00",
    "tax_19": "47.50",
    "company": "Muster Elektrik GmbH",
    "currency": "EUR",
}


def values(stated: Stated) -> dict[str, str]:
    return {name: several[0] for name, several in stated.values.items()}


@pytest.mark.parametrize("xml", [cii(), zugferd1(), ubl()], ids=["cii", "zugferd 1", "ubl"])
def test_an_invoice_in_every_syntax(xml: str) -> None:
    stated = read(xml, 1)
    assert values(stated) == EXPECTED
    assert (stated.kind, stated.currency, dict(stated.checks)) == ("invoice", "EUR", {})
    assert stated.values["seller_tax_id"] == ("DE123456788", "48/815/0001")
    (item,) = stated.items
    assert (item.row, item.page, item.description, item.quantity, item.unit) == (
        1,
        1,
        "Cable drum",
        "100",
        "C62",
    )
    assert (item.unit_price, item.amount, item.tax_rate, item.confidence) == ("2.50", "250.00", "19", 1.0)


@pytest.mark.parametrize(
    ("xml", "kind"),
    [
        (cii(kind="381"), "credit_note"),
        (cii(kind="384"), "invoice"),
        (cii(kind="396"), "credit_note"),
        (cii(kind=""), "invoice"),
        (ubl(kind="389"), "invoice"),
        (ubl(root="CreditNote", kind="381"), "credit_note"),
        (ubl(root="CreditNote", kind=""), "credit_note"),
    ],
)
def test_the_type_code_tells_invoices_and_credit_notes_apart(xml: str, kind: str) -> None:
    assert read(xml, 1).kind == kind


def test_a_credit_note_in_ubl_has_its_rows() -> None:
    stated = read(ubl(root="CreditNote"), 1)
    assert [(item.quantity, item.amount) for item in stated.items] == [("100", "250.00")]


def test_xml_that_contradicts_itself_says_so() -> None:
    assert read(cii(total="300.00"), 1).checks == dict.fromkeys(("net", "tax", "total"), "sum_mismatch")
    assert read(cii(iban=IBAN[:-1] + "2"), 1).checks == {"iban": "check_digit"}


def test_account_numbers_are_compact() -> None:
    assert values(read(cii(iban="de02 1203 0000 0000 2020 51"), 1))["iban"] == IBAN


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (">297.50<", ">2.9750E+2<", "total"),
        (">297.50<", ">297,50<", "total"),
        (">297.50<", ">NaN<", "total"),
        (">20260304<", ">20260231<", "date"),
        (">20260304<", ">yesterday<", "date"),
        ("<ram:Name>Beispiel Bau AG</ram:Name>", "<ram:Name/>", "buyer"),
        ("GrandTotalAmount", "GrossTotalAmount", "total"),
    ],
)
def test_what_is_malformed_is_left_out(old: str, new: str, name: str) -> None:
    assert old in cii()
    found = values(read(cii().replace(old, new), 1))
    assert found == {field: value for field, value in EXPECTED.items() if field != name}


@pytest.mark.parametrize(
    "xml",
    [
        cii()[:2000],
        cii().replace("</ram:Name>", "</ram:Title>", 1),
        "",
        "<a/>",
        cii(number="").replace("GrandTotalAmount", "X"),
        "<r>" * 100_000,
    ],
)
def test_broken_xml_is_one_sentence(xml: str) -> None:
    with pytest.raises(Unreadable, match=r"^The XML of the invoice [^\n]+\.$"):
        read(xml, 1)


def test_entities_are_neither_expanded_nor_fetched() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "0123456789"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]>'
    xml = cii().replace("?>\n", f"?>\n{bomb}", 1)
    for value in ("&b;", "&c;"):
        with pytest.raises(Unreadable, match="document type definition"):
            read(xml.replace("R-2026-417", value), 1)
    with pytest.raises(Unreadable, match="broken"):
        read(cii(number="&b;"), 1)


def test_rows_are_limited() -> None:
    start, end = cii().index("<ram:Included"), cii().index("</ram:IncludedSupplyChainTradeLineItem>")
    row = cii()[start : end + len("</ram:IncludedSupplyChainTradeLineItem>")]
    assert len(read(cii().replace(row, row * (MAX_ITEMS + 3)), 1).items) == MAX_ITEMS


def test_long_values_are_cut() -> None:
    assert len(values(read(cii(number="9" * 5000), 1))["number"]) == 500
