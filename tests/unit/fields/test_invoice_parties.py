"""Seller and buyer of invoices, their addresses, tax numbers and the bank."""

import pytest

from pipeline.fields.invoice.ids import find_bank, find_tax_ids
from pipeline.fields.invoice.parties import find_parties
from pipeline.fields.sheet import Sheet
from pipeline.models import Field
from pipeline.ner.locale import localised
from tests.unit.fields.paper import entities, page


def found(text: str) -> dict[str, Field]:
    shown = localised([page(text)])[0]
    sheets = [Sheet(shown, entities(shown))]
    parties = find_parties(sheets)
    fields = (*parties.fields, *find_tax_ids(sheets, parties.blocks), *find_bank(sheets))
    return {field.name: field for field in fields}


def values(text: str) -> dict[str, str | None]:
    return {name: field.value for name, field in found(text).items()}


def test_columns_with_headings_are_not_mixed() -> None:
    have = values("""
Lieferant                    Käufer                      Warenempfänger
GLN 4333741000005            GLN 4304171000002           GLN 4304171088093
WERKZEUG NORD GMBH           BAU SÜD GMBH                FILIALE OST
BAHNHOFSTR 99                KUNDENWEG 88                HAUPTSTR 44
99199 BEISPIELHAUSEN         40235 DUESSELDORF           31157 SARSTEDT
""")
    assert (have["seller"], have["buyer"]) == ("WERKZEUG NORD GMBH", "BAU SÜD GMBH")
    assert have["buyer_address"] == "KUNDENWEG 88, 40235 DUESSELDORF"


def test_other_parties_are_neither_seller_nor_buyer() -> None:
    have = values("""
Ship To:
Depot Ltd
5 Dock Road
Dover CT16 1AA

Payee:
Factoring Bank Ltd
9 City Road
London EC1A 1BB
""")
    assert "buyer" not in have
    assert "seller" not in have


def test_a_salutation_is_no_name_and_a_contact_no_address() -> None:
    have = values("""
Rechnungsadresse
Firma
Muster & Sohn KG
Frau Erika Beispiel
Lindenallee 12
50667 Köln
""")
    assert (have["buyer"], have["buyer_address"]) == ("Muster & Sohn KG", "Lindenallee 12, 50667 Köln")


def test_the_addressee_is_below_the_senders_line() -> None:
    have = found("""
  ACME Lampen GmbH ● Ecke 12 ● 12345 Stadthausen
Theodor Beispiel
Bahnstr. 42
88802 Spielkreis
""")
    assert have["seller"].value == "ACME Lampen GmbH"
    assert have["seller_address"].value == "Ecke 12, 12345 Stadthausen"
    assert (have["buyer"].value, have["buyer_address"].value) == (
        "Theodor Beispiel",
        "Bahnstr. 42, 88802 Spielkreis",
    )


def test_a_town_with_its_state_is_no_senders_line() -> None:
    assert "seller" not in values("Bill to\nJane Doe\n1 Sample Road\nSeattle, WA 98101, US")


def test_a_name_ends_before_the_capital_of_the_company() -> None:
    text = "LAMPION SAS au capital de 3.441.812 Euros\n8 rue de la Ville\n75008 Paris\nFacturé à\nM. Jean\n69001 LYON"
    assert values(text)["seller"] == "LAMPION SAS"


def test_the_name_in_the_footer_is_the_sellers_and_the_address_at_the_top_the_buyers() -> None:
    top = "Kunden AG\nBergstr. 1\n10115 Berlin\n\nRechnung\n"
    have = values(top + ".\n" * 58 + "Liefer GmbH | Weg 2 | 20095 Hamburg")
    assert (have["seller"], have["buyer"]) == ("Liefer GmbH", "Kunden AG")


def test_the_tax_number_of_each_party() -> None:
    have = values("""
Seller:
Alpha GmbH
USt-IdNr: DE136695976
Buyer:
Beta GmbH
USt-IdNr: DE811907980
""")
    assert (have["seller_tax_id"], have["buyer_tax_id"]) == ("DE136695976", "DE811907980")


@pytest.mark.parametrize("label", ["Ihre USt-IdNr.", "Your VAT No.", "Votre n° TVA"])
def test_a_label_says_that_a_tax_number_is_the_buyers(label: str) -> None:
    assert values(f"{label}: DE136695976") == {"buyer_tax_id": "DE136695976"}


def test_a_tax_office_number_counts_where_there_is_no_vat_number() -> None:
    assert values("Steuernummer: 201/113/40209")["seller_tax_id"] == "20111340209"
    both = values("Steuernummer: 201/113/40209\nUSt-IdNr.: DE136695976")
    assert both["seller_tax_id"] == "DE136695976"


def test_an_account_with_wrong_check_digits_is_doubtful() -> None:
    right, wrong = found("IBAN: DE02120300000000202051"), found("IBAN: DE03120300000000202051")
    assert not right["iban"].checks
    assert wrong["iban"].value == "DE03120300000000202051"
    assert wrong["iban"].checks == ("check_digit",)
    assert wrong["iban"].confidence < 0.5


@pytest.mark.parametrize(
    "text", ["", "Bill to:", "Seller:\n\nBuyer:", "IBAN", "VAT No.", "Kunde: 17", "12345"]
)
def test_nothing_is_guessed(text: str) -> None:
    assert values(text) == {}


def test_a_legal_form_behind_a_comma_belongs_to_the_name() -> None:
    assert values("Sierra Roble, S.L.\nC/ Luna 3, 28013 Madrid")["seller"] == "Sierra Roble, S.L."
    assert values("Hinoki Works Co., Ltd.")["seller"] == "Hinoki Works Co., Ltd."


def test_a_tax_number_may_be_between_name_and_street() -> None:
    have = values("""
Ana Robles Prado               Facturar a:
NIF: 12345678Z                 Sierra Roble, S.L.
C/ Luna 3, 28013 Madrid        C/ Mayor 1, 28001 Madrid
""")
    assert (have["seller"], have["buyer"]) == ("Ana Robles Prado", "Sierra Roble, S.L.")
    assert have["seller_address"] == "C/ Luna 3, 28013 Madrid"


@pytest.mark.parametrize("heading", ["Exmo.(s) Sr.(s)", "Exmos. Srs.", "Receptor:", "Cliente"])
def test_a_tax_number_does_not_make_the_addressee_the_seller(heading: str) -> None:
    have = values(f"""
Carvalho Azul, Lda.
Rua Direita 12, 4050-032 Porto
NIPC: 502 757 191

                                 {heading}
                                 Sobreiro Verde, Lda.
                                 Av. Nova 8
                                 4700-024 Braga
                                 NIF 501 442 600
""")
    assert (have["seller"], have["buyer"]) == ("Carvalho Azul, Lda.", "Sobreiro Verde, Lda.")


@pytest.mark.parametrize("word", ["Firma", "Messrs."])
def test_how_a_company_is_addressed_is_not_its_name(word: str) -> None:
    have = values(f"Bill to:\n{word} Holzbau Esche GmbH\nGewerbepark 8\n80331 München")
    assert have["buyer"] == "Holzbau Esche GmbH"


def test_a_street_with_a_long_number_is_not_the_town() -> None:
    have = values("Sold to:\nNORTH GARAGE LLC\n1500 N MONROE ST\nSPOKANE WA 99205")
    assert have["buyer_address"] == "1500 N MONROE ST, SPOKANE WA 99205"


def test_a_number_between_name_and_street_is_not_the_address() -> None:
    have = values("Émetteur\nMenuiserie Orme\nSIREN 732829320\n12 rue du Moulin\n31000 Toulouse")
    assert have["seller_address"] == "12 rue du Moulin, 31000 Toulouse"
