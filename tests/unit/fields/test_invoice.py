"""Fields of invoices and credit notes in several languages and layouts; the papers are invented."""

import pytest

from pipeline.fields.invoice import NAMES, find_all
from pipeline.models import Field, Page
from pipeline.ner.locale import localised
from tests.unit.fields.invoice_papers import (
    AMERICAN,
    BRITISH,
    CREDIT_NOTE,
    DUTCH,
    ENGLISH,
    FRENCH,
    GERMAN,
    ITALIAN,
    KEYED,
    PAID_IN_PART,
    PORTUGUESE,
    SPANISH,
    TABLE_OF_SUMS,
)
from tests.unit.fields.paper import entities, page


def found(*pages: Page) -> dict[str, Field]:
    read = localised(pages)
    fields, _ = find_all(read, entities(*read))
    return {field.name: field for field in fields}


def values(*pages: Page) -> dict[str, str | None]:
    return {name: field.value for name, field in found(*pages).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GERMAN,
            {
                "number": "2024-0815",
                "date": "2024-03-25",
                "due_date": "2024-04-24",
                "seller": "Nordlicht Lampen GmbH",
                "seller_address": "Hafenweg 7, 24103 Kiel",
                "seller_tax_id": "DE136695976",
                "buyer": "Muster & Sohn KG",
                "buyer_address": "Lindenallee 12, 50667 Köln",
                "iban": "DE02120300000000202051",
                "bic": "BYLADEM1001",
                "net": "135.00",
                "tax": "25.65",
                "total": "160.65",
                "due": "160.65",
                "tax_19": "25.65",
                "company": "Nordlicht Lampen GmbH",
            },
        ),
        (
            ENGLISH,
            {
                "number": "INV-00123",
                "date": "2024-04-23",
                "due_date": "2024-05-23",
                "order_number": "PO-7788",
                "seller": "Bright Widgets Ltd",
                "seller_address": "12 Orchard Lane, Leeds LS1 4AP",
                "seller_tax_id": "GB123456782",
                "buyer": "Acme Retail Inc",
                "buyer_address": "99 King Street, London W1A 1AA",
                "net": "150.00",
                "tax": "30.00",
                "total": "180.00",
                "due": "130.00",
                "tax_20": "30.00",
                "currency": "GBP",
                "company": "Bright Widgets Ltd",
            },
        ),
        (
            FRENCH,
            {
                "number": "FA-2017-0008",
                "date": "2017-11-13",
                "due_date": "2017-12-13",
                "seller": "LAMPES DU MIDI SARL",
                "seller_tax_id": "FR40303265045",
                "buyer": "MA JOLIE BOUTIQUE",
                "iban": "FR7630006000011234567890189",
                "bic": "AGRIFRPP",
                "net": "169.00",
                "tax": "33.80",
                "total": "202.80",
                "due": "152.80",
            },
        ),
        (
            SPANISH,
            {
                "number": "F2024/17",
                "date": "2024-02-15",
                "due_date": "2024-03-15",
                "seller": "Talleres Luna S.L.",
                "seller_tax_id": "B12345674",
                "buyer": "Hotel Sol S.A.",
                "buyer_tax_id": "A58818501",
                "net": "1000.00",
                "tax": "210.00",
                "total": "1210.00",
            },
        ),
        (
            ITALIAN,
            {
                "number": "45/2024",
                "date": "2024-01-15",
                "due_date": "2024-02-14",
                "seller": "Officina Rossi S.r.l.",
                "seller_tax_id": "01234567897",
                "buyer": "Bianchi S.p.A.",
                "net": "500.00",
                "tax": "110.00",
                "total": "610.00",
            },
        ),
        (
            DUTCH,
            {
                "number": "2024001",
                "date": "2024-01-17",
                "due_date": "2024-02-16",
                "seller": "Bloem B.V.",
                "seller_tax_id": "NL001234567B01",
                "buyer": "Tulp N.V.",
                "net": "150.00",
                "tax": "13.50",
                "total": "163.50",
                "due": "163.50",
            },
        ),
        (
            PORTUGUESE,
            {
                "number": "FT 2024/55",
                "date": "2024-05-22",
                "due_date": "2024-06-21",
                "seller": "Padaria Sol Lda",
                "seller_tax_id": "501964843",
                "buyer": "Café Azul Unipessoal Lda",
                "net": "200.00",
                "tax": "46.00",
                "total": "246.00",
                "due": "246.00",
            },
        ),
        (
            AMERICAN,
            {
                "number": "10045",
                "date": "2024-06-15",
                "due_date": "2024-07-15",
                "seller": "Green Garden Supplies LLC",
                "buyer": "Blue House Corp",
                "net": "130.00",
                "tax": "10.40",
                "total": "140.40",
                "currency": "USD",
            },
        ),
        (
            KEYED,
            {
                "number": "HR-77",
                "date": "2018-06-25",
                "delivery_date": "2018-06-23",
                "order_number": "2018-4711",
                "seller": "Werkzeug Nord GmbH",
                "seller_address": "Lager 20, DE 80333 München",
                "seller_tax_id": "DE136695976",
                "buyer": "Bau Süd AG",
                "buyer_address": "Kundenweg 15, DE 69876 Frankfurt",
                "net": "177.49",
                "tax": "20.16",
                "total": "197.65",
                "due": "147.65",
                "currency": "EUR",
                "net_7": "113.03",
                "tax_7": "7.91",
                "net_19": "64.46",
                "tax_19": "12.25",
            },
        ),
        (
            BRITISH,
            {
                "number": "2291",
                "date": "2024-03-24",
                "seller": "HARBOUR PLUMBING LTD",
                "buyer": "A Jones",
                "buyer_address": "7 Hill View, Bath BA1 2QQ",
                "net": "100.00",
                "tax": "20.00",
                "total": "120.00",
            },
        ),
        (
            TABLE_OF_SUMS,
            {
                "number": "20240017",
                "date": "2024-02-15",
                "due_date": "2024-03-16",
                "buyer": "Jansen Bouw B.V.",
                "iban": "NL91ABNA0417164300",
                "net": "1000.00",
                "tax": "210.00",
                "total": "1210.00",
                "net_21": "1000.00",
            },
        ),
        (
            PAID_IN_PART,
            {
                "number": "INV/2023/03/0008",
                "date": "2023-03-20",
                "due_date": "2023-04-30",
                "seller": "Harbour Robotics Inc.",
                "buyer": "Deco Home Ltd",
                "net": "1500.00",
                "tax": "225.00",
                "total": "1725.00",
                "due": "1000.00",
            },
        ),
        (
            CREDIT_NOTE,
            {
                "number": "GS-99",
                "date": "2024-03-27",
                "seller": "Nordlicht Lampen GmbH",
                "buyer": "Muster & Sohn KG",
                "net": "-50.00",
                "tax": "-9.50",
                "total": "-59.50",
            },
        ),
    ],
)
def test_an_invoice_gives_its_fields(text: str, expected: dict[str, str]) -> None:
    have = values(page(text))
    assert {name: have.get(name) for name in expected} == expected


@pytest.mark.parametrize("text", [GERMAN, ENGLISH, FRENCH, SPANISH, ITALIAN, DUTCH, PORTUGUESE, KEYED])
def test_no_field_is_made_up(text: str) -> None:
    shown = page(text)
    for name, field in found(shown).items():
        assert name in NAMES or name.split("_")[0] in ("net", "tax")
        assert field.text.strip() in shown.text or field.start is None


def test_amounts_that_add_up_are_sure_and_others_are_not() -> None:
    right, wrong = found(page(KEYED)), found(page(KEYED.replace("197,65", "199,65")))
    assert right["total"].confidence > 0.9
    assert not right["total"].checks
    assert wrong["total"].confidence < 0.5
    assert wrong["total"].checks == ("sum_mismatch",)


def test_an_invoice_goes_on_over_pages_and_sums_that_are_carried_are_no_totals() -> None:
    first = GERMAN.partition("Pos  ")[0] + "Lampe   2   50,00   100,00\nÜbertrag   100,00"
    second = "Übertrag   100,00\nKabel   35,00\nNettobetrag   135,00\nMwSt 19%   25,65\nGesamtbetrag   160,65"
    have = values(page(first), page(second, number=2))
    assert (have["number"], have["net"], have["total"]) == ("2024-0815", "135.00", "160.65")


def test_two_invoices_in_one_document_are_not_mixed() -> None:
    pages = localised([page(GERMAN), page(ENGLISH, number=2)])
    fields, warnings = find_all(pages, entities(*pages))
    assert {f.page for f in fields} == {1}
    assert warnings == ["The document contains another invoice on page 2: only the first is described."]


def test_a_second_page_with_the_same_number_is_the_same_invoice() -> None:
    pages = localised(
        [page("Invoice No: A-17\nDate: 23/04/2024"), page("Invoice No: A-17\nTotal 9.00", number=2)]
    )
    fields, warnings = find_all(pages, entities(*pages))
    assert not warnings
    assert {f.name: f.value for f in fields}["total"] == "9.00"


def test_numbers_of_other_papers_on_a_later_page_begin_no_invoice() -> None:
    first = "Invoice No: A-17\nDate: 23/04/2024"
    second = "Page 2 of 2\nInvoice No: A-9 was paid on 21/03/2024\nTotal 9.00"
    pages = localised([page(first), page(second, number=2)])
    fields, warnings = find_all(pages, entities(*pages))
    assert not warnings
    assert {f.name: f.value for f in fields}["number"] == "A-17"


@pytest.mark.parametrize("gap", [0, 3])
def test_two_invoices_on_one_page_are_not_mixed(gap: int) -> None:
    upper = "ACME LAMPS LTD\nInvoice No: A-17\nInvoice Date: 23/04/2024\nNet 10.00\nVAT 2.00\nTotal 12.00"
    lower = "ZENITH CHAIRS LTD\nInvoice No: B-99\nInvoice Date: 27/06/2024\nNet 50.00\nVAT 10.00\nTotal 60.00"
    pages = localised([page(upper + "\n" * (1 + gap) + lower)])
    fields, warnings = find_all(pages, entities(*pages))
    have = {f.name: f.value for f in fields}
    assert (have["number"], have["date"], have["total"]) in (
        ("A-17", "2024-04-23", "12.00"),
        ("B-99", "2024-06-27", "60.00"),
    )
    assert warnings == ["Page 1 shows several invoices: only one of them is described."]


def test_two_invoices_on_one_page_that_is_read_by_columns_are_not_mixed() -> None:
    def half(number: str, day: str, name: str, amounts: str) -> str:
        left = (
            f"ACME LAMPS LTD\n1 Mill Road\nInvoice No: {number}\nInvoice Date: {day}\n{name}\n5 Hill Road\n"
        )
        return left + "\n".join(" " * 60 + row for row in amounts.split("\n")) + "\n" * 8

    upper = half("A-17", "23/04/2024", "Fern Ltd", "Net       10.00\nVAT       2.00\nTotal     12.00")
    lower = half("A-18", "27/06/2024", "Moss Ltd", "Net       50.00\nVAT       10.00\nTotal     60.00")
    pages = localised([page(upper + lower)])
    assert pages[0].text.index("A-18") < pages[0].text.index("12.00")  # the right column follows the left one
    fields, warnings = find_all(pages, entities(*pages))
    have = {f.name: f.value for f in fields}
    assert (have["number"], have["date"], have["total"]) in (
        ("A-17", "2024-04-23", "12.00"),
        ("A-18", "2024-06-27", "60.00"),
    )
    assert warnings == ["Page 1 shows several invoices: only one of them is described."]
