"""The languages of a page, and the country where the paper was issued."""

from __future__ import annotations

import pytest

from pipeline.ner.locale.countries import country_of
from pipeline.ner.locale.languages import languages_of

SPOKEN = [
    ("Invoice number 12\nAmount due\nThank you", ("en",)),
    ("Rechnung Nr. 7\nGesamtbetrag inkl. MwSt", ("de",)),
    ("Facture n° 3\nMontant TTC, règlement à réception", ("fr",)),
    ("Factura 9\nFecha de vencimiento\nImporte", ("es",)),
    ("Fattura n. 8\nImponibile\nScadenza", ("it",)),
    ("Factuur 14\nTotaalbedrag incl. btw", ("nl",)),
    ("Fatura 22\nValor\nContribuinte\nObrigado", ("pt",)),
    ("发票金额合计壹佰元", ("zh",)),
    ("SubTotal 4.00\nThankYou\nBalanceDue 4.00", ("en",)),
    ("Rechnung\nBetrag\nLieferung\nInvoice\nAmount\nDelivery", ("de", "en")),
    ("XK-44 1200", ()),
    ("Total 12.00", ()),
]
ISSUED = [
    ("Springfield, IL 62701", "US"),
    ("Springfield,Ma01101", "US"),
    ("Springfield, Ma. 01101", "US"),
    ("Austin,TX73301-0042", "US"),
    ("SPRINGFIELDIL62701\nTOTAL 4.00", "US"),
    ("Anytown California 94301", "US"),
    ("Springfield, Illinois 627010042", "US"),
    ("(217) 555-0143\nIllinois\nTotal 4.00", "US"),
    ("(212) 555-0143", "US"),
    ("212-555-0143\nTotal 4.00", "US"),
    ("Store 1-800-555-0143", "US"),
    ("(416) 555-0143\nHST 13%", "CA"),
    ("Leeds LS1 4AP\nTotal £4.20", "GB"),
    ("Muster GmbH\nRechnung und Betrag\n10115 Berlin\nUSt-IdNr.", "DE"),
    ("Beispiel GmbH, A-1010 Wien, Österreich\nATU12345675", "AT"),
    ("CH-8001 Zürich\nCHF 20.00", "CH"),
    ("SARL Durand\nTVA\nSIRET 000 000 000 00000", "FR"),
    ("Voorbeeld BV\n1011 AB  Amsterdam\nKvK 1234", "NL"),
    ("CONTOH SDN BHD\nGST 6%\nRM 4.20", "MY"),
    ("Example Pte Ltd\nSingapore 238823", "SG"),
    ("GSTIN 27\nCGST 9%\n₹ 400", "IN"),
    ("Example Pty Ltd ABN\nSydney NSW 2000", "AU"),
    ("Rechnung, Betrag\nwww.beispiel.at\n1020 Wien", "AT"),
    ("info@example.co.uk\nTotal £4.20", "GB"),
    ("Ejemplo S.L.\nC.I.F. B00", "ES"),
    ("Scontrino\nTotale\nP.IVA 01", "IT"),
    ("Tel +49 30 901820", "DE"),
    ("0033 1 46 26 00 34", "FR"),
    ("增值税专用发票 价税合计", "CN"),
    ("發票 香港九龍 總額 電話", "HK"),
    ("統一發票 營業稅 臺灣 總計", "TW"),
    ("合計 ¥1,980(税込)", "JP"),
    ("Ejemplo S.A.\nCiudad de México", "MX"),
    ("Buenos Aires, Argentina\n$ 1.234,50", "AR"),
    ("S/ 45.90\nRUC 20\nLima", "PE"),
    ("Papeterie inc.\nMontréal (Québec)", "CA"),
    ("Snickeri AB\nFörfallodatum 2024-04-03\nBankgiro", "SE"),
    ("Sort code 12-34-56\nLondon", "GB"),
    ("發票 賣方 總計", "TW"),
    ("Example (Pty) Ltd, VAT\nCape Town, South Africa", "ZA"),
]
UNDECIDED = [
    "",
    "Total 12.00",
    # The sign of another currency contradicts the form of the phone.
    "212-555-0143\nTotal € 4.00",
    "212-555-0143\nGST 6%",
    # Delaware has no such ZIP: it is Germany's code.
    "DE 10115",
    "5121-212-555-0143",
    "Ma 01101",
    "Item CA12345678\nOR 10",
    "+33 1 46 26 00 34\n+49 30 901820",
    "Facture, montant, TVA 21%",
    "CA〒A",
    "date 2018.12.25 12:30:45",
    "總額 電話 發票",  # of Hong Kong, Macao or Taiwan
    "Chile relleno 4.50",
]


@pytest.mark.parametrize(("page", "languages"), SPOKEN)
def test_languages(page: str, languages: tuple[str, ...]) -> None:
    assert languages_of(page) == languages


@pytest.mark.parametrize(("page", "country"), ISSUED)
def test_country(page: str, country: str) -> None:
    assert country_of(page, languages_of(page)) == country


@pytest.mark.parametrize("page", UNDECIDED)
def test_a_country_without_evidence_or_with_contradictions_is_undecided(page: str) -> None:
    assert country_of(page, languages_of(page)) is None


@pytest.mark.parametrize(
    "character", ["1", "9", "A", "a", "<", " ", "+", "(", "-", "12345 ", "AB1 2CD ", "国"]
)
def test_a_hostile_page_is_read_in_linear_time(character: str) -> None:
    page = character * (100_000 // len(character))
    assert country_of(page, languages_of(page)) in {None, "CN", "GB"}
