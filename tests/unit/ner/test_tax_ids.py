"""TAX_ID: invented numbers, their last digits chosen so that the check is right."""

from __future__ import annotations

import pytest

from pipeline.ner.checks import valid
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns import finder as patterns
from pipeline.ner.patterns.tax_ids import find_tax_ids


def completed(form: str, module: str, prefix: str = "") -> str:
    """`form` with its `?` replaced by the first digits that make it valid, without spaces and marks."""
    places = form.count("?")
    for number in range(10**places):
        filled = form
        for digit in f"{number:0{places}d}":
            filled = filled.replace("?", digit, 1)
        if valid(module, "".join(c for c in prefix + filled if c.isalnum())):
            return filled
    raise AssertionError(form)


GERMAN = "DE" + completed("12345678?", "de.vat")
FRENCH = "FR" + completed("??12345672?", "fr.vat")
BRITISH = completed("123 4567 ??", "gb.vat")
SWISS = "CHE-" + completed("123.456.78?", "ch.uid", "CHE")
EUROPEAN = [
    *(GERMAN, FRENCH, "GB" + completed("1234567??", "gb.vat"), "IE1234567T"),
    "ATU" + completed("1234567?", "at.vat", "U"),
    "BE" + completed("01234567??", "be.vat"),
    "DK" + completed("1234567?", "dk.vat"),
    "ESB" + completed("1234567?", "es.vat", "B"),
    "FI" + completed("1234567?", "fi.vat"),
    "IT" + completed("0123456001?", "it.vat"),
    "LU" + completed("123456??", "lu.vat"),
    "NL" + completed("12345678?", "nl.bsn") + "B01",
    "PL" + completed("12345678??", "pl.vat"),
    "PT" + completed("50123456?", "pt.vat"),
    "SE" + completed("55612345??", "se.orgnr") + "01",
]
LABELLED = [
    (f"VAT Reg. No: {BRITISH}", BRITISH),
    (f"USt-IdNr.: {GERMAN[:2]} {GERMAN[2:5]} {GERMAN[5:8]} {GERMAN[8:]}", GERMAN),
    (f"N° TVA intracommunautaire : FR {FRENCH[2:4]} {FRENCH[4:]}", FRENCH),
    (f"{SWISS} MWST", SWISS),
    ("Steuernummer: 181/815/08155", "18181508155"),
    ("St.-Nr. 12/345/67890", "1234567890"),
    ("EIN: 12-3456789", "123456789"),
    ("Federal Tax ID 12-3456789", "123456789"),
    (f"ABN {completed('?? 123 456 789', 'au.abn')}", completed("?? 123 456 789", "au.abn")),
    (f"P.IVA {completed('0123456001?', 'it.iva')}", completed("0123456001?", "it.iva")),
    (f"CNPJ {completed('11.222.333/0001-??', 'br.cnpj')}", completed("11.222.333/0001-??", "br.cnpj")),
    (f"NIF: {completed('50123456?', 'pt.nif')}", completed("50123456?", "pt.nif")),
    ("GST ID No: 001234567890", "001234567890"),
]
NOT_TAX_IDS = [
    *(
        "DE 12345",
        "DE123456789012",
        "XDE123456788",
        "Order DK 2018 0312",
        "RO 20180312",
        "St. 12/345",
        "Tax 12.50",
    ),
    *("TAX INVOICE 123456789", "tax 19.00", "total tax: 123-456-789", "SI 20180312", "VAT 20% 123.45"),
]


@pytest.mark.parametrize("number", EUROPEAN)
@pytest.mark.parametrize("printed", ["{}", "VAT ID: {}", "Muster GmbH, {}."])
def test_vat_id(number: str, printed: str) -> None:
    text = printed.format(number)
    (mention,) = resolve(find_tax_ids(text))
    assert (text[mention.start : mention.end], mention.value) == (number, number)


@pytest.mark.parametrize(("text", "value"), LABELLED)
def test_printed_forms(text: str, value: str) -> None:
    (mention,) = resolve(find_tax_ids(text))
    assert mention.value == "".join(c for c in value if c.isalnum())
    assert mention.confidence > 0.5


@pytest.mark.parametrize(
    "text", ["VAT no: DE123456780", "Steuernummer 9999999999999", "ABN 11 111 111 111", "VAT No. 123 4567 80"]
)
def test_a_number_that_fails_needs_its_label(text: str) -> None:
    (mention,) = resolve(find_tax_ids(text))
    assert mention.value is None
    assert mention.confidence < 0.5


def test_a_japanese_registration_number_is_checked_without_its_letter() -> None:
    (mention,) = find_tax_ids("登録番号 T1180301018771")
    assert mention.value == "T1180301018771"


@pytest.mark.parametrize("text", NOT_TAX_IDS)
def test_no_tax_id(text: str) -> None:
    assert list(find_tax_ids(text)) == []


def test_a_tax_id_is_no_phone() -> None:
    assert [m.type for m in resolve(patterns.find(f"Tel/VAT: {GERMAN} VAT {BRITISH}"))] == [
        "TAX_ID",
        "TAX_ID",
    ]


@pytest.mark.parametrize("part", ["1", "A", "DE1", "VAT no ", "St.-Nr. 1", "12/345/", "CHE-1", "GST "])
def test_hostile_text(part: str) -> None:
    text = part * (100_000 // len(part))
    assert len(list(find_tax_ids(text))) <= len(text)
