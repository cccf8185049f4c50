"""ID_NUMBER of other countries than China: invented numbers with the check digits of their country."""

from __future__ import annotations

import pytest

from pipeline.models import PageLocale
from pipeline.ner.checks import valid
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.personal_ids import find_personal_ids, hkid_check, nric_check, taiwan_check


def completed(form: str, module: str) -> str:
    places = form.count("?")
    for number in range(10**places):
        filled = form
        for digit in f"{number:0{places}d}":
            filled = filled.replace("?", digit, 1)
        if valid(module, "".join(c for c in filled if c.isalnum())):
            return filled
    raise AssertionError(form)


def singapore(body: str) -> str:
    return next(body + letter for letter in "ABCDEFGHIJKLMNPQRTUWXZ" if nric_check(body + letter))


LABELLED = [
    ("SSN: 536-90-4399", "536904399"),
    ("Social Security No. 536 90 4399", "536904399"),
    (f"NRIC No: {singapore('S1234567')}", singapore("S1234567")),
    (f"FIN {singapore('G7654321')}", singapore("G7654321")),
    ("NRIC: 850317-14-5678", "850317145678"),
    ("IC No. 850317145678", "850317145678"),
    ("Passport No: X1234567", "X1234567"),
    ("护照号码：E12345678", "E12345678"),
    ("港澳居民来往内地通行证号码 H12345678", "H12345678"),
    ("医保编号:100200300400", "100200300400"),
    ("Reisepass-Nr. C01X00T47", "C01X00T47"),
    (f"CPF: {completed('123.456.789-??', 'br.cpf')}", completed("123456789??", "br.cpf")),
    (f"NHS number {completed('943 476 591?', 'gb.nhs')}", completed("943476591?", "gb.nhs")),
    (f"BSN {completed('12345678?', 'nl.bsn')}", completed("12345678?", "nl.bsn")),
    (f"SIN {completed('123-456-78?', 'ca.sin')}", completed("12345678?", "ca.sin")),
    ("NI number AB 12 34 56 C", "AB123456C"),
    ("Reisepassnummer C01X00T47", "C01X00T47"),
    ("Ausweisnummer: 123456789", "123456789"),
    ("Sozialversicherungsnummer: 65 170839 J 003", "65170839J003"),
    (f"AHV-Nr. {completed('756.1234.5678.??', 'ch.ssn')}", completed("75612345678??", "ch.ssn")),
    ("Driving licence no: 12345678", "12345678"),
]


@pytest.mark.parametrize(("text", "value"), LABELLED)
def test_labelled_number(text: str, value: str) -> None:
    (mention,) = resolve(find_personal_ids(text))
    assert (mention.type, mention.value) == ("ID_NUMBER", value)


def test_checks() -> None:
    assert nric_check("S1234567D")
    assert not nric_check("S1234567A")
    assert hkid_check("A1234563")
    assert not hkid_check("A1234564")
    assert hkid_check("AB9876543")
    assert taiwan_check("A123456789")
    assert not taiwan_check("A123456788")


@pytest.mark.parametrize("text", [singapore("T0123456"), "A123456(3)"])
def test_a_strict_form_needs_no_label(text: str) -> None:
    (mention,) = find_personal_ids(f"Patient {text}, aged 40")
    assert text[: mention.end - mention.start] == text
    assert mention.confidence > 0.5


@pytest.mark.parametrize(
    ("text", "country"), [("536-90-4399", "US"), ("850317-14-5678", "MY"), ("A123456789", "TW")]
)
def test_some_forms_need_no_label_in_their_country(text: str, country: str) -> None:
    (mention,) = find_personal_ids(text, PageLocale(country=country))
    assert (mention.start, mention.end) == (0, len(text))
    assert list(find_personal_ids(text, PageLocale(country="FR"))) == []
    assert list(find_personal_ids(text)) == []


@pytest.mark.parametrize("text", ["SSN 000-12-3456", "NRIC No: S1234567A", "Aadhaar No 1234 5678 9012"])
def test_a_number_that_fails_needs_its_label(text: str) -> None:
    (mention,) = resolve(find_personal_ids(text))
    assert mention.value is None
    assert mention.confidence < 0.5


@pytest.mark.parametrize(
    "text",
    [
        *(
            "S1234567A",
            "passport photo 2024",
            "Passport: see page 12345678",
            "ic 12",
            "Transaction ID 12345678",
        ),
        *("music 850317-14-5678", "fin 12345678", "order 536-90-4399"),
    ],
)
def test_no_id_number(text: str) -> None:
    assert list(find_personal_ids(text)) == []


@pytest.mark.parametrize("part", ["1", "A", "S1234567", "SSN ", "ic no ", "护照", "123-45-", "passport no "])
def test_hostile_text(part: str) -> None:
    text = part * (100_000 // len(part))
    assert len(list(find_personal_ids(text))) <= len(text)
