"""Number, dates and order number of invoices: which label belongs to which value."""

import pytest

from pipeline.fields.invoice.head import find_dates, find_number, find_order
from pipeline.fields.sheet import Sheet
from pipeline.models import Field
from pipeline.ner.locale import localised
from tests.unit.fields.paper import entities, page


def sheet(text: str) -> Sheet:
    shown = localised([page(text)])[0]
    return Sheet(shown, entities(shown))


def number(text: str) -> str | None:
    found = find_number([sheet(text)])
    return found.value if found else None


def dates(text: str) -> dict[str, Field]:
    shown = sheet(text)
    return {field.name: field for field in find_dates([shown], find_number([shown]))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rechnungsnummer: RE-7/2024", "RE-7/2024"),
        ("Rechnungs-Nr.   4711", "4711"),
        ("Rechnung Nr. 2024/17 vom 25.03.2024", "2024/17"),
        ("Handelsrechnung (380) Nr. 4711 vom 25.06.2018", "4711"),
        ("Invoice # RE-20/507 issued at 2019-06-20", "RE-20/507"),
        ("Tax Invoice No : A0017", "A0017"),
        ("INVOICE #1009", "1009"),
        ("Facture n° 562-A du 22/07/2015", "562-A"),
        ("N° de facture : F-99", "F-99"),
        ("Factura Nº F2024/17", "F2024/17"),
        ("Fattura n. 45/2024 del 15/01/2024", "45/2024"),
        ("Factuurnummer: 2024001", "2024001"),
        ("Fatura n.º FT 2024/55", "FT 2024/55"),
        ("INV0ICE N0: A17", "A17"),
        ("Rechnung 10233", "10233"),
        ("Alder Catering Ltd.   Invoice 5512", "5512"),
        ("Fichte GmbH           Rechnung: 778812   Seite 2 von 3", "778812"),
        ("Pro forma no: PF-2210", "PF-2210"),
        ("Acero S.L.   FACTURA\n             Folio: A-2291", "A-2291"),
        ("Larice S.p.A.   NOTA DI CREDITO\n             Numero: NC/14", "NC/14"),
        ("Invoice number     Invoice date\n10045              15/06/2024", "10045"),
    ],
)
def test_a_number_behind_or_below_its_label(text: str, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Kundennummer: 4711",
        "Invoice date: 15/06/2024",
        "Lieferschein-Nr. 17",
        "Ursprungsbeleg-Nr: R-17",
        "Rechnung gemäß Bestellung Nr. 17",
        "Invoice No:",
        "Abrechnung Nr. 17",
        "Invoice 2024",
        "VAT No. GB 123 4567 82",
    ],
)
def test_other_numbers_are_not_the_papers(text: str) -> None:
    assert number(text) is None


def test_a_credit_note_has_its_own_number_and_not_that_of_its_invoice() -> None:
    assert number("Gutschrift Nr. GS-99\nzu Rechnung Nr. 2024-0815 vom 25.03.2024") == "GS-99"
    assert number("Original invoice no. 17\nCredit note no. C-3") == "C-3"


def test_two_numbers_with_equal_labels_are_a_contradiction() -> None:
    found = find_number([sheet("Invoice No. A17\nInvoice No. A18")])
    assert found is not None
    assert found.checks == ("contradiction",)
    assert found.confidence < 0.5


def test_each_date_by_its_label() -> None:
    have = dates("""
Invoice 8812
Order date: 13/01/2024
Ship date: 14/01/2024
Invoice date: 15/01/2024
Delivery date: 16/01/2024
Payment due: 14/02/2024
""")
    assert {name: field.value for name, field in have.items()} == {
        "date": "2024-01-15",
        "delivery_date": "2024-01-16",
        "due_date": "2024-02-14",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Zahlbar innerhalb 30 Tagen netto bis 24.07.2018, 3% Skonto innerhalb 10 Tagen bis 15.06.2018",
        "Zahlbar mit 2% Skonto bis 14.06.2018\nZahlbar ohne Abzug bis 24.07.2018",
        "Bitte überweisen Sie bis zum 24.07.2018.",
        "Den Rechnungsbetrag überweisen Sie bitte bis zum\n24.07.2018 auf das Konto.",
        "Beschreibung        Fälligkeit\nnetto               24.07.2018",
        "Please remit until 2018-07-24.",
        "Échéance : 24/07/2018",
        "Vencimiento: 24/07/2018",
        "Scadenza 24/07/2018",
        "Vervaldatum: 24-07-2018",
    ],
)
def test_the_day_by_which_all_is_to_be_paid(text: str) -> None:
    assert dates("Rechnung Nr. 5 vom 05.06.2018\n" + text)["due_date"].value == "2018-07-24"


def test_a_period_is_no_day() -> None:
    have = dates("Rechnung Nr. 12 vom 13.03.2024\nLeistungsdatum: 01.02.2024 bis 29.02.2024")
    assert have["date"].value == "2024-03-13"
    assert "delivery_date" not in have


def test_the_date_of_a_letter_and_the_date_in_the_next_row() -> None:
    assert dates("Kiel, 25.03.2024\nSehr geehrte Damen")["date"].value == "2024-03-25"
    assert dates("Rechnung des Versicherers Nr. 01.234 vom\n16.12.2018")["date"].value == "2018-12-16"
    assert (
        dates("Rechnungsdatum/Lieferdatum 18.03.2021\nBestelldatum 17.03.2021")["date"].value == "2021-03-18"
    )


def test_a_date_of_something_else_is_not_taken_for_want_of_another() -> None:
    assert "date" not in dates("Bestelldatum 17.03.2021\nLieferdatum: 18.03.2021")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bestellung   : 2018-4711", "2018-4711"),
        ("Ihre Bestell-Nr. B-17", "B-17"),
        ("PO Number:     PO-7788", "PO-7788"),
        ("Your order AB321", "AB321"),
        ("N° de commande : C-9", "C-9"),
        ("Auftrags-Nr. 7\nBestell-Nr. 8", "8"),
        ("Rechnung gemäß Bestellung vom 21.03.2018.", None),
    ],
)
def test_the_order(text: str, expected: str | None) -> None:
    found = find_order([sheet(text)])
    assert (found.value if found else None) == expected


def test_a_label_in_two_languages() -> None:
    found = dates(
        "Facture N° / Invoice No.   A-118\nDate / Date   15.05.2031\nÉchéance / Due date   14.06.2031"
    )
    assert (found["date"].value, found["due_date"].value) == ("2031-05-15", "2031-06-14")


def test_the_bill_of_a_doctor_has_a_number() -> None:
    assert number("Liquidation Nr. 2031/0522") == "2031/0522"


def test_a_date_of_an_item_is_not_the_date_of_the_paper() -> None:
    found = dates("""
                                      Kiel, 22.05.2031
Rechnung Nr. 7
Datum         Leistung          Betrag
14.05.2031    Beratung          10,72
15.05.2031    Untersuchung      21,45
""")
    assert (found["date"].value, found["date"].checks) == ("2031-05-22", ())
