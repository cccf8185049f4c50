"""Names of currencies: codes, signs, words; those of CLDR."""

from __future__ import annotations

import pytest
from babel import Locale

from pipeline.ner.locale.currencies import all_names, currency_in, named, phrases
from pipeline.ner.locale.places import currency_of


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("EUR", "EUR"),
        ("ZMW", "ZMW"),
        ("$", "USD"),
        ("HK$", "HKD"),
        ("c $", "CAD"),
        ("MXN$", "MXN"),
        ("JP¥", "JPY"),
        ("zł", "PLN"),
        ("dollars", "USD"),
        ("Euros", "EUR"),
        ("usd", "USD"),
        ("MEUR", "EUR"),
        ("美元", "USD"),
    ],
)
def test_a_name_of_a_currency(name: str, code: str) -> None:
    currency = named(name)
    assert currency is not None
    assert currency.code(None) == code


@pytest.mark.parametrize("name", ["KR", "zmw", "all $", "a $", "XYZ", "price", "$$", ""])
def test_no_name_of_a_currency(name: str) -> None:
    assert named(name) is None


def test_a_shared_sign_means_the_currency_of_the_page() -> None:
    dollar, crown = named("$"), named("kr")
    assert dollar is not None
    assert crown is not None
    assert (dollar.code("SGD"), dollar.code("EUR")) == ("SGD", "USD")
    assert (crown.code("SEK"), crown.code(None)) == ("SEK", None)


def test_signs_agree_with_cldr() -> None:
    own = {
        "cs_CZ": "Kč",
        "pl_PL": "zł",
        "hu_HU": "Ft",
        "tr_TR": "₺",
        "he_IL": "₪",
        "vi_VN": "₫",
        "ms_MY": "RM",
    }
    for locale, sign in own.items():
        currency = named(sign)
        assert currency is not None
        assert Locale.parse(locale).currency_symbols[currency.codes[0]] == sign


def test_every_legal_tender_has_its_code_and_its_english_name() -> None:
    names = set(all_names())
    assert {"AED", "CLP", "ISK", "KWD", "NGN", "UAH", "VND", "XOF", "ZAR"} <= names
    _, _, table = phrases()
    assert table["swiss francs"].codes == ("CHF",)
    assert table["turkish lira"].codes == ("TRY",)


def test_the_legal_tender_of_a_country() -> None:
    assert [currency_in(country) for country in ("DE", "ZA", "ZZ", None)] == ["EUR", "ZAR", None, None]


def test_letters_of_a_number_name_no_currency() -> None:
    assert currency_of("TIN AB1234RSD001  Total 55.00", None) is None
    assert currency_of("Total 55.00RSD", None) == "RSD"
