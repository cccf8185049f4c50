"""IBAN, BIC, BANK_ACCOUNT: invented numbers, and IBANs with computed check digits."""

from __future__ import annotations

import pytest

from pipeline.ner.overlap import resolve
from pipeline.ner.patterns import finder as patterns
from pipeline.ner.patterns.accounts import find_bank_accounts, find_bics, find_ibans


def iban(country: str, account: str) -> str:
    """An IBAN with its check digits: the whole, rearranged, is 1 modulo 97."""
    number = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


GERMAN, BRITISH, AUSTRIAN = (
    iban("DE", "100200300040005006"),
    iban("GB", "BANK10203040506070"),
    iban("AT", "1200300400500600"),
)
SPACED = " ".join(GERMAN[at : at + 4] for at in range(0, 22, 4))
WRONG = GERMAN[:-1] + ("7" if GERMAN[-1] != "7" else "8")


@pytest.mark.parametrize("number", [GERMAN, BRITISH, AUSTRIAN])
@pytest.mark.parametrize("printed", ["IBAN: {}", "{} Testbank", "an {}, danke", "IBAN\n{}"])
def test_iban(number: str, printed: str) -> None:
    text = printed.format(number)
    (mention,) = find_ibans(text)
    assert (text[mention.start : mention.end], mention.value) == (number, number)


@pytest.mark.parametrize(
    "printed",
    [
        *(SPACED, SPACED.replace(" ", "  "), SPACED.replace(" ", "-"), GERMAN[:4] + " " + GERMAN[4:]),
        *(SPACED[:14] + "\n" + SPACED[15:], SPACED.replace("0", "O"), SPACED.replace(" ", "\u00a0")),
    ],
)
def test_an_iban_in_groups_or_with_misread_digits(printed: str) -> None:
    (mention,) = find_ibans(f"Konto {printed} BIC TESTDEFFXXX")
    assert (mention.value, mention.end - mention.start) == (GERMAN, len(printed))


def test_an_iban_that_fails_needs_its_label() -> None:
    assert list(find_ibans(f"Code {WRONG}")) == []
    (mention,) = find_ibans(f"IBAN: {WRONG}")
    assert mention.value is None
    assert mention.confidence < 0.5
    short = f"{SPACED[:19]}"
    (cut,) = find_ibans(f"IBAN No. {short} BIC TESTDEFF")
    assert (cut.value, cut.end - cut.start) == (None, len(short))


@pytest.mark.parametrize(
    "text",
    [
        f"{GERMAN}1",
        f"X{GERMAN}",
        "DE12",
        "ZZ" + GERMAN[2:],
        f"{WRONG[:12]}\n{WRONG[12:]}",
        "IBAN: on request",
    ],
)
def test_no_iban(text: str) -> None:
    assert list(find_ibans(text)) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("BIC: TESTDEFFXXX", "TESTDEFFXXX"),
        ("BIC TESTDEFF\nnext", "TESTDEFF"),
        ("SWIFT-Code: TEST DE FF XXX.", "TESTDEFFXXX"),
        ("BIC/SWIFT: TESTFRPP", "TESTFRPP"),
        ("Swift Code\nTESTGB2L", "TESTGB2L"),
        (f"{SPACED} TESTDEFF", "TESTDEFF"),
        (f"TESTDEFF1XX, {GERMAN}", "TESTDEFF1XX"),
    ],
)
def test_bic(text: str, value: str) -> None:
    assert {mention.value for mention in find_bics(text)} == {value}


@pytest.mark.parametrize(
    "text",
    [
        "TESTDEFF",
        f"{GERMAN} RECHNUNG",
        "BIC: please ask",
        "SWIFT SERVICE",
        "BIC: 12345678",
        "BIC NOTPROVIDED",
    ],
)
def test_no_bic(text: str) -> None:
    assert list(find_bics(text)) == []


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("账号：1234 5678 9012", "1234 5678 9012"),
        ("帐号12345678901", "12345678901"),
        ("开户行及账号：某银行第1支行 31050000111122223333", "31050000111122223333"),
        ("A/C no. 123-456789-0", "123-456789-0"),
        ("Account Number: 00123456", "00123456"),
        ("Kontonummer 123 456 789", "123 456 789"),
        ("Bank account no: Testbank 20304050", "20304050"),
        ("rekeningnummer 123456789", "123456789"),
        ("Account: 12345678", "12345678"),
        ("Konto 1234567890 BLZ 10020030", "1234567890"),
        ("Kto.-Nr. 1234567", "1234567"),
        ("Compte n° 00012345678", "00012345678"),
        ("Número de cuenta: 1234 5678 90", "1234 5678 90"),
        ("c/c 123456789", "123456789"),
        ("账户：62170000123456789", "62170000123456789"),
    ],
)
def test_bank_account(text: str, span: str) -> None:
    (mention,) = find_bank_accounts(text)
    assert text[mention.start : mention.end] == span
    assert mention.value == "".join(c for c in span if c.isdecimal())


@pytest.mark.parametrize(
    "text",
    [
        "Account no: XXXX1234",
        "Account ****5678",
        "accounting 123456789",
        "account 12345",
        f"Account no: {GERMAN}",
        "on account of 1234567",
        "Account no 12345678.00",
        "Account total 1234567",
        "Konto 1234567,00",
        "discounts 12345678",
        "账户余额 12345678",
    ],
)
def test_no_bank_account(text: str) -> None:
    assert list(find_bank_accounts(text)) == []


def test_a_bank_card_behind_an_account_label_is_a_bank_card() -> None:
    (mention,) = resolve(patterns.find("账号: 4111111111111111"))
    assert (mention.type, mention.value) == ("BANK_CARD", "4111111111111111")


@pytest.mark.parametrize("part", ["1", "A", "DE89 ", "IBAN DE", "A/C no ", "账号", "BIC ", "- "])
def test_hostile_text(part: str) -> None:
    text = part * (100_000 // len(part))
    for find in (find_ibans, find_bics, find_bank_accounts):
        assert len(list(find(text))) <= len(text)
