"""PHONE."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.models import PageLocale
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.phones import find_phones

PHONES = [
    ("电话13800138000", "13800138000", "+8613800138000"),
    ("请拨138 0013 8000。", "138 0013 8000", "+8613800138000"),
    ("+86 138-0013-8000", "+86 138-0013-8000", "+8613800138000"),
    ("座机 010-62345678", "010-62345678", "+861062345678"),
    ("座机(0755)82345678", "(0755)82345678", "+8675582345678"),
    ("客服 400-812-3456", "400-812-3456", "4008123456"),
    ("地址、电话：某市某路61号68744498", "68744498", "68744498"),
    ("Tel: +603-3362 4137", "+603-3362 4137", "+60333624137"),
    ("TEL : 03-89410243", "03-89410243", "0389410243"),
    ("Tel:03-3362 4395 Faks", "03-3362 4395", "0333624395"),
    ("TEL: 012 - 6651783", "012 - 6651783", "0126651783"),
    ("Tel No. 03-6259-6498", "03-6259-6498", "0362596498"),
    ("FAX:0390542829", "0390542829", "0390542829"),
    ("call +44 20 7946 0958", "+44 20 7946 0958", "+442079460958"),
    ("016-5498845,", "016-5498845", "0165498845"),
]
NOT_PHONES = [
    "6222021001116245",
    "GST ID: 000849813504",
    "hotel 1234567",
    "TEL 123",
    "(1072825-A)",
    "2012-0029",
    "138001380001",
    "25-12-2018",
    "180321142900",
]


@pytest.mark.parametrize(("text", "span", "value"), PHONES)
def test_phone(text: str, span: str, value: str) -> None:
    (mention,) = resolve(find_phones(text))
    assert (text[mention.start : mention.end], mention.value) == (span, value)


def test_several_numbers_after_one_label() -> None:
    values = [m.value for m in resolve(find_phones("TEL:03-51221701, 51313091 FAX: 03-51215716"))]
    assert values == ["0351221701", "51313091", "0351215716"]


@pytest.mark.parametrize("text", NOT_PHONES)
def test_no_phone(text: str) -> None:
    assert list(find_phones(text)) == []


COUNTRIES = [
    ("(714)555-0134", "US", "(714)555-0134", "+17145550134"),
    ("Call 617-555-0141 now", "US", "617-555-0141", "+16175550141"),
    ("1-800-555-0143", "US", "1-800-555-0143", "+18005550143"),
    ("212.555.0143", "US", "212.555.0143", "+12125550143"),
    ("Store#204(416)555-0143", "CA", "(416)555-0143", "+14165550143"),
    ("TEL 212-555-0143 x12", "US", "212-555-0143 x12", "+12125550143"),
    ("Main Street 5\n2125550143\nOpen", "US", "2125550143", "+12125550143"),
    ("Tel.: 030/901820-20", "DE", "030/901820-20", "+493090182020"),
    ("Fon (0 30) 90 18 20", "DE", "(0 30) 90 18 20", "+4930901820"),
    ("Tél : 01 46 26 00 34", "FR", "01 46 26 00 34", "+33146260034"),
    ("01.46.26.00.34", "FR", "01.46.26.00.34", "+33146260034"),
    ("020 7946 0991", "GB", "020 7946 0991", "+442079460991"),
    ("T: 020 7946 0991", "GB", "020 7946 0991", "+442079460991"),
    ("TEL: 03-8941 0243", "MY", "03-8941 0243", "+60389410243"),
    ("6123 4567", "SG", "6123 4567", "+6561234567"),
    ("携帯 090-1234-5678", "JP", "090-1234-5678", "+819012345678"),
    ("電話 2868 1234", "HK", "2868 1234", "+85228681234"),
    ("傳真：(02) 2311-3731", "TW", "(02) 2311-3731", "+886223113731"),
    ("Tel 6123 4567 25/12/2018", "SG", "6123 4567", "+6561234567"),
    ("+44 (0) 20 7946 0991", "GB", "+44 (0) 20 7946 0991", "+442079460991"),
]
UNKNOWN_COUNTRY = [
    ("Mob. 98200 12345", "98200 12345", "9820012345"),
    ("Telefone (11) 3091-1234", "(11) 3091-1234", "1130911234"),
    ("Tlf. 22 12 34 56", "22 12 34 56", "22123456"),
    ("電話：(02) 2311-3731", "(02) 2311-3731", "0223113731"),
    ("전화 02-2255-0114", "02-2255-0114", "0222550114"),
    ("(714)555-0134", "(714)555-0134", "7145550134"),
    ("0049 176 12345678", "0049 176 12345678", "+4917612345678"),
    ("TEL:01.46.26.00.34", "01.46.26.00.34", "0146260034"),
    ("Tél : 01 71 17 00 67", "01 71 17 00 67", "0171170067"),
    ("Phone: 080 100 444 66", "080 100 444 66", "08010044466"),
    ("My phone number is 0176 1234 5678.", "0176 1234 5678", "017612345678"),
    ("Tel 555 1234 12.50", "555 1234", "5551234"),
    ("Phone 555-1234 2018-12-25", "555-1234", "5551234"),
    ("+49 30 901820 Durchwahl 20", "+49 30 901820 Durchwahl 20", "+4930901820"),
]
NO_PHONES = [
    *("01.02.2018", "01/02/2018", "2018-02-01", "1,234.56 2,345.67", "12.50 13.50 14.50", "4006381333931"),
    *(
        "Order no. 617-555-0141",
        "SIRET 012 345 678 00012",
        "80331 München",
        "0,12 0,34 0,56",
        "$212-555-0143",
    ),
    *(
        "0 12 34 56 78 90 12",
        "10:30 11:30 12:30",
        "A0123-456789",
        "Rechnung 0176-1234567-89",
        "01-02-18 03-04-18",
        "Part 212-555-0143",
        "DOC. N. 0123-0045",
    ),
]


@pytest.mark.parametrize(("text", "country", "span", "value"), COUNTRIES)
def test_phone_of_the_pages_country(text: str, country: str, span: str, value: str) -> None:
    (mention,) = resolve(find_phones(text, PageLocale(country=country)))
    assert (text[mention.start : mention.end], mention.value) == (span, value)


@pytest.mark.parametrize(("text", "span", "value"), UNKNOWN_COUNTRY)
def test_phone_of_an_unknown_country(text: str, span: str, value: str) -> None:
    (mention,) = resolve(find_phones(text))
    assert (text[mention.start : mention.end], mention.value) == (span, value)


@pytest.mark.parametrize("text", NO_PHONES)
@pytest.mark.parametrize("country", [None, "US", "DE", "FR", "GB", "SG", "MY", "CN"])
def test_other_numbers_are_no_phones(text: str, country: str | None) -> None:
    assert list(find_phones(text, PageLocale(country=country))) == []


def test_eleven_digits_with_another_label_are_no_mobile_number() -> None:
    assert not list(find_phones("单号13912345678，金额：13912345678，共13912345678元"))


def test_an_american_form_is_no_phone_elsewhere() -> None:
    assert list(find_phones("617-555-0141", PageLocale(country="DE"))) == []


def test_phonenumbers_is_imported_only_for_a_candidate() -> None:
    code = (
        "import sys; from pipeline.ner.patterns.finder import find\n"
        "find('Total 12.50 on 2018-12-25, invoice 20181225'); assert 'phonenumbers' not in sys.modules\n"
        "find('Tel 030 901820'); find('+49 30 901820'); assert 'phonenumbers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "part", ["1", "0", "+", "(", "-1", "0 ", "TEL ", "tel 1", "12.50 ", "+49 ", "(212) ", "电话1"]
)
@pytest.mark.parametrize("country", [None, "US", "DE"])
def test_hostile_text(part: str, country: str | None) -> None:
    text = part * (50_000 // len(part))
    assert len(list(find_phones(text, PageLocale(country=country)))) <= len(text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Tel:030-2135585 030-2135586", ["030-2135585", "030-2135586"]),
        ("Tel: 02 9374 4000 02 9374 4001", ["02 9374 4000", "02 9374 4001"]),
        ("Tel. 0171 1234567 0171 12345678", ["0171 1234567", "0171 12345678"]),
        ("Tel 12 34 56 78 90", ["12 34 56 78 90"]),
    ],
)
def test_two_numbers_parted_by_a_blank_are_two(text: str, numbers: list[str]) -> None:
    found = [text[m.start : m.end] for m in find_phones(text)]
    assert sorted(set(found)) == sorted(numbers)
